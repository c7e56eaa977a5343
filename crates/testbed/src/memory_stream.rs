//! A stream in memory.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// A stream whose peer sends some packets, one per read, and then closes.
#[derive(Debug)]
pub struct MemoryStream {
    packets: VecDeque<Vec<u8>>,
    /// What was written, by the call.
    pub writes: Vec<Vec<u8>>,
}

impl MemoryStream {
    /// The peer that sends these packets.
    pub fn sending(packets: &[&[u8]]) -> Self {
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
