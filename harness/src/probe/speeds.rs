//! Training speed of a run on a device: stated, probed, measured in finished runs, or assumed from a matrix product.

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

/// Assumed ratio of the FLOP/s of training to those of a matrix product.
const ASSUMED_EFFICIENCY: f64 = 0.15;

/// Rows and columns of the measured product: large enough for the peak rate of the kernel, computed in milliseconds.
const SIDE: usize = 512;

/// Sources of speeds. The matrix product is timed when it is first needed.
pub struct Speeds {
    stated: Option<FlopRate>,
    probes: Vec<ProbeRow>,
    runs: Vec<RunRow>,
    device: Device,
    product: OnceCell<FlopRate>,
}

impl Speeds {
    /// The speed `stated` if it is given; otherwise the records under the output folder, and `device` for the matrix
    /// product. Records that cannot be read are ignored.
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

    /// The expected speed of `run`, from the first available of: the stated one; the latest probe of its model; the
    /// latest finished run of the same block of those nearest in width; the matrix product.
    pub fn of(&self, run: &Run) -> Speed {
        if let Some(rate) = self.stated {
            return Speed::Stated(rate);
        }
        let (label, decoder) = (&run.label, &run.model.decoder);
        let (d_model, format) = (decoder.d_model as u64, decoder.numeric_format.name());
        let probed = self.probes.iter().filter(|row| {
            row.status == FINISHED && row.basis == "derived" && row.phase == "step"
                // Another sweep may have the same labels.
                && row.size == label.size && row.block == label.block && row.d_model == d_model
                && row.params_dense == run.cost.params_dense
                && row.params_table == run.cost.params_table
                && row.numeric_format.as_str() == format
        });
        if let Some(row) = probed.max_by_key(|row| &row.started) {
            return Speed::Probed(row.flop_per_s);
        }
        let same = self.runs.iter().filter(|row| {
            row.status == FINISHED
                && row.block == label.block
                && row.numeric_format.as_str() == format
        });
        match same.max_by_key(|row| (Reverse(row.d_model.abs_diff(d_model)), &row.started)) {
            Some(row) => Speed::Measured(row.flop_per_s),
            None => Speed::Assumed(ASSUMED_EFFICIENCY * self.product()),
        }
    }

    fn product(&self) -> FlopRate {
        *self.product.get_or_init(|| matrix_product(&self.device))
    }

    /// A description of the sources, printed below the table.
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
            "speed of each device: from a probe of the model, else from the finished run of the same block and number \
             format that is nearest in width, on any device{assumed}"
        )
    }
}

/// The rows of all `folders` that can be read.
fn readable<R: Row>(folders: &[std::path::PathBuf]) -> Vec<R> {
    let read = |folder| Records::open(folder).and_then(|records| records.read::<R>());
    folders
        .iter()
        .flat_map(|folder| read(folder).unwrap_or_default())
        .collect()
}

/// The highest rate of several products, which is least affected by other load on the machine.
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
