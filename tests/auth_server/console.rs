//! The server in a terminal, where an administrator types commands.

use std::fs;

use testbed::Folder;

use crate::dialogue_client::Client;
use crate::server::{PASSWORD, SESSIONS_FILE, USERS_FILE, login, plain, program, resume};

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn an_administrator_manages_users_while_the_server_runs() {
    let folder = Folder::new();
    let server = program().args(["--prompt", "never"]).in_folder(&folder);
    let server = server.spawn_in_terminal();
    server.expect("listening on 127.0.0.1:");
    server.expect("\n");
    let screen = server.plain();
    let (_, address) = screen.split_once("listening on ").unwrap();
    let address = address.lines().next().unwrap().parse().unwrap();
    let mut client = Client::connect(address, "127.0.0.1");
    server.type_line("users");
    server.expect("there are no users yet\n");
    let token = client.enter("register", "Аня", PASSWORD);
    client.enter("register", "Bo", PASSWORD);
    server.type_line("users");
    server.expect("Bo\nАня\n");

    server.type_line("sessions аня");
    server.expect(" from 127.0.0.1, opened ");
    server.type_line("logout аня");
    server.expect("ended all sessions of Аня, 1 in all\n");
    client.refused(resume(&token), "session_expired");
    server.type_line("sessions аня");
    server.expect("there are no sessions\n");
    server.type_line("sessions carl");
    server.expect("sessions: there is no user \"carl\"\n");
    server.type_line("remove");
    server.expect("remove: this cannot be a name: ");

    let token = client.enter("login", "аня", PASSWORD);
    server.type_line("passwd аня");
    server.expect("the new password of Аня: ");
    server.expect("\n");
    let screen = server.plain();
    let (_, password) = screen.rsplit_once("password of Аня: ").unwrap();
    let password = password.lines().next().unwrap();
    client.refused(resume(&token), "session_expired");
    client.refused(login("аня", PASSWORD), "bad_credentials");
    // Only time ends the wait of 1 s after her own wrong password.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let token = client.enter("login", "аня", password);

    server.type_line("remove аня");
    server.expect("removed Аня\n");
    client.refused(resume(&token), "session_expired");
    client.refused(plain("whoami"), "session_expired");
    server.type_line("users");
    server.expect("\nBo\n");
    server.type_line("stop");
    assert!(server.wait().success());
    for file in [USERS_FILE, SESSIONS_FILE] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains("bo") && !text.contains("аня"), "{text}");
    }
    let log = server.log().text();
    assert!(log.contains("the administrator removed \"Аня\""), "{log}");
    assert!(!log.contains(password), "a password is in the log");
}
