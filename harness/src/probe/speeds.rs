//! How fast a device trains: as stated, as probed, from finished runs, or from a short matrix product.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};
use results::{ProbeRow, Records, Row, RunRow};

use crate::record::folders::Folders;
use crate::record::run_row::FINISHED;
use experiment::plan::Run;
use experiment::speed::{FlopRate, Speed};

/// Share of a large matrix product's rate that small decoders reach in training, where no run has been measured.
const ASSUMED_EFFICIENCY: f64 = 0.15;

/// Side of the measured product: large enough for the kernel's best, done in milliseconds.
const SIDE: usize = 512;

/// What is known about speed. The matrix product is timed when first needed.
pub struct Speeds {
    stated: Option<FlopRate>,
    probes: Vec<ProbeRow>,
    runs: Vec<RunRow>,
    device: Device,
    product: OnceCell<FlopRate>,
}

impl Speeds {
    /// `stated`, or else what the records under the output folder and `device` give.
    pub fn gather(folders: &Folders, device: Device, stated: Option<FlopRate>) -> Self {
        let folders = match stated {
            Some(_) => Vec::new(),
            None => folders.all_records(),
        };
        Self {
            stated,
            probes: readable(&folders),
            runs: readable(&folders),
            device,
            product: OnceCell::new(),
        }
    }

    /// The rate that `run` will reach: the one stated; or that of the latest probe of its model; or that of the finished
    /// run of the same block nearest in width, since wider decoders are faster, the latest of several; or one assumed.
    pub fn of(&self, run: &Run) -> Speed {
        if let Some(rate) = self.stated {
            return Speed::Stated(rate);
        }
        let (cell, d_model) = (&run.label, run.model.decoder.d_model as u64);
        let probed = self.probes.iter().filter(|row| {
            row.status == FINISHED && row.basis == "derived" && row.phase == "step"
                // Labels alone could be another sweep's.
                && row.size == cell.size && row.block == cell.block && row.d_model == d_model
                && row.params_dense == run.cost.params_dense
                && row.params_table == run.cost.params_table
        });
        if let Some(row) = probed.max_by_key(|row| &row.started) {
            return Speed::Probed(row.flop_per_s);
        }
        let same = self
            .runs
            .iter()
            .filter(|row| row.status == FINISHED && row.block == cell.block);
        match same.max_by_key(|row| (Reverse(row.d_model.abs_diff(d_model)), &row.started)) {
            Some(row) => Speed::Measured(row.flop_per_s),
            None => Speed::Assumed(ASSUMED_EFFICIENCY * self.product()),
        }
    }

    fn product(&self) -> FlopRate {
        *self.product.get_or_init(|| matrix_product(&self.device))
    }

    /// Where the rates are from, for a table's footer.
    pub fn explain(&self) -> String {
        let count = experiment::quantity::count;
        if let Some(rate) = self.stated {
            return format!("speed: {} FLOP/s of each device, as stated", count(rate));
        }
        let assumed = match self.product.get() {
            None => String::new(),
            Some(product) => format!(
                ",\n  else (~) {:.0} % of the {} FLOP/s of a {SIDE} x {SIDE} matrix product on this machine",
                100.0 * ASSUMED_EFFICIENCY,
                count(*product),
            ),
        };
        format!(
            "speed of each device: from a probe of the model, else from the finished run of the same block that is \
             nearest in width, on whatever device they ran{assumed}"
        )
    }
}

/// The rows of these folders. Records that cannot be read are no reason not to plan.
fn readable<R: Row>(folders: &[std::path::PathBuf]) -> Vec<R> {
    let read = |folder| Records::open(folder).and_then(|records| records.read::<R>());
    folders
        .iter()
        .flat_map(|folder| read(folder).unwrap_or_default())
        .collect()
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
