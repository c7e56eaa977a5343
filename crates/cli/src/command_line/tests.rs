use clap::{Args, Subcommand};

use super::*;

const PROGRAM: Program = Program {
    name: "test-program",
    default_port: 9790,
};

#[derive(Parser, Debug)]
struct Chat {
    #[command(subcommand)]
    command: ChatCommand,
}

#[derive(Subcommand, Debug)]
enum ChatCommand {
    /// Serves
    Serve(Serve),
}

#[derive(Parser, Debug)]
#[command(mut_args(|arg| arg.global(true)))]
struct Client {
    #[command(subcommand)]
    command: Option<ClientCommand>,
    #[command(flatten)]
    tcp: crate::TcpClientFlags,
}

#[derive(Subcommand, Debug)]
enum ClientCommand {
    /// Ends a session
    Revoke { id: String },
}

fn client(arguments: &[&str]) -> Result<Client, clap::Error> {
    PROGRAM.try_parse_from([&["test-program"], arguments].concat())
}

#[test]
fn a_server_is_given_after_the_command() {
    for arguments in [
        &["revoke", "7", "[::1]:1"][..],
        &["revoke", "7", "--host=::1", "-p1"],
        &["-H", "::1", "revoke", "7", "--port", "1"],
    ] {
        let client = client(arguments).unwrap();
        let Some(ClientCommand::Revoke { id }) = client.command else {
            panic!("no command");
        };
        assert_eq!(id, "7");
        let endpoint = client.tcp.client.endpoint_without_asking(&PROGRAM);
        assert_eq!(endpoint.unwrap().to_string(), "[::1]:1");
    }
    assert!(
        client(&["localhost:1"])
            .unwrap()
            .tcp
            .client
            .address
            .is_some()
    );
    let mistyped = client(&["revok"]).unwrap_err();
    assert_eq!(mistyped.exit_code(), 2);
    assert!(mistyped.to_string().contains("there is no command revok"));
}

#[test]
fn the_help_of_a_command_has_an_example_and_no_shared_flags() {
    let help = client(&["revoke", "--help"]).unwrap_err().to_string();
    assert!(
        help.contains("Example: test-program revoke ID 192.0.2.7:9790"),
        "{help}"
    );
    assert!(help.contains("test-program --help"), "{help}");
    assert!(!help.contains("--timeout"), "{help}");
    assert!(
        client(&["--help"])
            .unwrap_err()
            .to_string()
            .contains("--timeout")
    );
}

#[test]
fn line_ends_in_values_are_refused_and_shown_escaped() {
    let refused = parse(&["--log-file=my.log\r"]).unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    let words = refused.to_string();
    assert!(
        words.contains(r#"an argument contains a line end: "--log-file=my.log\r""#),
        "{words}"
    );
    let words = parse(&["--log-level=\u{202e}x"]).unwrap_err().to_string();
    assert!(words.contains(r"'\u{202e}x'"), "{words}");
}

#[test]
fn tips_are_escaped_too() {
    let refused = PROGRAM.try_parse_from::<Client>(["test-program", "--x\u{202e}y"]);
    let words = refused.unwrap_err().to_string();
    assert!(words.contains(r"'-- --x\u{202e}y'"), "{words}");
    assert!(!words.contains('\u{202e}'), "{words}");
    let refused = PROGRAM.try_parse_from::<Client>(["test-program", "--x\x1b[2Jy"]);
    let coloured = refused.unwrap_err().render().ansi().to_string();
    assert!(coloured.contains("'-- --x"), "{coloured}");
    assert!(!coloured.contains("\x1b[2J"), "{coloured}");
}

#[derive(Args, Debug)]
#[command(mut_arg("max_clients", |arg| arg.default_value("1000")))]
struct Serve {
    #[command(flatten)]
    server: crate::ServerFlags,
    /// Shows each datagram
    #[arg(long)]
    trace: bool,
}

fn parse(arguments: &[&str]) -> Result<Serve, clap::Error> {
    let arguments = [&["test-program", "serve"], arguments].concat();
    let Chat {
        command: ChatCommand::Serve(serve),
    } = PROGRAM.try_parse_from(arguments)?;
    Ok(serve)
}

#[test]
fn help_shows_what_the_program_defaults_to() {
    let help = parse(&["--help"]).unwrap_err();
    assert_eq!(help.exit_code(), 0);
    let help = help.to_string();
    for expected in [
        "Serves",
        "test-program serve",
        "[default: 9790]",
        "[default: logs/test-program.log]",
        "[default: 1000]",
        "LAB_TEST_PROGRAM_PROMPT",
    ] {
        assert!(help.contains(expected), "{expected} in {help}");
    }
    assert!(!help.contains("[env"), "{help}");
}

#[test]
fn a_default_can_differ_by_program() {
    assert_eq!(parse(&[]).unwrap().server.max_clients, 1000);
    assert_eq!(parse(&["--max-clients=3"]).unwrap().server.max_clients, 3);
    for wrong in [
        &["--max-clients=0"],
        &["--port=99999"],
        &["--prompt=maybe"],
        &["--log-level=off"],
        &["--log-max-mib=-1"],
    ] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
    let version = parse(&["--version"]).unwrap_err();
    assert!(version.to_string().contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_bad_number_is_reported_in_a_users_words() {
    for (value, advice) in [
        ("abc", "give a whole number"),
        ("0.5", "give a whole number"),
        ("99999999999999999999", "the number is too large"),
    ] {
        let error = client(&["--timeout", value]).unwrap_err().to_string();
        let expected = format!("invalid value '{value}' for '--timeout <SECONDS>': {advice}\n");
        assert!(error.contains(&expected), "{error}");
        assert!(error.contains("--help"), "{error}");
    }
}
