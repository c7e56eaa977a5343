//! A client in memory, for tests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use proto::Observer;

/// Sends the given packets, one per read, then closes. It records what it gets, and what is reported about it.
#[derive(Default)]
pub(crate) struct MemoryClient {
    packets: VecDeque<Vec<u8>>,
    pub(crate) writes: Vec<Vec<u8>>,
    reports: Reports,
}

/// Bytes and messages of each read, and of each write.
#[derive(Clone, Default)]
pub(crate) struct Reports {
    received: Rc<RefCell<Vec<(usize, usize)>>>,
    sent: Rc<RefCell<Vec<(usize, usize)>>>,
}

impl MemoryClient {
    pub(crate) fn sending(packets: &[&[u8]]) -> Self {
        let packets = packets.iter().map(|packet| packet.to_vec()).collect();
        Self {
            packets,
            ..Self::default()
        }
    }

    pub(crate) fn reports(&self) -> Reports {
        self.reports.clone()
    }

    pub(crate) fn received(&self) -> Vec<(usize, usize)> {
        self.reports.received.borrow().clone()
    }

    pub(crate) fn sent(&self) -> Vec<(usize, usize)> {
        self.reports.sent.borrow().clone()
    }
}

impl Observer for Reports {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.received.borrow_mut().push((bytes, messages));
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.sent.borrow_mut().push((bytes, messages));
    }
}

impl Read for MemoryClient {
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

impl Write for MemoryClient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
