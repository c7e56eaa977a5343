//! Members in Python, written from CHAT.md alone, and ours, in one room of the real server, on a
//! network that loses, doubles and reorders.

use std::net::SocketAddr;
use std::time::Duration;

use testbed::{Folder, NetProfile, Program, Relay, Running, python};

const GOOD_NETWORK: NetProfile = NetProfile {
    loss: 0.0,
    duplicated: 0.0,
    delay: Duration::ZERO,
    jitter: Duration::ZERO,
};
const BAD_NETWORK: NetProfile = NetProfile {
    loss: 0.15,
    duplicated: 0.1,
    delay: Duration::from_millis(5),
    jitter: Duration::from_millis(20),
};

fn chat() -> Program {
    Program::new(env!("CARGO_BIN_EXE_udp-chat"))
}

fn server() -> Running {
    chat().args(["serve", "--port", "0"]).spawn()
}

/// A member in Python, once it has joined.
fn in_python(at: SocketAddr, nick: &str) -> Option<Running> {
    let member = python("chat.py")?
        .args(["--port", &at.port().to_string(), "--nick", nick])
        .stdin_pipe()
        .spawn();
    member.wait_for_stderr(&format!("joined as {nick}"));
    Some(member)
}

fn in_rust(at: SocketAddr, nick: &str) -> Running {
    chat()
        .args(["join", "--port", &at.port().to_string(), "--nick", nick])
        .stdin_pipe()
        .spawn()
}

/// Lines of all lengths, up to the longest that a member may write.
fn lines() -> Vec<String> {
    let mut lines = vec![
        "Привет 🙂".to_owned(),
        "ж".repeat(2_048),
        r#""\"#.repeat(1_024),
        "🙂".repeat(1_024),
    ];
    lines.extend((0..10).map(|number| format!("line {number}")));
    lines
}

#[test]
fn both_implementations_understand_each_other_on_a_bad_network() {
    let server = server();
    let relay = Relay::start(server.await_address(), GOOD_NETWORK, 6);
    let Some(mut anya) = in_python(relay.address(), "Аня") else {
        return;
    };
    relay.set_profile(BAD_NETWORK);
    let mut boris = in_rust(relay.address(), "Борис");
    assert_eq!(anya.next_line(), "* Борис joined");

    let text = lines().join("\n") + "\n";
    anya.write_stdin(text.clone());
    boris.write_stdin(text);
    for line in lines() {
        assert_eq!(anya.next_line(), format!("<Борис> {line}"));
        assert_eq!(boris.next_line(), format!("<Аня> {line}"));
    }

    anya.write_stdin("/me waves\n/msg Борис psst\n/nick Anna\n");
    assert_eq!(boris.next_line(), "** Аня waves");
    assert_eq!(boris.next_line(), "[Аня] psst");
    assert_eq!(boris.next_line(), "* Аня is now Anna");
    boris.write_stdin("/me waves back\n/msg Anna psst\n/nick Bob\n");
    assert_eq!(anya.wait_for_line("** "), "** Борис waves back");
    assert_eq!(anya.next_line(), "[Борис] psst");
    assert_eq!(anya.next_line(), "* Борис is now Bob");

    boris.close_stdin();
    boris.wait().expect_success();
    assert_eq!(anya.next_line(), "* Bob left (quit)");
    anya.close_stdin();
    anya.wait().expect_success();
}

#[test]
fn a_nick_that_is_taken_is_refused() {
    let server = server();
    let address = server.await_address();
    let Some(_anya) = in_python(address, "Аня") else {
        return;
    };
    let second = python("chat.py").map(|member| {
        let port = address.port().to_string();
        member.args(["--port", &port, "--nick", "аня"]).output()
    });
    let second = second.expect("python was there a moment ago");
    let second = second.expect_code(1);
    assert!(second.stderr_text().contains("nick_taken"));
}

#[test]
fn a_member_in_python_goes_on_from_another_port() {
    let server = server();
    let relay = Relay::start(server.await_address(), GOOD_NETWORK, 6);
    let Some(anya) = in_python(relay.address(), "Аня") else {
        return;
    };
    let Some(vera) = in_python(relay.address(), "Вера") else {
        return;
    };
    relay.rebind();
    anya.write_stdin("still here\n");
    assert_eq!(anya.next_line(), "* Вера joined");
    vera.write_stdin("/hop\nme too\n");
    assert_eq!(vera.next_line(), "<Аня> still here");
    assert_eq!(anya.next_line(), "<Вера> me too");
}

#[test]
fn a_member_in_python_comes_back_to_a_server_that_was_started_anew() {
    let folder = Folder::new();
    let in_folder = || {
        chat()
            .in_folder(&folder)
            .args(["serve", "--port", "0"])
            .spawn()
    };
    let first = in_folder();
    let relay = Relay::start(first.await_address(), GOOD_NETWORK, 6);
    let Some(anya) = in_python(relay.address(), "Аня") else {
        return;
    };
    anya.write_stdin("heard\n");
    let Some(witness) = in_python(relay.address(), "Вера") else {
        return;
    };
    assert_eq!(witness.next_line(), "| <Аня> heard");
    drop(witness);
    first.kill();
    // The same identity, so it can say at once that it does not know the session.
    let second = in_folder();
    relay.set_server(second.await_address());
    anya.write_stdin("unheard\n");
    anya.wait_for_stderr("joined as Аня");
    assert_eq!(anya.wait_for_line("! "), "! not confirmed: unheard");
    let boris = in_rust(relay.address(), "Борис");
    assert_eq!(anya.next_line(), "* Борис joined");
    anya.write_stdin("heard again\n");
    assert_eq!(boris.next_line(), "| <Аня> heard", "the history survives");
    assert_eq!(boris.next_line(), "<Аня> heard again");
    second.terminate();
    let anya = anya.wait().expect_code(1);
    assert!(anya.stderr_text().contains("stopping"));
}
