//! The client and a server that it trusts, on first use and after.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection};
use testbed::Folder;
use trust::{Fingerprint, TlsIdentity};

use crate::server::{PASSWORD, Server};

fn known_servers(home: &Folder) -> std::path::PathBuf {
    home.join(".local/state/socket-lab/known-servers.json")
}

#[test]
fn a_server_with_another_key_gets_neither_password_nor_token() {
    let server = Server::start();
    server.register("anna");
    let (file, other) = (
        known_servers(&server.home),
        Fingerprint::of_spki(b"another").to_string(),
    );
    let known = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        known.replace(&server.fingerprint.to_string(), &other),
    )
    .unwrap();
    for flags in [&[][..], &["--trust", "new"]] {
        let whoami = server
            .client(&["whoami"])
            .args(flags)
            .output()
            .expect_code(1);
        let login = server
            .scripted(&["--user", "anna", "login"], PASSWORD)
            .args(flags)
            .output()
            .expect_code(1);
        for refused in [whoami, login] {
            let error = refused.stderr_text();
            assert!(
                error.contains("has changed") && error.contains(&other),
                "{error}"
            );
            assert!(
                error.contains(&format!("--fingerprint {}", server.fingerprint)),
                "{error}"
            );
        }
    }
    let pinned = ["whoami", "--fingerprint", &server.fingerprint.to_string()];
    server.client(&pinned).output().expect_success();
    server.client(&["whoami"]).output().expect_success();
}

#[test]
fn a_token_kept_by_address_is_sent_without_tls_only() {
    let server = Server::start();
    let register = server.scripted(&["--user", "anna", "--plaintext", "register"], PASSWORD);
    register.output().expect_success();
    let kept = fs::read_to_string(server.token_file()).unwrap();
    let fingerprint = server.fingerprint.to_string();
    let expected = format!(
        "the token kept for {} is not sent: it was kept without the server's key; log in again\n\
         auth-client: you are not logged in; auth-client login does it\n",
        server.address
    );
    // This server would accept it, so a refusal shows that it was not sent.
    for flags in [&[][..], &["--fingerprint", &fingerprint]] {
        for command in [&["whoami"][..], &["logout", "--all"], &[]] {
            let client = server.client(command).args(flags);
            assert_eq!(client.output().expect_code(1).stderr_text(), expected);
            assert_eq!(fs::read_to_string(server.token_file()).unwrap(), kept);
        }
    }
    let login = server.scripted(&["--user", "anna", "login"], PASSWORD);
    assert_eq!(login.output().expect_success().stderr_text(), "");
    let whoami = server.client(&["whoami"]).output().expect_success();
    assert_eq!(whoami.stderr_text(), "");
    server.client(&["logout"]).output().expect_success();
    assert_eq!(fs::read_to_string(server.token_file()).unwrap(), kept);
    let whoami = server.client(&["--plaintext", "whoami"]);
    whoami.output().expect_success();
}

#[test]
fn a_token_kept_by_key_is_sent_over_tls_only() {
    let server = Server::start();
    server.register("anna");
    let whoami = server.client(&["--plaintext", "whoami"]);
    let refused = whoami.output().expect_code(1);
    let expected = "auth-client: you are not logged in; auth-client login does it\n";
    assert_eq!(refused.stderr_text(), expected);
    server.client(&["whoami"]).output().expect_success();
}

#[test]
fn on_this_machine_plaintext_is_served_too() {
    let server = Server::start();
    let register = server.scripted(&["--user", "anna", "--plaintext", "register"], PASSWORD);
    assert_eq!(
        register.output().expect_success().stdout_text(),
        "Hello, anna!\n"
    );
    assert!(!known_servers(&server.home).exists());
    let whoami = server
        .client(&["--plaintext", "whoami"])
        .output()
        .expect_success();
    assert_eq!(whoami.stdout_text(), "You are anna.\n");
}

#[cfg(target_os = "linux")]
#[test]
fn two_machines_register_log_in_and_go_on_by_the_address_alone() {
    use std::io::Write;

    use auth_server::SessionLimits;
    use testbed::{Network, Program};

    let network = match Network::make() {
        Ok(network) => network,
        // Not `eprintln!`, whose output a test that passes never shows.
        Err(missing) => {
            return drop(writeln!(
                std::io::stderr(),
                "skipped, since no network can be made: {missing}"
            ));
        }
    };
    let limits = SessionLimits {
        idle: 1_800,
        max: 28_800,
    };
    let host = network.local.address();
    let server = network
        .local
        .enter(|| Server::start_on(TcpListener::bind((host, 0)).unwrap(), limits));
    let (address, fingerprint) = (server.address.to_string(), server.fingerprint.to_string());
    let client = |arguments: &[&str]| {
        let client = Program::new(env!("CARGO_BIN_EXE_auth-client")).args(arguments);
        client.args([&address, "--quiet"]).in_folder(&server.home)
    };
    let in_terminal = |client: Program| network.second.enter(|| client.spawn_in_terminal());
    let run = |client: Program| network.second.enter(|| client.output());

    // Without a person, an unknown server is refused, with the flag that accepts it.
    let refused =
        run(client(&["login", "--user", "anna", "--password-stdin"]).stdin_bytes(PASSWORD))
            .expect_code(1);
    let error = refused.stderr_text();
    assert!(
        error.contains(&format!("--fingerprint {fingerprint}")),
        "{error}"
    );
    assert!(!known_servers(&server.home).exists());

    let no = in_terminal(client(&["register", "--user", "anna"]));
    no.expect("[y/N] ");
    no.type_line("");
    assert_eq!(no.wait().code(), Some(1));

    let register = in_terminal(client(&["register", "--user", "anna"]));
    register.expect(&fingerprint);
    register.expect("[y/N] ");
    register.type_line("yes");
    for prompt in ["New password: ", "Once more: "] {
        register.expect(prompt);
        register.type_line(PASSWORD);
    }
    register.expect("Hello, anna!");
    assert!(register.wait().success());
    assert_eq!(
        run(client(&["whoami"])).expect_success().stdout_text(),
        "You are anna.\n"
    );
    run(client(&["logout"])).expect_success();
    let login = client(&["login", "--user", "anna", "--password-stdin"]).stdin_bytes(PASSWORD);
    assert_eq!(
        run(login.clone()).expect_success().stdout_text(),
        "Hello, anna!\n"
    );
    assert_eq!(
        run(client(&["whoami"])).expect_success().stdout_text(),
        "You are anna.\n"
    );

    // Without TLS the server takes no password from another machine.
    let refused = run(login.arg("--plaintext")).expect_code(1);
    assert!(
        refused.stderr_text().contains("over TLS only"),
        "{}",
        refused.stderr_text()
    );
}

/// The state of a TLS server that shows the certificate of `victim`, and signs with a key of its own.
fn impostor(victim: &TlsIdentity, own: &TlsIdentity) -> ServerConnection {
    let provider = ring::default_provider();
    let own_key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.key_der().to_vec()));
    let key = provider.key_provider.load_private_key(own_key).unwrap();
    let certificate = CertificateDer::from(victim.certificate_der().to_vec());
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(
            vec![certificate],
            key,
        ))));
    ServerConnection::new(Arc::new(config)).unwrap()
}

#[test]
fn a_server_with_a_copied_certificate_and_not_its_key_gets_no_password() {
    let home = Folder::new();
    let identity = |name| TlsIdentity::load_or_create(&home.join(name)).unwrap();
    let (victim, own) = (identity("victim"), identity("own"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let known = format!(r#"{{"tcp {address}": "{}"}}"#, victim.fingerprint());
    let file = known_servers(&home);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let fingerprint = victim.fingerprint().to_string();
    for (is_known, flags) in [
        (true, &[][..]),
        (false, &["--trust", "new"]),
        (false, &["--fingerprint", &fingerprint]),
    ] {
        match is_known {
            true => fs::write(&file, &known).unwrap(),
            false => fs::write(&file, "{}").unwrap(),
        }
        let login = crate::server::client(address)
            .args(["--user", "anna", "--password-stdin", "login"])
            .args(flags)
            .in_folder(&home)
            .stdin_bytes(PASSWORD)
            .spawn();
        let (mut socket, _) = listener.accept().unwrap();
        let mut tls = impostor(&victim, &own);
        while let Ok((read, _)) = tls.complete_io(&mut socket)
            && read > 0
        {}
        assert_eq!(
            tls.reader().read(&mut [0]).unwrap_or(0),
            0,
            "the client has sent data"
        );
        assert!(tls.is_handshaking(), "the client has ended the handshake");
        drop(socket);
        let refused = login.wait().expect_code(1);
        let stderr = refused.stderr_text();
        let expected = "cannot prove that it owns the key in its certificate";
        assert!(stderr.contains(expected), "{stderr}");
        let kept = fs::read_to_string(&file).unwrap();
        assert!(is_known || !kept.contains(&fingerprint), "{kept}");
    }
}
