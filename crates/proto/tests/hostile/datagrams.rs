//! Any bytes as a datagram of the chat: what is taken fits a datagram again and is the same then,
//! but for two kinds that we write with more characters.

use proto::chat::{Bye, Datagram, MAX_DATAGRAM_BYTES, Notice, Reason, Refusal, Refused, Request};

pub fn check(bytes: &[u8]) {
    let Ok(datagram) = Datagram::decode(bytes) else {
        return;
    };
    if let Datagram::Data(data) = &datagram {
        let is_request = Request::decode(&data.message).is_ok();
        let is_notice = Notice::decode(&data.message).is_ok();
        assert!(!(is_request || is_notice) || data.message.get().starts_with('{'));
    }
    let mut encoded = vec![];
    if datagram.encode(&mut encoded).is_err() {
        // Without a pad, or with a word that is shorter than `other`.
        return assert!(matches!(
            datagram,
            Datagram::Hello(_)
                | Datagram::Bye(Bye {
                    reason: Reason::Other,
                    ..
                })
                | Datagram::Refused(Refused {
                    code: Refusal::Other,
                    ..
                })
        ));
    }
    assert!(encoded.len() <= MAX_DATAGRAM_BYTES);
    let again = Datagram::decode(&encoded).expect("what we say is a datagram");
    assert_eq!(format!("{datagram:?}"), format!("{again:?}"));
}
