//! The results of a measurement, as a table for people or JSON for programs.

use std::fmt;
use std::time::Duration;

use proto::Count;
use serde::Serialize;

use crate::Load;
use crate::Wire;
use crate::histogram::Histogram;

/// The results of one measurement.
#[derive(Clone, Debug)]
pub struct Report {
    load: Load,
    connections: usize,
    elapsed: Duration,
    times: Histogram,
}

impl Report {
    pub(crate) fn new(load: Load, connections: usize) -> Self {
        Self {
            load,
            connections,
            elapsed: Duration::ZERO,
            times: Histogram::new(),
        }
    }

    pub(crate) fn add(&mut self, times: &Histogram) {
        self.times.add(times);
    }

    pub(crate) fn finish(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    /// Replies per second.
    pub fn messages_per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.times.count() as f64 / seconds
        } else {
            0.0
        }
    }

    /// The quantile of the round-trip time for this share, from 0 to 1.
    pub fn quantile(&self, share: f64) -> Duration {
        self.times.quantile(share)
    }

    /// The same figures for programs, as one JSON object.
    ///
    /// # Errors
    ///
    /// No known case: every field is a number or a short text.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.figures())
    }

    fn figures(&self) -> Figures {
        let messages_per_second = self.messages_per_second();
        let microseconds = |time: Duration| (time.as_nanos() as f64 / 100.0).round() / 10.0;
        let quantile = |share| microseconds(self.quantile(share));
        Figures {
            wire: match self.load.wire {
                Wire::Framed => "framed",
                Wire::Raw => "raw",
            },
            connections: self.connections,
            size: self.load.size,
            window: self.load.window,
            seconds: self.elapsed.as_secs_f64(),
            messages: self.times.count(),
            messages_per_second,
            megabytes_per_second: messages_per_second * self.load.size as f64 / 1e6,
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p99_us: quantile(0.99),
            p999_us: quantile(0.999),
            max_us: microseconds(self.times.longest()),
        }
    }
}

/// Every field of the JSON, in its order.
#[derive(Serialize)]
struct Figures {
    wire: &'static str,
    connections: usize,
    size: usize,
    window: usize,
    seconds: f64,
    messages: u64,
    messages_per_second: f64,
    /// Payload bytes in one direction; 1 MB is 1,000,000 bytes.
    megabytes_per_second: f64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    p999_us: f64,
    max_us: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.figures();
        let Figures {
            wire,
            connections,
            size,
            window,
            seconds,
            messages,
            ..
        } = figures;
        writeln!(
            f,
            "{wire}, {}, {} a message, {window} in flight on each; {} in {seconds:.2} s, every reply checked",
            Count(connections as u64, "connection"),
            Count(size as u64, "byte"),
            Count(messages, "message")
        )?;
        writeln!(f, "messages/s {:>14.0}", figures.messages_per_second)?;
        writeln!(f, "MB/s       {:>14.2}", figures.megabytes_per_second)?;
        writeln!(f, "round trip        us")?;
        for (name, time) in [
            ("p50", figures.p50_us),
            ("p90", figures.p90_us),
            ("p99", figures.p99_us),
            ("p99.9", figures.p999_us),
            ("max", figures.max_us),
        ] {
            writeln!(f, "  {name:<8} {time:>14.1}")?;
        }
        Ok(())
    }
}
