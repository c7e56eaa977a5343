//! Sessions as a table for people. Where it is shown is not known here.

use std::fmt;

use proto::Escaped;
use proto::auth::SessionInfo;
use time::OffsetDateTime;

/// One session a line, under a heading.
pub(crate) struct Table<'a>(pub(crate) &'a [SessionInfo]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.0.iter().map(Row::of).collect();
        let widest = |cell: fn(&Row) -> &str, heading: &str| {
            let widths = rows.iter().map(|row| cell(row).chars().count());
            widths.fold(heading.len(), usize::max)
        };
        let id = widest(|row| &row.id, "ID");
        let address = widest(|row| &row.address, "ADDRESS");
        let (opened, seen) = ("OPENED (UTC)", "LAST SEEN (UTC)");
        write!(
            f,
            "{:id$}  {:address$}  {opened:19}  {seen}",
            "ID", "ADDRESS"
        )?;
        for row in &rows {
            let Row {
                id: name,
                address: from,
                opened,
                seen,
                mark,
            } = row;
            write!(
                f,
                "\n{name:id$}  {from:address$}  {opened:19}  {seen}{mark}"
            )?;
        }
        Ok(())
    }
}

struct Row {
    id: String,
    address: String,
    opened: String,
    seen: String,
    mark: &'static str,
}

impl Row {
    fn of(session: &SessionInfo) -> Self {
        Self {
            id: Escaped::new(&session.id).to_string(),
            address: session.address.to_string(),
            opened: moment(session.created_at),
            seen: moment(session.last_seen),
            mark: if session.current { "  this one" } else { "" },
        }
    }
}

/// `2026-11-23 01:46:26`, or the seconds where there is no such year.
fn moment(unix_seconds: u64) -> String {
    let known = i64::try_from(unix_seconds).ok();
    match known.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()) {
        Some(time) => {
            let (date, time) = (time.date(), time.time());
            let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
            let (hour, minute, second) = time.as_hms();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        None => unix_seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_their_headings() {
        let session = |id: &str, address: &str, created_at, current| SessionInfo {
            id: id.into(),
            address: address.parse().unwrap(),
            created_at,
            last_seen: created_at + 61,
            current,
        };
        let sessions = [
            session("pX4v0sYcQ1zB", "192.0.2.7", 1_789_998_200, false),
            session("\u{1b}[2J", "2001:db8::7", u64::MAX - 61, true),
        ];
        let expected = "\
ID            ADDRESS      OPENED (UTC)         LAST SEEN (UTC)
pX4v0sYcQ1zB  192.0.2.7    2026-09-21 13:43:20  2026-09-21 13:44:21
\\x1b[2J       2001:db8::7  18446744073709551554  18446744073709551615  this one";
        assert_eq!(Table(&sessions).to_string(), expected);
    }
}
