//! How many lines about received and sent datagrams a log gets: of one member 50 a second, of all 2,000. What is over
//! is summed, and a sum is written when the next second has room, at the latest before the member has left. So the
//! reported bytes always add up, and nobody can flood the log.

use std::time::{Duration, Instant};

/// Lines about single datagrams in a second: of one member, and of all together. The latter includes sums.
const MEMBER_LINES_PER_SECOND: u32 = 50;
const LINES_PER_SECOND: u32 = 2_000;

const SECOND: Duration = Duration::from_secs(1);

/// The budget of all members.
#[derive(Debug)]
pub(super) struct TrafficLog {
    is_on: bool,
    /// When the next second begins.
    refills_at: Instant,
    /// Counts the seconds, so that each member refills its own budget when it needs it.
    second: u64,
    lines_left: u32,
    /// Whether some member has a sum to write.
    has_sums: bool,
}

/// The budget of one member, and what is in no line yet.
#[derive(Debug, Default)]
pub(super) struct MemberTraffic {
    second: u64,
    lines_taken: u32,
    /// The second of its last move.
    moved_in: Option<u64>,
    received: Sum,
    sent: Sum,
}

/// Datagrams that are in no line yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Their bytes.
    pub bytes: u64,
    /// How many there are.
    pub datagrams: u64,
}

/// Which way a datagram went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the member.
    Received,
    /// To the member.
    Sent,
}

impl Direction {
    /// The verb, its operation, and the preposition before the member.
    pub(super) fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Received => ("received", "read", "from"),
            Self::Sent => ("sent", "write", "to"),
        }
    }
}

impl TrafficLog {
    pub(super) fn new(is_on: bool, now: Instant) -> Self {
        Self {
            is_on,
            refills_at: now + SECOND,
            second: 0,
            lines_left: LINES_PER_SECOND,
            has_sums: false,
        }
    }

    /// Counts a datagram. True if it gets a line of its own; else it is in the next sum.
    pub(super) fn count(
        &mut self,
        member: &mut MemberTraffic,
        direction: Direction,
        bytes: usize,
    ) -> bool {
        if !self.is_on {
            return false;
        }
        if member.second != self.second {
            (member.second, member.lines_taken) = (self.second, 0);
        }
        if member.lines_taken < MEMBER_LINES_PER_SECOND && self.lines_left > 0 {
            member.lines_taken += 1;
            self.lines_left -= 1;
            return true;
        }
        let sum = member.sum_mut(direction);
        sum.bytes += bytes as u64;
        sum.datagrams += 1;
        self.has_sums = true;
        false
    }

    /// Whether a line says that the member has moved: one in a second does.
    pub(super) fn admits_move(&self, member: &mut MemberTraffic) -> bool {
        member.moved_in.replace(self.second) != Some(self.second)
    }

    /// When the next second has to begin, because sums wait for it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.has_sums.then_some(self.refills_at)
    }

    /// Begins the next second, if it is time. True if sums are to be written.
    pub(super) fn refill(&mut self, now: Instant) -> bool {
        if now < self.refills_at {
            return false;
        }
        self.refills_at = now + SECOND;
        self.second += 1;
        self.lines_left = LINES_PER_SECOND;
        std::mem::take(&mut self.has_sums)
    }

    /// The member's sums, as far as the budget has lines for them.
    pub(super) fn take_sums(&mut self, member: &mut MemberTraffic) -> Vec<(Direction, Sum)> {
        let mut sums = Vec::new();
        for direction in [Direction::Received, Direction::Sent] {
            let sum = member.sum_mut(direction);
            if sum.datagrams > 0 && self.lines_left > 0 {
                self.lines_left -= 1;
                sums.push((direction, std::mem::take(sum)));
            }
            self.has_sums |= member.sum_mut(direction).datagrams > 0;
        }
        sums
    }
}

impl MemberTraffic {
    /// What is in no line yet, for the member's last ones. They are written whatever the budget is.
    pub(super) fn take_last_sums(&mut self) -> impl Iterator<Item = (Direction, Sum)> + use<> {
        let sums = [
            (Direction::Received, std::mem::take(&mut self.received)),
            (Direction::Sent, std::mem::take(&mut self.sent)),
        ];
        sums.into_iter().filter(|(_, sum)| sum.datagrams > 0)
    }

    fn sum_mut(&mut self, direction: Direction) -> &mut Sum {
        match direction {
            Direction::Received => &mut self.received,
            Direction::Sent => &mut self.sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_gets_50_lines_a_second_and_a_sum() {
        let now = Instant::now();
        let (mut log, mut member) = (TrafficLog::new(true, now), MemberTraffic::default());
        let lines = (0..80)
            .filter(|_| log.count(&mut member, Direction::Sent, 100))
            .count();
        assert_eq!((lines, log.deadline()), (50, Some(now + SECOND)));
        assert!(!log.refill(now + SECOND / 2));
        assert!(log.refill(now + SECOND));
        let sum = Sum {
            bytes: 3_000,
            datagrams: 30,
        };
        assert_eq!(log.take_sums(&mut member), [(Direction::Sent, sum)]);
        assert_eq!(log.deadline(), None);
        assert!(log.count(&mut member, Direction::Sent, 100));
    }

    #[test]
    fn all_members_together_get_2_000_lines_and_the_bytes_add_up() {
        let mut now = Instant::now();
        let mut log = TrafficLog::new(true, now);
        let mut members: Vec<_> = (0..3_000).map(|_| MemberTraffic::default()).collect();
        let (mut lines, mut logged) = (0, 0);
        for member in &mut members {
            if log.count(member, Direction::Received, 7) {
                (lines, logged) = (lines + 1, logged + 7);
            }
        }
        assert_eq!(lines, LINES_PER_SECOND);
        while log.deadline().is_some() {
            now += SECOND;
            assert!(log.refill(now));
            let sums = members.iter_mut().map(|member| log.take_sums(member));
            let sums: Vec<_> = sums.collect::<Vec<_>>().concat();
            assert!(sums.len() <= LINES_PER_SECOND as usize);
            logged += sums.iter().map(|(_, sum)| sum.bytes).sum::<u64>();
        }
        assert_eq!(logged, 3_000 * 7);
    }
}
