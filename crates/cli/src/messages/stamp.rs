//! The time at the start of a log line. Pure: the moment is an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// `2026-11-23T00:15:02.123Z`
const LENGTH: usize = 24;
/// The last second of the year 9999, beyond which a stamp would grow.
const LAST_SECOND: u64 = 253_402_300_799;

/// Formats moments as RFC 3339 in UTC with milliseconds.
///
/// The calendar is worked out once a second; in between only three digits change.
pub(super) struct Stamp {
    second: u64,
    text: [u8; LENGTH],
}

impl Stamp {
    pub(super) fn new() -> Self {
        Self {
            second: 0,
            text: *b"1970-01-01T00:00:00.000Z",
        }
    }

    /// The stamp of `now`. A clock that stands before 1970 or after 9999 shows the nearest of these years.
    pub(super) fn at(&mut self, now: SystemTime) -> &[u8; LENGTH] {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let second = since_epoch.as_secs().min(LAST_SECOND);
        if second != self.second {
            self.second = second;
            self.write_second();
        }
        write_digits(&mut self.text[20..23], since_epoch.subsec_millis());
        &self.text
    }

    fn write_second(&mut self) {
        let moment = OffsetDateTime::from_unix_timestamp(self.second.cast_signed())
            .expect("the years 1970 to 9999 are within the calendar");
        let (date, time) = (moment.date(), moment.time());
        write_digits(&mut self.text[0..4], date.year().unsigned_abs());
        write_digits(&mut self.text[5..7], u8::from(date.month()).into());
        write_digits(&mut self.text[8..10], date.day().into());
        write_digits(&mut self.text[11..13], time.hour().into());
        write_digits(&mut self.text[14..16], time.minute().into());
        write_digits(&mut self.text[17..19], time.second().into());
    }
}

fn write_digits(field: &mut [u8], mut value: u32) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(stamp: &mut Stamp, millis: u64) -> String {
        let text = stamp.at(UNIX_EPOCH + Duration::from_millis(millis));
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn one_stamp_follows_the_clock_forth_and_back() {
        let mut stamp = Stamp::new();
        assert_eq!(shown(&mut stamp, 7), "1970-01-01T00:00:00.007Z");
        assert_eq!(
            shown(&mut stamp, 1_795_392_902_123),
            "2026-11-23T00:15:02.123Z"
        );
        assert_eq!(
            shown(&mut stamp, 1_795_392_902_999),
            "2026-11-23T00:15:02.999Z"
        );
        assert_eq!(
            shown(&mut stamp, 1_795_392_901_998),
            "2026-11-23T00:15:01.998Z"
        );
        assert_eq!(
            shown(&mut stamp, 1_709_164_800_000),
            "2024-02-29T00:00:00.000Z"
        );
    }

    #[test]
    fn impossible_clocks_are_clamped() {
        let mut stamp = Stamp::new();
        assert_eq!(
            stamp.at(UNIX_EPOCH - Duration::from_secs(9)),
            b"1970-01-01T00:00:00.000Z"
        );
        let far = UNIX_EPOCH + Duration::from_secs(LAST_SECOND + 500);
        assert_eq!(stamp.at(far), b"9999-12-31T23:59:59.000Z");
    }

    proptest! {
        #[test]
        fn a_used_stamp_says_what_a_new_one_does(moments in prop::collection::vec(0..4_000_000_000_000u64, 1..20)) {
            let mut used = Stamp::new();
            for moment in moments {
                prop_assert_eq!(shown(&mut used, moment), shown(&mut Stamp::new(), moment));
            }
        }

        #[test]
        fn later_moments_sort_later(a in 0..4_000_000_000_000u64, b in 0..4_000_000_000_000u64) {
            let mut stamp = Stamp::new();
            prop_assert_eq!(shown(&mut stamp, a).cmp(&shown(&mut stamp, b)), a.cmp(&b));
        }
    }
}
