//! Which member is due when, so that nobody looks at a thousand links to find the one that is.

use std::collections::BTreeSet;
use std::time::Instant;

use super::member::MemberId;

/// At most one moment a member. A link's deadline mostly moves further away, with each datagram that arrives; then
/// the earlier moment stays here, and nothing is due at it.
#[derive(Debug, Default)]
pub(super) struct TimerQueue(BTreeSet<(Instant, MemberId)>);

impl TimerQueue {
    /// Makes the member due by `deadline`; `planned` is when it is due so far.
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

    /// The next member that is due by `now`; nothing is planned for it any more.
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
    fn the_earliest_deadline_of_each_member_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = TimerQueue::default();
        let (mut anna, mut boris) = (None, None);
        timers.plan(1, &mut anna, Some(at(10)));
        timers.plan(2, &mut boris, Some(at(5)));
        timers.plan(1, &mut anna, Some(at(1)));
        timers.plan(1, &mut anna, Some(at(8))); // due at 1, where nothing is to be done yet
        timers.plan(2, &mut boris, None);
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.due(start), None);
        assert_eq!(timers.due(at(6)), Some(1));
        assert_eq!(timers.due(at(6)), Some(2));
        assert_eq!(timers.due(at(6)), None);

        boris = None;
        timers.plan(2, &mut boris, Some(at(7)));
        timers.cancel(2, &mut boris);
        assert_eq!((timers.next(), boris), (None, None));
    }
}
