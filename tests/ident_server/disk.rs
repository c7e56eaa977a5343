//! What was acknowledged is on disk; what the disk does not take is told.

use std::fs;

use serde_json::json;
use testbed::Program;

use crate::server::{DATA_FILE, Server, welcome};

#[test]
fn a_restart_remembers() {
    let server = Server::start(&[]);
    server.register("127.0.0.1", "Аня");
    let mut client = server.register("127.0.0.2", "Bo");
    client.say(r#"{"type":"rename","name":"Carl"}"#);
    let mut gone = server.register("127.0.0.3", "Dora");
    gone.say(r#"{"type":"forget"}"#);
    let folder = server.folder().clone();
    server.stop();

    let server = Server::start_in(&folder);
    server.greet("127.0.0.1", "Аня");
    server.greet("127.0.0.2", "Carl");
    server.register("127.0.0.3", "Eve");
}

/// A server whose files end after 512 to 1,024 bytes, as on a full disk: shells count in blocks of either.
#[test]
fn a_full_disk_is_told_and_survived() {
    let script = r#"trap "" XFSZ; ulimit -f 1; exec "$0" "$@""#;
    let binary = env!("CARGO_BIN_EXE_ident-server");
    let running = Program::new("sh")
        .args(["-c", script, binary, "--port", "0", "--log-to", "console"])
        .spawn();
    let line = running.next_line();
    let address = line.strip_prefix("ident-server listening on ").unwrap();
    let address = address.parse().unwrap();
    let server = Server { running, address };

    let name = "x".repeat(60);
    let mut stored = 0;
    let mut refused = loop {
        let mut client = server.connect(&format!("127.0.0.{}", stored + 1));
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
    // It goes on with what needs no disk, and tells again of what does.
    refused.refused(r#"{"type":"whoami"}"#, "not_known");
    refused.refused(
        &json!({"type": "name", "name": name}).to_string(),
        "unavailable",
    );
    let mut known = server.greet("127.0.0.1", &name);
    let rename = json!({"type": "rename", "name": "y".repeat(64)}).to_string();
    known.refused(&rename, "unavailable");
    assert_eq!(known.say(r#"{"type":"whoami"}"#)["name"], name);
    let warning = server.running.wait_for_stderr_line(" WARN ");
    assert!(warning.contains("cannot do what 127.0.0."), "{warning}");
    assert!(
        warning.contains("data/clients.jsonl: File too large"),
        "{warning}"
    );

    // Whole lines, and with room again all goes on.
    let folder = server.folder().clone();
    server.stop();
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
