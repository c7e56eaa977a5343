//! Commands on the server's own terminal, and what a person sees there at the end.

use std::net::TcpStream;

use testbed::Program;

use crate::server::echo_server;

const FLAGS: [&str; 4] = ["--host", "127.0.0.1", "--port", "0"];

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn help_lists_commands_and_explains_messages() {
    let terminal = echo_server().args(FLAGS).spawn_in_terminal();
    terminal.expect("echo-server listening on ");
    terminal.type_line("help");
    terminal.expect("stops the server, as Ctrl-C does\n");
    terminal.type_line("help received");
    terminal.expect("received: one `read` from a client's socket");
    terminal.type_line("who");
    terminal.expect("no client is connected\n");
    let shown = terminal.plain();
    let (_, rest) = shown.split_once("echo-server listening on ").unwrap();
    let client = TcpStream::connect(rest.lines().next().unwrap()).unwrap();
    terminal.log().wait_for("client connected");
    terminal.type_line("who");
    terminal.expect(&format!("{} (connection 1)", client.local_addr().unwrap()));
    drop(client);
    terminal.log().wait_for("client disconnected");
    terminal.type_line("stpo");
    terminal.expect("there is no command \"stpo\"; help lists all\n");
    terminal.type_keys("\u{4}");
    terminal.expect("stop or Ctrl-C stops the server\n");
    terminal.type_line("stop");
    terminal.expect("echo-server stopped: served 1 client, ");
    assert!(terminal.wait().success());
    terminal.log().wait_for("server stopped: served 1 client, ");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_background_job_neither_asks_nor_reads() {
    let server = env!("CARGO_BIN_EXE_echo-server");
    let script = r#"set -m; "$0" --port 0 & read line; echo "sh got $line"; kill $!; wait $!"#;
    let terminal = Program::new("sh")
        .args(["-c", script, server])
        .spawn_in_terminal();
    terminal.expect("using the default host 127.0.0.1 (--host)\n");
    terminal.expect("echo-server listening on ");
    terminal.type_line("stop");
    terminal.expect("sh got stop\n");
    terminal.expect("echo-server stopped: ");
    assert!(terminal.wait().success());
}

#[test]
fn other_machines_are_shown_how_to_connect() {
    let server = echo_server().args(["--host", "::", "--port", "0", "--tls", "--raw"]);
    let server = server.spawn();
    let port = server.await_address().port();
    let route = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    if route.connect("192.0.2.1:9").is_err() {
        eprintln!("skipped: this machine has no route to other networks");
        return;
    }
    let own = route.local_addr().unwrap().ip();
    server.wait_for_stderr_line(&format!(
        "on other machines: echo-client --tls --raw {own}:{port}"
    ));
}
