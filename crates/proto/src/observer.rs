//! How a stream of frames reports what passes over it. Service messages and limits are made from these reports.

/// Receives a report of each read and each write of a `FramedStream`.
pub trait Observer {
    /// One read brought `bytes` bytes, in which `messages` messages ended.
    fn on_received(&mut self, bytes: usize, messages: usize);

    /// One write took `bytes` bytes, in which `messages` messages ended.
    fn on_sent(&mut self, bytes: usize, messages: usize);

    /// An unfinished frame now holds `bytes` bytes of memory; 0 once it is complete. It is called only for payloads of
    /// more than 4 KiB that do not come whole, so most messages never cause a call.
    fn on_buffered(&mut self, bytes: usize) {
        let _ = bytes;
    }
}

/// Ignores all reports.
impl Observer for () {
    fn on_received(&mut self, _: usize, _: usize) {}

    fn on_sent(&mut self, _: usize, _: usize) {}
}
