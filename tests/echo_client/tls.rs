//! TLS as the user meets it: which servers are trusted, and servers of other makers.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use echo_server::{Echo, EchoService};
use proto::MAX_ECHO_BYTES;
use tcp_server::{Limits, StopHandle, serve};
use testbed::{Folder, Program, installed};
use tls::ServerTls;
use trust::{Fingerprint, TlsIdentity};

use crate::server::{client_of, echo_client};

const FRAMED: Echo = Echo::Framed {
    max_message: MAX_ECHO_BYTES,
};
const RAW: Echo = Echo::Raw { portion: 1024 };

/// A server that lives as long as the test's process.
fn start(echo: Echo, listener: TcpListener) -> (SocketAddr, Fingerprint) {
    let folder = tempfile::tempdir().unwrap();
    let identity = TlsIdentity::load_or_create(&folder.path().join("identity")).unwrap();
    let (address, tls) = (
        listener.local_addr().unwrap(),
        ServerTls::new(&identity).unwrap(),
    );
    thread::spawn(move || {
        serve(
            listener,
            &Limits::default(),
            &StopHandle::new(),
            EchoService::new(echo, Some(tls)),
        )
        .unwrap()
    });
    (address, identity.fingerprint())
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn says(client: &Program) {
    let finished = client
        .clone()
        .stdin_bytes("Привет\nexit\n")
        .output()
        .expect_success();
    assert_eq!(finished.stdout_text(), "Привет\n");
}

#[test]
fn messages_and_bytes_come_back_over_tls() {
    let (address, fingerprint) = start(FRAMED, listener());
    let client = client_of(address)
        .arg("--tls")
        .stdin_bytes("Привет\n")
        .output()
        .expect_success();
    assert_eq!(client.stdout_text(), "Привет\n");
    assert!(
        client.stderr_text().contains(&fingerprint.to_string()),
        "{}",
        client.stderr_text()
    );

    let (address, _) = start(RAW, listener());
    let much = "0123456789abcdef".repeat(200_000);
    let client = client_of(address)
        .args(["--tls", "--raw", "--quiet"])
        .stdin_bytes(much.clone());
    assert!(client.output().expect_success().stdout_text() == much);
}

#[test]
fn a_changed_key_is_refused_until_it_is_pinned() {
    let home = Folder::new();
    let first = listener();
    let (address, known) = start(FRAMED, first.try_clone().unwrap());
    let client = client_of(address)
        .args(["--tls", "--quiet"])
        .in_folder(&home);
    says(&client);
    says(&client);
    // Another server takes the address: from the client's view the same port, by way of the file.
    let file = home.join(".local/state/socket-lab/known-servers.json");
    let other = Fingerprint::of_spki(b"another key").to_string();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&known.to_string(), &other)).unwrap();
    for flags in [&[][..], &["--trust", "new"], &["--trust", "known"]] {
        let refused = client
            .clone()
            .args(flags)
            .stdin_bytes("secret\n")
            .output()
            .expect_code(1);
        let error = refused.stderr_text();
        for part in [&other, &known.to_string(), "has changed", "--fingerprint"] {
            assert!(error.contains(part), "{error}");
        }
    }
    let known = known.to_string();
    says(&client.clone().args(["--fingerprint", &known]));
    says(&client);
    let refused = client
        .args(["--fingerprint", &other])
        .stdin_bytes("secret\n")
        .output()
        .expect_code(1);
    assert!(
        refused
            .stderr_text()
            .contains("does not have the expected key"),
        "{}",
        refused.stderr_text()
    );
}

#[cfg(unix)]
#[test]
fn a_file_of_known_servers_that_others_could_change_is_reported() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let (home, (address, _)) = (Folder::new(), start(FRAMED, listener()));
    let client = client_of(address)
        .args(["--tls", "--quiet"])
        .in_folder(&home);
    says(&client);
    let file = home.join(".local/state/socket-lab/known-servers.json");
    set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let warned = client.clone().stdin_bytes("hi\n").output();
    let warned = warned.expect_success();
    let expected = format!(
        "warning: other users could read {} (mode 0666); now its mode is 0600; check the fingerprints in it if others \
         could change them\n",
        file.display()
    );
    assert_eq!(warned.stderr_text(), expected);
    assert_eq!(metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let quiet = client.stdin_bytes("hi\n").output().expect_success();
    assert_eq!(quiet.stderr_text(), "");
}

#[test]
fn only_known_servers_are_trusted_if_the_flag_says_so() {
    let (home, (address, fingerprint)) = (Folder::new(), start(FRAMED, listener()));
    let client = client_of(address)
        .args(["--tls", "--quiet"])
        .in_folder(&home);
    let known = client.clone().args(["--trust", "known"]);
    let refused = known
        .clone()
        .stdin_bytes("secret\n")
        .output()
        .expect_code(1);
    let flag = format!("--fingerprint {fingerprint}");
    assert!(
        refused.stderr_text().contains(&flag),
        "{}",
        refused.stderr_text()
    );
    says(&client);
    says(&known);
}

#[test]
fn a_server_without_tls_is_named_as_such() {
    let address = crate::server::echo_server(crate::server::FRAMED);
    let refused = client_of(address)
        .arg("--tls")
        .stdin_bytes("hello\n")
        .output()
        .expect_code(1);
    assert!(
        refused
            .stderr_text()
            .ends_with("; if it was started without --tls, leave out --tls here\n"),
        "{}",
        refused.stderr_text()
    );
    // And a client without TLS at a server with it.
    let (address, _) = start(FRAMED, listener());
    let refused = client_of(address).stdin_bytes("hello\n").output();
    let last = refused.expect_code(1);
    let last = last.stderr_text().lines().last().unwrap();
    assert!(
        last.contains("try --tls") && !last.contains("--raw"),
        "{last}"
    );
    let (address, _) = start(RAW, listener());
    let refused = client_of(address).arg("--raw").stdin_bytes("hello\n");
    let refused = refused.output().expect_code(1);
    let advice = "this is not an echo server; if it speaks TLS, use --tls\n";
    assert!(refused.stderr_text().ends_with(advice));
}

#[test]
fn a_server_is_measured_over_tls() {
    let (address, _) = start(FRAMED, listener());
    let flags = [
        "--tls",
        "--bench",
        "--connections",
        "3",
        "--window",
        "4",
        "--duration",
        "1",
        "--json",
    ];
    let report = client_of(address).args(flags).output().expect_success();
    assert!(
        report.stdout_text().contains("\"connections\""),
        "{}",
        report.stdout_text()
    );
}

/// A certificate and its key in a folder, as openssl makes them.
fn openssl_certificate(folder: &Folder) -> Option<()> {
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x \
                   -keyout key.pem -out cert.pem";
    let openssl = installed("openssl", "version")?;
    openssl
        .args(request.split(' '))
        .in_folder(folder)
        .output()
        .expect_success();
    Some(())
}

/// A port that was free a moment ago. These servers cannot say which one they took.
fn free_port() -> u16 {
    listener().local_addr().unwrap().port()
}

/// What the client prints, once the server has started.
fn printed_by(client: &Program, input: &str) -> String {
    for _ in 0..200 {
        let finished = client.clone().stdin_bytes(input).output();
        if !finished.stderr_text().contains("cannot connect") {
            return finished.stdout_text().to_owned();
        }
        // These servers do not say when they listen, so only another attempt shows it.
        thread::sleep(Duration::from_millis(50));
    }
    panic!("the server did not start");
}

#[test]
fn socat_is_understood() {
    let (folder, port) = (Folder::new(), free_port());
    let (Some(()), Some(socat)) = (openssl_certificate(&folder), installed("socat", "-V")) else {
        return;
    };
    let listen = format!(
        "OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,cert=cert.pem,key=key.pem,verify=0"
    );
    let _server = socat.args([&listen, "PIPE"]).in_folder(&folder).spawn();
    let flags = [
        "--tls",
        "--raw",
        "--quiet",
        "--host",
        "127.0.0.1",
        "--port",
        &port.to_string(),
    ];
    assert_eq!(
        printed_by(&echo_client().args(flags), "Привет, socat\n"),
        "Привет, socat\n"
    );
}

#[test]
fn openssl_s_server_is_understood() {
    let (folder, port) = (Folder::new(), free_port());
    let (Some(()), Some(openssl)) = (
        openssl_certificate(&folder),
        installed("openssl", "version"),
    ) else {
        return;
    };
    let accept =
        format!("s_server -rev -quiet -accept 127.0.0.1:{port} -cert cert.pem -key key.pem");
    let _server = openssl.args(accept.split(' ')).in_folder(&folder).spawn();
    let flags = [
        "--tls",
        "--raw",
        "--host",
        "127.0.0.1",
        "--port",
        &port.to_string(),
    ];
    // It reverses each line.
    assert_eq!(
        printed_by(&echo_client().args(flags), "stressed\n"),
        "desserts\n"
    );
}
