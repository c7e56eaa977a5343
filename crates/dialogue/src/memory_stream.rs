//! A stream in memory, for tests.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// Its peer sends these packets, one per read, and then closes. It records each write.
#[derive(Debug)]
pub(crate) struct MemoryStream {
    packets: VecDeque<Vec<u8>>,
    pub(crate) writes: Vec<Vec<u8>>,
}

impl MemoryStream {
    pub(crate) fn sending(packets: &[&[u8]]) -> Self {
        let packets = packets.iter().map(|packet| packet.to_vec()).collect();
        Self {
            packets,
            writes: vec![],
        }
    }
}

impl Read for MemoryStream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let Some(packet) = self.packets.front_mut() else {
            return Ok(0);
        };
        let count = packet.len().min(room.len());
        room[..count].copy_from_slice(&packet[..count]);
        packet.drain(..count);
        if packet.is_empty() {
            self.packets.pop_front();
        }
        Ok(count)
    }
}

impl Write for MemoryStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Texts as frames.
pub(crate) fn wire(texts: &[&str]) -> Vec<u8> {
    let frame = |text: &&str| {
        let header = proto::header(text.len()).expect("a test's text is short");
        [&header[..], text.as_bytes()].concat()
    };
    texts.iter().flat_map(frame).collect()
}
