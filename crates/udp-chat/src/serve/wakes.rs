//! Who is to be woken when, so that nobody looks at a thousand links to find the one that is due.

use std::collections::BTreeSet;
use std::time::Instant;

use super::member::MemberId;

/// At most one moment a member. A link's deadline mostly moves further away, with each datagram
/// that is heard; its owner then leaves the earlier moment here, and finds nothing due at it.
#[derive(Debug, Default)]
pub(super) struct Wakes(BTreeSet<(Instant, MemberId)>);

impl Wakes {
    /// Sees to it that the member is woken by `deadline`; `planned` is when it would be so far.
    pub(super) fn plan(
        &mut self,
        id: MemberId,
        planned: &mut Option<Instant>,
        deadline: Option<Instant>,
    ) {
        let Some(deadline) = deadline else { return };
        if planned.is_some_and(|planned| planned <= deadline) {
            return;
        }
        self.cancel(id, planned);
        self.0.insert((deadline, id));
        *planned = Some(deadline);
    }

    pub(super) fn cancel(&mut self, id: MemberId, planned: &mut Option<Instant>) {
        if let Some(planned) = planned.take() {
            self.0.remove(&(planned, id));
        }
    }

    /// The next to be woken by `now`; nothing is planned for it any more.
    pub(super) fn due(&mut self, now: Instant) -> Option<MemberId> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, id)| id)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|&(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_plan_of_each_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut wakes = Wakes::default();
        let (mut anna, mut boris) = (None, None);
        wakes.plan(1, &mut anna, Some(at(10)));
        wakes.plan(2, &mut boris, Some(at(5)));
        wakes.plan(1, &mut anna, Some(at(1)));
        wakes.plan(1, &mut anna, Some(at(8))); // woken at 1, it will see that 8 is meant
        wakes.plan(2, &mut boris, None);
        assert_eq!(wakes.next(), Some(at(1)));
        assert_eq!(wakes.due(start), None);
        assert_eq!(wakes.due(at(6)), Some(1));
        assert_eq!(wakes.due(at(6)), Some(2));
        assert_eq!(wakes.due(at(6)), None);
        assert_eq!(wakes.next(), None);

        boris = None;
        wakes.plan(2, &mut boris, Some(at(7)));
        wakes.cancel(2, &mut boris);
        assert_eq!((wakes.next(), boris), (None, None));
    }
}
