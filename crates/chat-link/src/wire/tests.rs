use proptest::prelude::*;

use super::*;

fn encoded(frames: &[Frame<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| frame.encode(&mut bytes));
    bytes
}

#[test]
fn a_body_has_the_documented_bytes() {
    let ack = Ack {
        largest: 9,
        delay_ms: 3,
        earlier: 0b101,
        through: 4,
    };
    let part = Part {
        seq: 5,
        more: true,
        background: false,
        bytes: b"{}",
    };
    let body = encoded(&[
        Frame::Ack(ack),
        Frame::Part(part),
        Frame::Ping,
        Frame::Close(1),
    ]);
    assert_eq!(
        body,
        b"\x01\0\0\0\0\0\0\0\x09\0\x03\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x04\
          \x02\0\0\0\0\0\0\0\x05\x01\0\x02{}\x03\x06\x01"
    );
    assert!(Frames::is_valid(&body));
    for end in 0..body.len() {
        let whole = [
            ACK_BYTES,
            ACK_BYTES + PART_OVERHEAD + 2,
            ACK_BYTES + PART_OVERHEAD + 3,
        ]
        .contains(&end);
        assert_eq!(Frames::is_valid(&body[..end]), whole, "{end} bytes");
    }
}

#[test]
fn an_acknowledgement_covers_the_bits_that_are_set() {
    let ack = Ack {
        largest: 70,
        delay_ms: 0,
        earlier: 1 | 1 << 63,
        through: 0,
    };
    let covered: Vec<u64> = (0..80).filter(|&number| ack.covers(number)).collect();
    assert_eq!(covered, [6, 69, 70]);
}

#[test]
fn a_header_is_25_bytes_and_others_are_refused() {
    let session = SessionId([0xab; 16]);
    let header = Header {
        protection: Protection::Sealed,
        session,
        number: 258,
    };
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    assert_eq!(bytes.len(), HEADER_BYTES);
    assert_eq!(Header::decode(&bytes), Some((header, &[][..])));
    assert_eq!(SessionId::of_datagram(&bytes), Some(session));
    assert_eq!(Header::decode(&bytes[..24]), None);
    for first in [0, KIND_RESET, b'{', 0xff] {
        bytes[0] = first;
        assert_eq!(Header::decode(&bytes), None);
    }
    assert_eq!(format!("{session:?}"), "SessionId(abab…)");
}

proptest! {
    #[test]
    fn frames_survive_encoding(
        seq: u64, more: bool, background: bool, bytes in prop::collection::vec(any::<u8>(), 0..300),
        largest: u64, delay_ms: u16, earlier: u64, through: u64, token: [u8; 8], reason: u8,
    ) {
        let frames = [
            Frame::Part(Part { seq, more, background, bytes: &bytes }),
            Frame::Ack(Ack { largest, delay_ms, earlier, through }),
            Frame::PathChallenge(token), Frame::PathResponse(token), Frame::Close(reason), Frame::Ping,
        ];
        let body = encoded(&frames);
        prop_assert!(Frames::is_valid(&body));
        prop_assert_eq!(Frames::new(&body).collect::<Vec<_>>(), frames);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Frames::is_valid(&bytes);
        let _ = Header::decode(&bytes);
    }
}
