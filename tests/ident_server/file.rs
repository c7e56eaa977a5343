//! The data file, as people find and edit it.

use std::fs;

#[cfg(target_os = "linux")]
use testbed::Program;
use testbed::{Finished, Folder};

#[cfg(target_os = "linux")]
use crate::server::welcome;
use crate::server::{DATA_FILE, Server, program};

/// A folder whose data file says this.
fn folder_with(data: &str) -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join(DATA_FILE), data).unwrap();
    folder
}

fn fail_on(folder: &Folder) -> Finished {
    program().in_folder(folder).output().expect_code(1)
}

#[test]
fn a_line_is_an_address_and_a_name() {
    let server = Server::start(&["--data-file", "deep/er/names"]);
    server.register("127.0.0.7", "Аня");
    let path = server.folder().join("deep/er/names");
    let line = "{\"key\":\"127.0.0.7\",\"value\":{\"name\":\"Аня\"}}\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), line);
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn a_file_edited_by_hand_is_taken_and_kept() {
    let folder = folder_with(concat!(
        "\u{feff}{ \"value\": {\"since\": 2019, \"name\": \" Andre\u{301} \"}, ",
        "\"key\": \"127.0.0.1\", \"note\": \"by hand\" }\r\n",
        "\n",
        "{\"key\":\"2001:DB8::7\",\"value\":{\"name\":\"Bo\"}}\n",
        "{\"key\":\"localhost\\u001b\",\"value\":{\"name\":\"Bo\"}}\n",
        "{\"key\":\"127.0.0.2\",\"value\":{\"name\":\"Carl\"}}",
    ));
    let server = Server::start_in(&folder);
    let warning = server.log().wait_for(" [WARN] keys ");
    let reported =
        r#"keys in data/clients.jsonl by which no client is known: 2, the first is "2001:DB8::7""#;
    assert!(warning.contains(reported), "{warning}");
    let shown = server.running.wait_for_stderr_line("warning: keys ");
    assert!(shown.contains(reported), "{shown}");
    let count = "clients known from data/clients.jsonl: 2";
    assert!(server.log().wait_for("clients known").ends_with(count));
    server.greet("127.0.0.2", "Carl");
    let mut client = server.greet("127.0.0.1", "Andr\u{e9}");
    client.ask(r#"{"type":"rename","name":"Dora"}"#);
    let log = server.log();
    server.stop();
    log.wait_for("; clients known: 2, changes: 1, fsyncs: ");
    let data = fs::read_to_string(folder.join(DATA_FILE)).unwrap();
    let renamed = r#"{"key":"127.0.0.1","value":{"name":"Dora","since":2019},"note":"by hand"}"#;
    assert!(data.lines().any(|line| line == renamed), "{data}");
    assert!(
        !data.contains("Andre"),
        "the old name left the file: {data}"
    );
}

#[test]
fn a_name_that_is_refused_now_is_still_read() {
    let folder = folder_with("{\"key\":\"127.0.0.1\",\"value\":{\"name\":\"Bo\u{fffe}\"}}\n");
    let server = Server::start_in(&folder);
    let mut client = server.greet("127.0.0.1", "Bo\u{fffd}");
    client.ask(r#"{"type":"rename","name":"Bo"}"#);
    server.greet("127.0.0.1", "Bo");
}

#[test]
fn a_line_that_a_crash_tore_is_cut_off_and_reported() {
    let folder = folder_with(concat!(
        "{\"key\":\"127.0.0.1\",\"value\":{\"name\":\"Anna\"}}\n",
        "{\"key\":\"127.0.0.2\",\"val",
    ));
    let server = Server::start_in(&folder);
    server
        .log()
        .wait_for("data/clients.jsonl: cut off line 2, of which a crash left 23 bytes");
    let warning = "warning: data/clients.jsonl: cut off line 2, of which a crash left 23 bytes";
    server.running.wait_for_stderr_line(warning);
    server.greet("127.0.0.1", "Anna");
    server.register("127.0.0.2", "Bo");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn a_warning_is_reported_once_on_a_console() {
    let folder = folder_with("{\"key\":\"127.0.0.01\",\"value\":{\"name\":\"Anna\"}}\n");
    let server = Server::run(&program().args(["--log-to", "both"]).in_folder(&folder));
    server.running.terminate();
    let done = server.running.wait().expect_success();
    let reported = done.stderr_text();
    assert_eq!(
        reported.matches("the first is \"127.0.0.01\"").count(),
        1,
        "{reported}"
    );
}

#[test]
fn damage_is_refused_with_its_line() {
    for (line, why) in [
        ("hello", "expected value"),
        (
            r#"{"key":"127.0.0.2","value":{"nam":"Bo"}}"#,
            "missing field `name`",
        ),
        (
            r#"{"key":"127.0.0.2","value":{"name":"\u001b[2J"}}"#,
            "this one has U+001B",
        ),
        (
            r#"{"key":"127.0.0.2","value":{"name":""}}"#,
            "a name has at least one character",
        ),
    ] {
        let good = r#"{"key":"127.0.0.1","value":{"name":"Anna"}}"#;
        let data = format!("{good}\n{line}\n{good}\n");
        let folder = folder_with(&data);
        let failed = fail_on(&folder);
        let words = failed.stderr_text().lines().last().unwrap();
        let reported = "ident-server: data/clients.jsonl is damaged at line 2: ";
        assert!(
            words.starts_with(reported) && words.contains(why),
            "{words}"
        );
        assert!(
            words.ends_with("repair or remove that line, then start again"),
            "{words}"
        );
        assert_eq!(failed.stdout_text(), "");
        assert_eq!(failed.log().lines_with("[ERROR]").len(), 1);
        assert_eq!(failed.log().lines_with("listening on "), [""; 0]);
        assert_eq!(fs::read_to_string(folder.join(DATA_FILE)).unwrap(), data);
    }
}

#[test]
fn a_second_server_on_one_file_is_refused() {
    let server = Server::start(&[]);
    server.register("127.0.0.1", "Anna");
    let failed = fail_on(server.folder());
    let reported = "ident-server: data/clients.jsonl is in use by another process; stop it or choose another file";
    assert_eq!(failed.stderr_text().lines().last(), Some(reported));
    server.greet("127.0.0.1", "Anna");
}

#[cfg(unix)]
#[test]
fn a_second_server_by_another_name_of_the_file_is_refused() {
    let server = Server::start(&[]);
    server.register("127.0.0.1", "Anna");
    let folder = server.folder();
    fs::hard_link(folder.join(DATA_FILE), folder.join("data/other.jsonl")).unwrap();
    fs::remove_file(folder.join("data/clients.jsonl.lock")).unwrap();
    for path in [DATA_FILE, "data/other.jsonl"] {
        let second = program().args(["--data-file", path]).in_folder(folder);
        let failed = second.output().expect_code(1);
        let reported = format!(
            "ident-server: {path} is in use by another process; stop it or choose another file"
        );
        assert_eq!(failed.stderr_text().lines().last(), Some(&*reported));
    }
}

#[cfg_attr(windows, ignore = "Wine lets no open file be replaced")]
#[test]
fn a_file_that_is_replaced_under_the_server_takes_no_names() {
    let server = Server::start(&[]);
    server.register("127.0.0.1", "Anna");
    let path = server.folder().join(DATA_FILE);
    let edited = "{\"key\":\"127.0.0.1\",\"value\":{\"name\":\"Bo\"}}\n";
    fs::write(server.folder().join("edited"), edited).unwrap();
    fs::rename(server.folder().join("edited"), &path).unwrap();
    let mut client = server.greet("127.0.0.1", "Anna");
    for _ in 0..2 {
        client.refused(r#"{"type":"rename","name":"Carl"}"#, "unavailable");
    }
    server
        .log()
        .wait_for("data/clients.jsonl was replaced, removed or changed by another program");
    let folder = server.stop();
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    Server::start_in(&folder).greet("127.0.0.1", "Bo");
}

/// As a container does with a volume that is one file.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_mounted_by_itself_is_used_without_compaction() {
    const NAMESPACE: &str = "unshare --map-root-user --mount sh -c";
    const MOUNT: &str = "mount --bind real.jsonl data/clients.jsonl";
    let folder = folder_with("");
    fs::write(folder.join("real.jsonl"), "").unwrap();
    let probe = Program::new("sh").args(["-c", &format!("{NAMESPACE} '{MOUNT}' || echo no")]);
    if probe.in_folder(&folder).output().stdout_text() == "no\n" {
        return eprintln!("skipped, since nothing can be mounted here");
    }
    let enter = format!(r#"exec {NAMESPACE} '{MOUNT} && exec "$0" "$@"' "$0" "$@"; true"#);
    let mounted = program().args(["--log-to", "console"]).prelude(&enter);
    let server = Server::run(&mounted.in_folder(&folder));
    let mut client = server.register("127.0.0.1", "Anna");
    for name in ["Bo", "Carl"] {
        let rename = format!(r#"{{"type":"rename","name":"{name}"}}"#);
        assert_eq!(client.ask(rename), welcome(name));
    }
    let second = program().args(["--data-file", "real.jsonl"]);
    let refused = second.in_folder(&folder).output().expect_code(1);
    assert!(
        refused
            .stderr_text()
            .contains("real.jsonl is in use by another process")
    );
    server.running.terminate();
    let stopped = server.running.wait().expect_success();
    let warnings = stopped
        .stderr_text()
        .matches("cannot be compacted, because it is mounted as a single file");
    assert_eq!(warnings.count(), 1, "{}", stopped.stderr_text());
    let data = fs::read_to_string(folder.join("real.jsonl")).unwrap();
    assert_eq!(data.lines().count(), 3, "{data}");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn forgotten_names_are_not_in_the_file() {
    let server = Server::start(&[]);
    let mut anna = server.register("127.0.0.1", "Anna");
    let mut boris = server.register("127.0.0.2", "Boris");
    anna.ask(r#"{"type":"rename","name":"Dora"}"#);
    boris.ask(r#"{"type":"forget"}"#);
    let folder = server.stop();
    let data = fs::read_to_string(folder.join(DATA_FILE)).unwrap();
    assert_eq!(
        data,
        "{\"key\":\"127.0.0.1\",\"value\":{\"name\":\"Dora\"}}\n"
    );
}

#[test]
fn a_place_that_cannot_be_written_stops_the_start() {
    let folder = Folder::new();
    fs::write(folder.join("data"), "a file where the folder belongs").unwrap();
    let failed = fail_on(&folder);
    let words = failed.stderr_text().lines().last().unwrap();
    let reported = "ident-server: cannot create the folder of data/clients.jsonl: data is a file, not a folder; \
                    move that file away";
    assert!(words.starts_with(reported), "{words}");
}
