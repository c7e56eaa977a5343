//! What service messages mean, for a person who types `help`.

/// The first words of a message, and their meaning.
type Meaning = (&'static str, &'static str);

const OF_SERVERS: [Meaning; 7] = [
    (
        "server started",
        "the program runs; the line names its version",
    ),
    (
        "listening on",
        "clients can connect to this address; `accept` waits for them",
    ),
    (
        "client connected",
        "`accept` returned a new connection; the line has the client's address and the connection's number",
    ),
    (
        "received",
        "one `read` from a client's socket: bytes on the wire, with headers, and how many messages they completed",
    ),
    (
        "sent",
        "one `write` to a client's socket: bytes on the wire, with headers, and how many messages they contain",
    ),
    (
        "client disconnected",
        "the connection is closed; the line has the reason and the totals",
    ),
    (
        "server stopped",
        "all connections are closed and the process ends; the line has the totals",
    ),
];

const OF_CLIENTS: [Meaning; 5] = [
    (
        "connected to",
        "`connect` returned; the server's address, then this program's own",
    ),
    (
        "the connection is encrypted",
        "TLS begins; the line ends with the fingerprint of the server's key",
    ),
    (
        "sent",
        "one `write`: bytes on the wire, 4 of header for each message",
    ),
    (
        "received",
        "one `read`: bytes on the wire, 4 of header for each message",
    ),
    (
        "disconnected",
        "the connection is closed; the line has the reason and the totals",
    ),
];

/// Explains a server's service message by its first words or a part of them; without one it lists all.
pub(crate) fn explain_server_message(words: &str) -> String {
    explain(&OF_SERVERS, words).unwrap_or_else(|| {
        let all: Vec<_> = OF_SERVERS.iter().map(|(message, _)| *message).collect();
        format!("help explains these messages: {}", all.join(", "))
    })
}

/// Explains a client's service message by its first words or a part of them.
pub fn explain_client_message(words: &str) -> Option<String> {
    explain(&OF_CLIENTS, words)
}

fn explain(messages: &[Meaning], words: &str) -> Option<String> {
    let words = words.to_lowercase();
    let matches = |message: &str| message.starts_with(&words) || words.starts_with(message);
    let found = messages.iter().filter(|(message, _)| matches(message));
    let found: Vec<_> = found
        .map(|(message, meaning)| format!("{message}: {meaning}"))
        .collect();
    (!found.is_empty()).then(|| found.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_by_its_first_words() {
        let sent = explain_client_message("sent 21 bytes: 4 header + 17 text").unwrap();
        assert!(sent.starts_with("sent: one `write`"), "{sent}");
        assert!(
            explain_client_message("Disc")
                .unwrap()
                .starts_with("disconnected: ")
        );
        assert_eq!(explain_client_message("desk"), None);
        let received = explain_server_message("received 21 bytes");
        assert!(received.starts_with("received: one `read`"), "{received}");
        assert_eq!(explain_server_message("client").lines().count(), 2);
    }
}
