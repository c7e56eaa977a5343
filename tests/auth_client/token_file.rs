//! Token files that cannot be used as they are.

use std::fs;

use crate::server::{PASSWORD, Server};

#[test]
fn nothing_is_changed_on_the_server_if_the_token_could_not_be_kept() {
    let server = Server::start();
    // A folder in the way of the new file stops root, too.
    let in_the_way = server.home.join(".local/state/socket-lab/tokens.json.tmp");
    fs::create_dir_all(&in_the_way).unwrap();
    let register = server.scripted(&["--user", "anna", "register"], PASSWORD);
    let failed = register.output().expect_code(1);
    let error = failed.stderr_text();
    assert!(
        error.contains("nothing was changed on the server; --token-file chooses another"),
        "{error}"
    );
    fs::remove_dir(&in_the_way).unwrap();
    server.register("anna");

    fs::create_dir(&in_the_way).unwrap();
    let token = server.token();
    let passwd = server.scripted(&["passwd"], "correct horse\nbattery staple\n");
    passwd.output().expect_code(1);
    assert_eq!(server.token(), token);
    server.client(&["whoami"]).output().expect_success();
    fs::remove_dir(&in_the_way).unwrap();
    let login = server.scripted(&["--user", "anna", "login"], PASSWORD);
    login.output().expect_success();
}

#[cfg(unix)]
#[test]
fn a_link_to_the_token_file_stays() {
    let server = Server::start();
    let folder = server.home.join(".local/state/socket-lab");
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("../elsewhere.json", server.token_file()).unwrap();
    server.register("anna");
    assert!(server.token_file().is_symlink());
    assert!(server.home.join(".local/state/elsewhere.json").is_file());
    server.client(&["whoami"]).output().expect_success();
}

#[test]
fn a_token_file_that_cannot_be_read_is_explained_before_anything_is_sent() {
    let server = Server::start();
    fs::write(server.home.join("file"), "no folder").unwrap();
    fs::write(server.home.join("damaged"), "[]").unwrap();
    if cfg!(unix) {
        let mkfifo = testbed::Program::new("mkfifo").arg("fifo");
        mkfifo.in_folder(&server.home).output().expect_success();
    }
    let unusable: &[&str] = match cfg!(unix) {
        true => &["damaged", "file/tokens", "fifo", "/dev/null"],
        false => &["damaged"],
    };
    for path in unusable {
        let flags = ["--user", "anna", "--token-file", path];
        for command in ["register", "login", "whoami"] {
            let client = server.scripted(&flags, PASSWORD).arg(command);
            let failed = client.output().expect_code(1);
            // A warning about its mode may come before.
            let error = failed.stderr_text().lines().last().unwrap();
            let advice = "; nothing was changed on the server; --token-file chooses another file";
            assert!(
                error.starts_with("auth-client: ") && error.ends_with(advice),
                "{error}"
            );
        }
        let lock = server.home.join(format!("{path}.lock"));
        assert!(!lock.exists(), "{lock:?}");
    }
    server.register("anna");
}

#[test]
fn further_names_of_the_token_file_are_warned_about() {
    let server = Server::start();
    server.register("anna");
    let other = server.home.join("other");
    fs::hard_link(server.token_file(), &other).unwrap();
    let before = fs::read_to_string(&other).unwrap();
    let warns = |words: &str| {
        // Windows shows the path with other separators.
        let end = "tokens.json: it has further names (hard links), which keep its old tokens when it changes\n";
        words.lines().count() == 1 && words.ends_with(end)
    };
    let whoami = server.client(&["whoami"]).output().expect_success();
    assert!(warns(whoami.stderr_text()), "{}", whoami.stderr_text());
    let login = server.scripted(&["--user", "anna", "login"], PASSWORD);
    let login = login.output().expect_success();
    assert!(warns(login.stderr_text()), "{}", login.stderr_text());
    // Now it is a file of its own.
    assert_eq!(fs::read_to_string(&other).unwrap(), before);
    let whoami = server.client(&["whoami"]).output().expect_success();
    assert_eq!(whoami.stderr_text(), "");
}
