//! The dissector shows what is in packets, on captures that the test makes. Skipped aloud where tshark is missing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use testbed::Folder;

const TCP: u8 = 6;
const UDP: u8 = 17;
/// A capture of bare IP packets.
const LINKTYPE_RAW: u32 = 101;

/// A capture file with these packets.
fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![];
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, LINKTYPE_RAW] {
        file.extend_from_slice(&u32::to_le_bytes(word));
    }
    for packet in packets {
        let length = u32::try_from(packet.len()).unwrap();
        for word in [0, 0, length, length] {
            file.extend_from_slice(&u32::to_le_bytes(word));
        }
        file.extend_from_slice(packet);
    }
    file
}

/// An IPv4 packet over loopback. Checksums are 0, which tshark does not verify by default.
fn ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let header = [
        0x45, 0, total[0], total[1], 0, 1, 0, 0, 64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1,
    ];
    [&header, payload].concat()
}

/// A TCP segment from a client to `port`.
fn tcp(port: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = [50_000u16.to_be_bytes(), port.to_be_bytes()].concat();
    segment.extend_from_slice(&seq.to_be_bytes());
    segment.extend_from_slice(&1u32.to_be_bytes());
    segment.extend_from_slice(&[0x50, 0x18, 0x20, 0, 0, 0, 0, 0]);
    segment.extend_from_slice(payload);
    ip(TCP, &segment)
}

/// A datagram from a client to `port`.
fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let header = [50_000u16, port, length, 0].map(u16::to_be_bytes).concat();
    ip(UDP, &[&header, payload].concat())
}

fn frame(text: &str) -> Vec<u8> {
    [
        &u32::try_from(text.len()).unwrap().to_be_bytes(),
        text.as_bytes(),
    ]
    .concat()
}

/// What tshark shows of these fields, a line a packet; nothing where it is not installed.
fn shown(packets: &[Vec<u8>], fields: &[&str]) -> Option<String> {
    let folder = Folder::new();
    let file = folder.path().join("capture.pcap");
    fs::write(&file, capture(packets)).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("dissector/socket-lab.lua");
    let mut tshark = Command::new("tshark");
    tshark
        .arg("-X")
        .arg(format!("lua_script:{}", script.display()))
        .arg("-r")
        .arg(&file);
    tshark.args([
        "-T",
        "fields",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=;",
        "-E",
        "separator=|",
    ]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let Ok(output) = tshark.output() else {
        println!("skipped: tshark is not installed");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && !errors.contains("Lua"),
        "{errors}"
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn frames_are_shown_wherever_segments_are_cut() {
    let two = [frame("Привет"), frame(r#"{"type":"whoami"}"#)].concat();
    let (first, rest) = two.split_at(20);
    let packets = [
        tcp(9190, 1, first),
        tcp(9190, 21, rest),
        tcp(9090, 1, &frame("")),
    ];
    let Some(lines) = shown(
        &packets,
        &["socketlab.length", "socketlab.text", "socketlab.type"],
    ) else {
        return;
    };
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        ["12|Привет|", r#"17|{"type":"whoami"}|whoami"#, "0||"]
    );
}

#[test]
fn a_length_over_the_limit_is_an_error() {
    let packets = [tcp(9090, 1, b"GET / HTTP/1.1\r\n\r\n")];
    let Some(lines) = shown(&packets, &["socketlab.length", "socketlab.too_long"]) else {
        return;
    };
    assert!(lines.starts_with("1195725856|"), "{lines}");
    assert!(lines.trim_end().len() > "1195725856|".len(), "{lines}");
}

#[test]
fn chat_datagrams_are_shown_as_far_as_they_are_open() {
    let session = [7; 16];
    let header = |kind: u8, number: u64| [&[kind], &session[..], &number.to_be_bytes()].concat();
    let mut ack = vec![1];
    ack.extend_from_slice(&9u64.to_be_bytes());
    ack.extend_from_slice(&3u16.to_be_bytes());
    ack.extend_from_slice(&5u64.to_be_bytes());
    ack.extend_from_slice(&4u64.to_be_bytes());
    let message = r#"{"type":"say","text":"hi"}"#;
    let mut part = vec![2];
    part.extend_from_slice(&6u64.to_be_bytes());
    part.push(0);
    part.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
    part.extend_from_slice(message.as_bytes());
    let packets = [
        udp(9390, br#"{"type":"hello"}"#),
        udp(9390, &[header(2, 1), ack, part, vec![6, 1]].concat()),
        udp(9390, &[header(1, 2), vec![0xaa; 40]].concat()),
        udp(9390, &[&[3], &session[..], &[9; 16]].concat()),
        udp(9390, &[header(2, 3), vec![99]].concat()),
    ];
    let fields = [
        "_ws.col.Info",
        "socketlab_chat.kind",
        "socketlab_chat.number",
        "socketlab_chat.ack.largest",
        "socketlab_chat.message",
        "socketlab_chat.reason",
    ];
    let Some(lines) = shown(&packets, &fields) else {
        return;
    };
    let message = format!("packet 1: ack, message, close|2|1|9|{message}|1");
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(
        lines,
        [
            "handshake: hello|||||",
            &message,
            "packet 2: sealed body|1|2|||",
            "reset|3||||",
            "packet 3: |2|3|||"
        ]
    );
}
