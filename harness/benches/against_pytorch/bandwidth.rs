//! The machine's memory limits beside a row, measured between its rounds.

use std::hint::black_box;

use crate::random_rows::RandomRows;
use crate::stream::{READ_BYTES, Stream, TRIAD_BYTES};
use crate::times::{median, time};

/// Bytes of an iteration, and bandwidths of the machine in bytes per second, measured between the rounds of the row.
#[derive(Clone, Copy)]
pub struct Bandwidth {
    /// Bytes that an iteration must move.
    pub bytes: usize,
    /// Read bandwidth, the higher of the two methods of [`Stream`].
    pub read: f64,
    /// Read bandwidth with one stream per thread.
    pub read_one: f64,
    /// Bandwidth of the STREAM triad.
    pub triad: f64,
    /// Rate of reads of random rows of the row's shape, if the row reads such.
    pub random_rows: Option<f64>,
}

/// Rates of all rounds.
#[derive(Default)]
pub struct Rates {
    reads_one: Vec<f64>,
    reads_many: Vec<f64>,
    triads: Vec<f64>,
    random_rows: Vec<f64>,
}

impl Rates {
    /// Measures one round.
    pub fn measure(&mut self, stream: &mut Stream, random_rows: Option<&RandomRows>) {
        let (read, triad) = (READ_BYTES as f64, TRIAD_BYTES as f64);
        self.reads_one
            .push(read / fastest(|| _ = black_box(stream.read())));
        self.reads_many
            .push(read / fastest(|| _ = black_box(stream.read_many())));
        self.triads.push(triad / fastest(|| stream.triad()));
        self.random_rows.extend(random_rows.map(RandomRows::rate));
    }

    /// Medians over rounds, for an iteration that moves `bytes`.
    pub fn medians(self, bytes: usize) -> Bandwidth {
        let read_one = median(self.reads_one);
        Bandwidth {
            bytes,
            read: median(self.reads_many).max(read_one),
            read_one,
            triad: median(self.triads),
            random_rows: (!self.random_rows.is_empty()).then(|| median(self.random_rows)),
        }
    }
}

/// Seconds of the fastest of three runs, which is closest to the limit of the machine.
fn fastest(mut step: impl FnMut()) -> f64 {
    time(&mut step, 3).into_iter().fold(f64::INFINITY, f64::min)
}
