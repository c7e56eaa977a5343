//! What was acknowledged is on disk; what the disk does not take is reported.

use std::fs;

use serde_json::json;
#[cfg(target_os = "linux")]
use testbed::{Resource, in_parallel};

use crate::server::{DATA_FILE, Server, program, welcome};

#[test]
fn a_restart_remembers() {
    let server = Server::start(&[]);
    server.register("127.0.0.1", "Аня");
    let mut client = server.register("127.0.0.2", "Bo");
    client.ask(r#"{"type":"rename","name":"Carl"}"#);
    let mut gone = server.register("127.0.0.3", "Dora");
    gone.ask(r#"{"type":"forget"}"#);
    let folder = server.stop();

    let server = Server::start_in(&folder);
    server.greet("127.0.0.1", "Аня");
    server.greet("127.0.0.2", "Carl");
    server.register("127.0.0.3", "Eve");
}

/// A server whose files end after 512 to 1,024 bytes, as on a full disk: shells count in blocks of either.
#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn a_full_disk_is_reported_and_survived() {
    let program = program().args(["--log-to", "console"]);
    let server = Server::run(&program.prelude("trap '' XFSZ; ulimit -f 1"));

    let name = "x".repeat(60);
    let mut stored = 0;
    let mut refused = loop {
        let mut client = server.connect_from(&format!("127.0.0.{}", stored + 1));
        client.hear();
        let reply = client.ask(json!({"type": "name", "name": name}));
        if reply != welcome(&name) {
            assert_eq!(reply["code"], "unavailable", "{reply}");
            break client;
        }
        stored += 1;
        assert!(stored < 20, "the disk is never full");
    };
    assert!(stored > 3, "{stored}");
    // It goes on with what needs no disk, and reports again what does.
    refused.refused(r#"{"type":"whoami"}"#, "not_known");
    refused.refused(json!({"type": "name", "name": name}), "unavailable");
    let mut known = server.greet("127.0.0.1", &name);
    let rename = json!({"type": "rename", "name": "y".repeat(64)}).to_string();
    known.refused(&rename, "unavailable");
    assert_eq!(known.ask(r#"{"type":"whoami"}"#)["name"], name);
    let warning = server.running.wait_for_stderr_line(" [WARN] ");
    assert!(warning.contains("cannot do what 127.0.0."), "{warning}");
    assert!(
        warning.contains("data/clients.jsonl: file too large"),
        "{warning}"
    );

    // Whole lines, and with room again all goes on.
    let folder = server.stop();
    let lines = fs::read_to_string(folder.join(DATA_FILE)).unwrap();
    assert!(
        lines.ends_with("}\n") && lines.lines().count() == stored,
        "{lines}"
    );
    let server = Server::start_in(&folder);
    for client in 0..stored {
        server.greet(&format!("127.0.0.{}", client + 1), &name);
    }
    server.register(&format!("127.0.0.{}", stored + 1), &name);
}

/// What became of the names that one thread gives, at addresses of its own.
#[cfg(target_os = "linux")]
struct Street {
    addresses: Vec<String>,
    stored: Vec<String>,
    refused: Vec<String>,
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_under_load_takes_more_as_soon_as_there_is_room() {
    let program = program().args(["--log-to", "console"]);
    let server = Server::run(&program.prelude("trap '' XFSZ"));
    server.running.restrict(Resource::Fsize, Some(4_096));
    let name = |address: &str| format!("{address} {}", "x".repeat(48));
    let mut streets: Vec<_> = (0..16)
        .map(|street| Street {
            addresses: (1..=10).map(|n| format!("127.3.{street}.{n}")).collect(),
            stored: vec![],
            refused: vec![],
        })
        .collect();
    in_parallel(&mut streets, |street| {
        for address in street.addresses.drain(..) {
            let name = name(&address);
            let mut client = server.connect_from(&address);
            assert_eq!(client.hear(), json!({"type": "who_are_you"}));
            let reply = client.ask(json!({"type": "name", "name": name}));
            // Either way the dialogue goes on.
            if reply == welcome(&name) {
                assert_eq!(client.ask(r#"{"type":"whoami"}"#)["name"], name);
                street.stored.push(address);
            } else {
                assert_eq!(reply["code"], "unavailable", "{reply}");
                client.refused(r#"{"type":"whoami"}"#, "not_known");
                street.refused.push(address);
            }
        }
    });
    let stored: usize = streets.iter().map(|street| street.stored.len()).sum();
    // A line takes some 100 bytes; the lines of one write that does not fit, at most one a thread, are refused
    // together.
    assert!((20..50).contains(&stored), "{stored}");
    let data = fs::read_to_string(server.folder().join(DATA_FILE)).unwrap();
    assert!(
        data.ends_with("}\n") && data.lines().count() == stored,
        "{data}"
    );
    for address in streets.iter().flat_map(|street| &street.stored) {
        server.greet(address, &name(address));
    }

    server.running.restrict(Resource::Fsize, None);
    in_parallel(&mut streets, |street| {
        for address in &street.refused {
            server.register(address, &name(address));
        }
    });
    let folder = server.stop();
    let server = Server::start_in(&folder);
    in_parallel(&mut streets, |street| {
        for address in street.stored.iter().chain(&street.refused) {
            server.greet(address, &name(address));
        }
    });
}

#[cfg(unix)]
#[test]
fn a_data_file_that_others_could_change_becomes_private_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Server::start(&[]).stop();
    let path = folder.join(DATA_FILE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let server = Server::start_in(&folder);
    let warning = server.log().wait_for("other users could read or change it");
    assert!(
        warning.contains("WARN") && warning.contains("(mode 0666); now its mode is 0600"),
        "{warning}"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
