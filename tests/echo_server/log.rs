//! The service messages: what they say, how a line looks, and where it goes.

use std::io::{Read, Write};
use std::ops::Range;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use proto::FramedSocket;
use testbed::{Folder, in_parallel};

use crate::server::{Server, echo_server, expect_echo, rest};

/// The messages of a log, each line of which must be stamped with UTC milliseconds, a level and `pid`.
fn messages(log: &str, pid: u32) -> Vec<&str> {
    log.lines()
        .map(|line| {
            let shape: String = line
                .chars()
                .take(24)
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect();
            assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{line}");
            let rest = line[24..].strip_prefix(&format!(" {pid} "));
            let rest = rest.unwrap_or_else(|| panic!("no process id: {line}"));
            let (level, message) = rest.split_at(7);
            assert!(["[INFO] ", "[WARN] "].contains(&level), "{line}");
            message
        })
        .collect()
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn the_seven_events_are_reported_and_explained() {
    let server = Server::start(&[]);
    let (pid, listening) = (server.pid(), server.address);
    let mut client = server.connect();
    let peer = client.local_addr().unwrap();
    expect_echo(&mut client, "Привет");
    client.send_text("exit").unwrap();
    assert_eq!(rest(&mut client), b"");
    drop(client);
    server.log().wait_for("client disconnected");
    let server_log = server.log().path().canonicalize().unwrap();
    let finished = server.stop();
    assert_eq!(
        finished.stdout_text(),
        format!("echo-server listening on {listening}\n")
    );
    assert_eq!(
        finished.stderr_text(),
        format!(
            "using the default host 127.0.0.1 (--host)\nservice messages go to {}\n",
            server_log.display()
        )
    );

    let log = finished.log().text();
    let expected = [
        format!("server started: echo-server {}", env!("CARGO_PKG_VERSION")),
        "up to ".to_owned(),
        format!("listening on {listening}"),
        "gives back messages of up to 1048576 bytes".to_owned(),
        format!("client connected: {peer} (connection 1), 1 connected now"),
        format!("received 16 bytes from {peer} (connection 1): 1 message"),
        format!("sent 16 bytes to {peer} (connection 1): 1 message"),
        format!("received 8 bytes from {peer} (connection 1): 1 message"),
        format!(
            "client disconnected: {peer} (connection 1): the client said exit; received 24 bytes in 2 messages, sent \
             16 bytes in 1 message, in "
        ),
        "server stopped: served 1 client, received 24 bytes, sent 16 bytes, in ".to_owned(),
    ];
    let messages = messages(&log, pid);
    assert_eq!(messages.len(), expected.len(), "{log}");
    for (message, expected) in messages.iter().zip(&expected) {
        assert!(message.starts_with(expected), "{message}\n{expected}");
    }
}

#[test]
fn times_are_in_utc_wherever_the_server_is() {
    // Nine hours east of Greenwich.
    let server = Server::spawn(&echo_server().args(["--port", "0"]).env("TZ", "JST-9"));
    let line = server.log().wait_for("listening on");
    let of_day = |range: Range<usize>| line[range].parse::<u64>().unwrap();
    let logged = (of_day(11..13) * 60 + of_day(14..16)) * 60 + of_day(17..19);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let age = (now.as_secs() + 86_400 - logged) % 86_400;
    assert!(age < 3600, "{line}: {age} s ago");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn every_connection_has_a_number_and_messages_are_counted() {
    let server = Server::start(&[]);
    let clients: Vec<_> = (1..=3)
        .map(|number| {
            let mut client = server.connect();
            expect_echo(&mut client, "hello");
            let line = server.log().wait_for(&format!("(connection {number}), "));
            let peer = client.local_addr().unwrap();
            let reported =
                format!("client connected: {peer} (connection {number}), {number} connected now");
            assert!(line.ends_with(&reported), "{line}");
            client
        })
        .collect();
    // Two messages that come together are one read and one write.
    (&clients[0]).write_all(b"\0\0\0\x01a\0\0\0\x02bc").unwrap();
    server.log().wait_for("received 11 bytes from");
    let line = server.log().wait_for("sent 11 bytes to");
    assert!(line.ends_with("(connection 1): 2 messages"), "{line}");
    drop(clients);
    let log = server.stop().log();
    assert_eq!(log.lines_with("client disconnected").len(), 3);
    log.wait_for("server stopped: served 3 clients, received 38 bytes, sent 38 bytes, in ");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn the_log_goes_where_the_flags_say() {
    let folder = Folder::new();
    for (to, in_file, on_console) in [
        ("file", true, false),
        ("console", false, true),
        ("both", true, true),
    ] {
        let path = format!("deep/folder/{to}.log");
        let program = echo_server().in_folder(&folder).args([
            "--port",
            "0",
            "--log-to",
            to,
            "--log-file",
            &path,
        ]);
        let finished = Server::spawn(&program).stop();
        let file = folder.log(&path);
        let console = finished.stderr_text();
        for event in [
            "] server started: ",
            "] listening on ",
            "] server stopped: ",
        ] {
            assert_eq!(
                file.text().contains(event),
                in_file,
                "{to}, {event}: {}",
                file.text()
            );
            assert_eq!(
                console.contains(event),
                on_console,
                "{to}, {event}: {console}"
            );
        }
        let where_it_goes = format!("/{path}\n");
        assert_eq!(console.contains("service messages go to /"), in_file);
        assert_eq!(console.contains(&where_it_goes), in_file, "{console}");
        assert_eq!(file.path().exists(), in_file);
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn a_second_start_appends() {
    let folder = Folder::new();
    let program = echo_server().in_folder(&folder).args(["--port", "0"]);
    for starts in 1..=2 {
        Server::spawn(&program).stop();
        let log = folder.log("logs/echo-server.log");
        assert_eq!(log.lines_with("server started").len(), starts);
        assert_eq!(log.lines_with("server stopped").len(), starts);
    }
}

#[test]
fn servers_that_share_a_log_keep_its_lines_whole() {
    // As many lines of this level as may be logged at once.
    const EXCHANGES: usize = 300;
    let folder = Folder::new();
    let program = echo_server().args(["--port", "0", "--log-level", "debug"]);
    let program = program.in_folder(&folder);
    let mut servers = [(), ()].map(|()| Server::spawn(&program));
    in_parallel(&mut servers, |server| {
        let mut client = server.connect();
        for _ in 0..EXCHANGES {
            expect_echo(&mut client, &"ж".repeat(300));
        }
    });
    let log = folder.log("logs/echo-server.log");
    log.wait_for_nth(2, "client disconnected");
    let text = log.text();
    let [first, second] = servers.map(|server| format!(" {} [", server.pid()));
    let (first, second): (Vec<_>, Vec<_>) = {
        let is_whole =
            |line: &&str| line[24..].starts_with(&first) || line[24..].starts_with(&second);
        assert!(text.lines().all(|line| is_whole(&line)), "{text}");
        text.lines()
            .partition(|line| line[24..].starts_with(&first))
    };
    for lines in [first, second] {
        let logged = lines
            .iter()
            .filter(|line| line.contains("] message of 600 bytes: \""));
        assert_eq!(logged.count(), EXCHANGES, "{text}");
    }
}

#[test]
fn a_level_leaves_out_what_is_less_severe() {
    let server = Server::start(&["--log-level", "warn"]);
    expect_echo(&mut server.connect(), "hello");
    assert_eq!(server.stop().log().text(), "");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn past_its_longest_a_new_file_begins_and_no_line_is_lost() {
    let folder = Folder::new();
    let old = folder.log("logs/echo-server.log.1");
    std::fs::create_dir(folder.join("logs")).unwrap();
    let almost_full = "a line of an earlier run\n".repeat(41_000);
    std::fs::write(folder.join("logs/echo-server.log"), &almost_full).unwrap();
    let flags = ["--port", "0", "--log-max-mib", "1", "--log-level", "debug"];
    let server = Server::spawn(&echo_server().args(flags).in_folder(&folder));
    let mut client = server.connect();
    // Enough to fill the file, and fewer than the 1,000 lines of this level that may be logged at once.
    let exchanges = 300;
    for _ in 0..exchanges {
        expect_echo(&mut client, &"ж".repeat(300));
    }
    drop(client);
    server.log().wait_for("client disconnected");
    let finished = server.stop();
    let (old, new) = (old.text(), finished.log().text());
    assert!(old.len() >= 1 << 20, "{}", old.len());
    let event = "] message of ";
    let lines = old.matches(event).count() + new.matches(event).count();
    assert_eq!(lines, exchanges);
    assert_eq!((old + &new).matches("] server st").count(), 2);
}

#[test]
fn lines_about_single_messages_cannot_flood_the_log() {
    let server = Server::start(&["--log-level", "debug", "--raw"]);
    let mut client = server.connect();
    let started = Instant::now();
    for _ in 0..4000 {
        client.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    drop(client);
    server.log().wait_for("client disconnected");
    let seconds = started.elapsed().as_secs_f64();
    let lines = server.log().lines_with("] portion of 1 bytes: \"x\"").len();
    assert!(lines >= 1000, "{lines}");
    let most = 1000.0 + 200.0 * (seconds + 1.0);
    assert!(lines as f64 <= most, "{lines} lines in {seconds} s");
}

#[cfg(unix)]
#[test]
fn a_log_that_was_moved_away_is_made_again_at_sighup() {
    let server = Server::start(&[]);
    let log = server.log();
    log.wait_for("listening on");
    let moved = log.path().with_extension("moved");
    std::fs::rename(log.path(), &moved).unwrap();
    expect_echo(&mut server.connect(), "before");
    server.signal(testbed::Signal::HUP);
    while !log.path().exists() {
        std::thread::yield_now();
    }
    log.wait_for("log files reopened");
    expect_echo(&mut server.connect(), "after");
    let finished = server.stop();
    assert!(finished.log().text().contains("server stopped"));
    let moved = std::fs::read_to_string(moved).unwrap();
    assert!(!moved.contains("server stopped"), "{moved}");
}
