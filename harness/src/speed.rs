//! How fast this machine trains: from finished runs, or from a short matrix product.

use std::cmp::Reverse;
use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};
use results::{Records, RunRow};

use crate::folders::Folders;
use crate::plan::Run;
use crate::run_row::FINISHED;

/// FLOPs per second.
pub type FlopRate = f64;

/// Share of a large matrix product's rate that small decoders reach in training, before any run can tell.
const ASSUMED_EFFICIENCY: f64 = 0.15;

/// Side of the measured product: large enough for the kernel's best, done in milliseconds.
const SIDE: usize = 512;

/// What is known about the machine's speed.
pub struct Speeds {
    runs: Vec<RunRow>,
    product: FlopRate,
}

/// A rate, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Of a finished run of the same block.
    Measured(FlopRate),
    /// Of a matrix product, less what training usually loses.
    Assumed(FlopRate),
}

impl Speed {
    /// FLOPs per second.
    pub fn rate(self) -> FlopRate {
        match self {
            Self::Measured(rate) | Self::Assumed(rate) => rate,
        }
    }
}

impl Speeds {
    /// From the finished runs under the output folder and from `device`.
    pub fn gather(folders: &Folders, device: &Device) -> Self {
        // Records that cannot be read are no reason not to plan.
        let read = |folder| {
            Records::open(folder)
                .and_then(|records| records.read::<RunRow>())
                .unwrap_or_default()
        };
        let runs = folders
            .all_records()
            .into_iter()
            .flat_map(read)
            .filter(|row| row.status == FINISHED);
        Self {
            runs: runs.collect(),
            product: matrix_product(device),
        }
    }

    /// The rate that `run` will reach: that of the finished run nearest in width, since wider decoders are faster; the
    /// latest of several.
    pub fn of(&self, run: &Run) -> Speed {
        let d_model = run.model.decoder.d_model as u64;
        let same = self.runs.iter().filter(|row| row.block == run.cell.block);
        match same.max_by_key(|row| (Reverse(row.d_model.abs_diff(d_model)), &row.started)) {
            Some(row) => Speed::Measured(row.flop_per_s),
            None => Speed::Assumed(ASSUMED_EFFICIENCY * self.product),
        }
    }

    /// Where the rates are from, for a table's footer.
    pub fn explain(&self) -> String {
        format!(
            "time: from the finished run of the same block that is nearest in width, else (~) {:.0} % of the {} FLOP/s \
             of a {SIDE} x {SIDE} matrix product on this machine",
            100.0 * ASSUMED_EFFICIENCY,
            crate::progress::quantity::count(self.product),
        )
    }
}

/// The best of several products: whatever else the machine does can only slow them.
fn matrix_product(device: &Device) -> FlopRate {
    let matrix = Tensor::<2>::random([SIDE, SIDE], Distribution::Default, device);
    let flops = 2.0 * (SIDE as f64).powi(3);
    let rate = || {
        let clock = Instant::now();
        black_box(matrix.clone().matmul(matrix.clone()).into_data());
        flops / clock.elapsed().as_secs_f64()
    };
    let begun = Instant::now();
    let rates = std::iter::from_fn(|| (begun.elapsed() < Duration::from_millis(200)).then(rate));
    rates.fold(0.0, f64::max)
}
