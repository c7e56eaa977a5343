//! The targets of log lines that a program's log treats in a way of their own.

/// Security events. They have a log of their own, which no other lines can fill.
pub const SECURITY: &str = "security";

/// Received and sent bytes. A log that cannot keep up drops these first.
pub const TRAFFIC: &str = "traffic";
