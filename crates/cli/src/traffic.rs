//! The traffic of a client's dialogue, as service messages and as a sum for the last one.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};

use log::info;
use proto::Observer;

/// Counts bytes on the wire in both directions. It is shared with the code that logs the last message.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Observer for &Traffic {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        info!("received {bytes} bytes: {}", Messages(messages));
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        info!("sent {bytes} bytes: {}", Messages(messages));
    }
}

/// `sent 41 bytes, received 74 bytes`
impl Display for Traffic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [sent, received] = [&self.sent, &self.received].map(|sum| sum.load(Ordering::Relaxed));
        write!(f, "sent {sent} bytes, received {received} bytes")
    }
}

struct Messages(usize);

impl Display for Messages {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 message"),
            count => write!(f, "{count} messages"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_are_summed_up() {
        let traffic = Traffic::default();
        let mut observer = &traffic;
        observer.on_sent(41, 1);
        observer.on_received(70, 2);
        observer.on_received(4, 0);
        assert_eq!(traffic.to_string(), "sent 41 bytes, received 74 bytes");
    }
}
