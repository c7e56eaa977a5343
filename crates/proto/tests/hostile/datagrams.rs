//! Any bytes as a datagram of the chat: what is taken fits a datagram again and is the same then.

use proto::chat::{Datagram, MAX_DATAGRAM_BYTES, Notice, Request};

pub fn check(bytes: &[u8]) {
    let Ok(datagram) = Datagram::decode(bytes) else {
        return;
    };
    if let Datagram::Data(data) = &datagram {
        let _ = Request::decode(data.message);
        let _ = Notice::decode(data.message);
    }
    let mut encoded = vec![];
    // What was written with fewer characters than we use may not fit.
    if datagram.encode(&mut encoded).is_err() {
        return;
    }
    assert!(encoded.len() <= MAX_DATAGRAM_BYTES);
    let again = Datagram::decode(&encoded).expect("what we say is a datagram");
    assert_eq!(format!("{datagram:?}"), format!("{again:?}"));
}
