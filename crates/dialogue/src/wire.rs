//! Texts as frames, for tests.

/// The frames of these texts, one after another.
pub(crate) fn wire(texts: &[&str]) -> Vec<u8> {
    let frame = |text: &&str| {
        let header = proto::header(text.len()).expect("a test's text is short");
        [&header[..], text.as_bytes()].concat()
    };
    texts.iter().flat_map(frame).collect()
}
