//! What was acknowledged is on disk; what could not be written is reported.

use std::fs;

#[cfg(unix)]
use testbed::Folder;
#[cfg(target_os = "linux")]
use testbed::{Resource, in_parallel};

use crate::server::{
    PASSWORD, Server, USERS_FILE, change_password, login, plain, program, register, resume,
};

#[test]
fn a_restart_keeps_users_and_sessions() {
    let server = Server::start(&[]);
    let (mut ended, ended_token) = server.register("Anna", PASSWORD);
    let token = server.connect().enter("login", "anna", PASSWORD);
    ended.ask(plain("logout"));
    let folder = server.stop();

    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    assert_eq!(client.ask(resume(&token))["user"], "Anna");
    client.refused(resume(&ended_token), "session_expired");
    client.enter("login", "anna", PASSWORD);
}

/// A server whose files end after 1,024 to 2,048 bytes, as on a full disk: shells count in blocks of either half.
#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn a_full_disk_is_reported_and_survived() {
    let program = program().args(["--log-to", "console"]);
    let server = Server::run(&program.prelude("trap '' XFSZ; ulimit -f 2"));
    let mut client = server.connect();
    let (mut token, mut users) = (String::new(), 0);
    let refused = loop {
        let reply = client.ask(register(&format!("user {users}"), PASSWORD));
        match reply["token"].as_str() {
            Some(new) => token = new.to_owned(),
            None => {
                break reply;
            }
        }
        users += 1;
        assert!(users < 25, "the disk is never full");
    };
    // Either file may be full first; the code says whether anything was done.
    let words = match refused["code"].as_str().unwrap() {
        "unavailable" => "the server cannot do it now; try again later",
        "no_session" => "the user is registered, but no session could be opened; log in later",
        _ => panic!("{refused}"),
    };
    assert_eq!(refused["message"], words);
    // Requests that need no disk succeed, and the others fail again.
    let last = format!("user {}", users - 1);
    client.is(&last);
    let mut other = server.connect();
    assert_eq!(other.ask(resume(&token))["user"], last);
    for _ in 0..9 {
        let reply = other.ask(login(&last, PASSWORD));
        if reply["type"] != "session" {
            assert_eq!(reply["code"], "unavailable", "{reply}");
            break;
        }
    }
    let warning = server.running.wait_for_stderr_line(" [WARN] ");
    assert!(warning.contains("file too large"), "{warning}");

    // Whole lines, and with room again all goes on.
    let folder = server.stop();
    let text = fs::read_to_string(folder.join(USERS_FILE)).unwrap();
    assert!(text.ends_with("}\n"), "{text}");
    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    assert_eq!(client.ask(resume(&token))["user"], last);
    let reply = client.ask(change_password(PASSWORD, "battery staple"));
    assert_eq!(reply["type"], "session", "{reply}");
}

/// The outcomes of the registrations of one thread.
#[cfg(target_os = "linux")]
#[derive(Default)]
struct Queue {
    /// Each has its own, for the attempts of one are limited.
    address: String,
    names: Vec<String>,
    /// With the tokens of their sessions.
    entered: Vec<(String, String)>,
    without_session: Vec<String>,
    refused: Vec<String>,
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_under_load_takes_more_as_soon_as_there_is_room() {
    let program = program().args(["--log-to", "console"]);
    let server = Server::run(&program.prelude("trap '' XFSZ"));
    server.running.restrict(Resource::Fsize, Some(4_096));
    let mut queues: Vec<_> = (0..8)
        .map(|queue| Queue {
            address: format!("127.4.0.{}", 1 + queue),
            names: (0..4)
                .map(|number| format!("user {queue} {number}"))
                .collect(),
            ..Queue::default()
        })
        .collect();
    in_parallel(&mut queues, |queue| {
        let mut client = server.connect_from(&queue.address);
        for name in queue.names.drain(..) {
            let reply = client.ask(register(&name, PASSWORD));
            if let Some(token) = reply["token"].as_str() {
                client.is(&name);
                queue.entered.push((name, token.to_owned()));
                continue;
            }
            match reply["code"].as_str().unwrap() {
                "no_session" => queue.without_session.push(name),
                "unavailable" => queue.refused.push(name),
                _ => panic!("{reply}"),
            }
        }
    });
    let entered: usize = queues.iter().map(|queue| queue.entered.len()).sum();
    assert!((4..28).contains(&entered), "{entered}");
    in_parallel(&mut queues, |queue| {
        for (name, token) in &queue.entered {
            assert_eq!(server.connect().ask(resume(token))["user"], *name);
        }
    });

    server.running.restrict(Resource::Fsize, None);
    let folder = server.folder().clone();
    in_parallel(&mut queues, |queue| {
        let mut client = server.connect_from(&queue.address);
        for (kind, names) in [
            ("login", &queue.without_session),
            ("register", &queue.refused),
        ] {
            for name in names {
                let token = client.enter(kind, name, PASSWORD);
                queue.entered.push((name.clone(), token));
            }
        }
    });
    server.stop();
    let server = Server::start_in(&folder, &[]);
    in_parallel(&mut queues, |queue| {
        for (name, token) in &queue.entered {
            assert_eq!(server.connect().ask(resume(token))["user"], *name);
        }
    });
}

#[cfg(unix)]
#[test]
fn an_unusable_data_file_is_explained_once() {
    let folder = Folder::new();
    fs::write(folder.join("file"), "no folder").unwrap();
    let server = program()
        .args(["--data-file", "file/users"])
        .in_folder(&folder);
    let failed = server.output().expect_code(1);
    let line = failed.stderr_text().lines().last();
    let expected = "auth-server: cannot create the folder of file/users: file is a file, not a folder; move that file \
                    away, or choose another path";
    assert_eq!(line, Some(expected), "{}", failed.stderr_text());
}

#[cfg(unix)]
#[test]
fn a_data_file_that_others_could_change_becomes_private_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Server::start(&[]).stop();
    let path = folder.join(USERS_FILE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let server = Server::start_in(&folder, &[]);
    let warning = server.log().wait_for("other users could read or change it");
    assert!(
        warning.contains("WARN") && warning.contains("(mode 0666); now its mode is 0600"),
        "{warning}"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_log_that_would_destroy_the_servers_files_is_refused() {
    let folder = Server::start(&[]).stop();
    for (log, file) in [
        (USERS_FILE, USERS_FILE),
        ("data/sessions.jsonl", "data/sessions.jsonl"),
        ("data/throttle.jsonl", "data/throttle.jsonl"),
        ("data/./auth-server.identity", "data/auth-server.identity"),
    ] {
        let before = fs::read(folder.join(file)).unwrap();
        let server = program().in_folder(&folder).args(["--log-file", log]);
        let finished = server.output().expect_code(1);
        let reason = "belongs to the program's data; choose another --log-file\n";
        assert!(
            finished.stderr_text().ends_with(reason),
            "{}",
            finished.stderr_text()
        );
        assert_eq!(fs::read(folder.join(file)).unwrap(), before);
    }
}
