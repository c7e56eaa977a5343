//! Counts the lines of a log that a client can cause without end.

use testbed::Folder;

/// Lines about one network: 500 at once, then 100 a second and a sum. The last sum comes with the stop.
#[track_caller]
pub fn expect_budgeted(folder: &Folder, log: &str, label: &str, events: usize, seconds: u64) {
    let lines = folder.log(log).lines_with(label);
    let most = 500 + 101 * (seconds as usize + 1) + 1;
    assert!(lines.len() <= most, "{} lines: {label}", lines.len());
    let reported: usize = lines.iter().map(|line| events_of(line)).sum();
    assert_eq!(reported, events, "{label}");
}

/// How many events a line reports: 1, or as many as in `greeted: 57 more from 127.0.0.1`.
pub fn events_of(line: &str) -> usize {
    let sum = line.split_once(" more from ");
    sum.map_or(1, |(before, _)| {
        before.rsplit(' ').next().unwrap().parse().unwrap()
    })
}
