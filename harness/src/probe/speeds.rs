//! Training speed of a run on a device: stated, probed, measured in finished runs, of a datasheet, or from a matrix product.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};
use results::{ProbeRow, Records, Row, RunRow};

use crate::process::instruction_set::processor;
use crate::record::folders::Folders;
use crate::record::run_row::FINISHED;
use experiment::device_kind::DeviceKind;
use experiment::memory_need::NumericFormat;
use experiment::plan::Run;
use experiment::speed::{FlopRate, Speed};

/// Assumed ratio of the FLOP/s of training to those of a matrix product.
const ASSUMED_EFFICIENCY: f64 = 0.15;

/// Rows and columns of the measured product: large enough for the peak rate of the kernel, computed in milliseconds.
const SIDE: usize = 512;

/// Bytes that training moves at most for each byte of a table row that a token gathers: it is read forward and backward, and
/// the update reads and writes values and two moments.
const TABLE_TRAFFIC: f64 = 8.0;

/// A device that trains, as far as its speed is concerned.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainedOn {
    /// This machine's processor, by records of runs and probes on the same one, or else by a matrix product.
    ThisMachine,
    /// A kind of device, by its datasheet.
    Kind {
        /// The kind.
        kind: &'static DeviceKind,
        /// Assumed share of its peak rate.
        utilisation: f64,
        /// The format of its products; that of each run if absent.
        format: Option<NumericFormat>,
        /// The name by which records under the output folder call such a device, such as `cuda`; they do not have its kind.
        recorded_as: Option<String>,
    },
}

/// Sources of speeds. The matrix product is timed when it is first needed.
pub struct Speeds {
    stated: Option<FlopRate>,
    on: TrainedOn,
    probes: Vec<ProbeRow>,
    runs: Vec<RunRow>,
    device: Device,
    product: OnceCell<FlopRate>,
}

impl Speeds {
    /// The speed `stated` if it is given; otherwise the records under the output folder that are of the device, and what is
    /// assumed about it; `device` computes the matrix product. Records that cannot be read are ignored.
    pub fn gather(
        folders: &Folders,
        device: Device,
        stated: Option<FlopRate>,
        on: TrainedOn,
    ) -> Self {
        let folders = match stated {
            Some(_) => Vec::new(),
            None => folders.all_records(),
        };
        let recorded = |name: &str| match &on {
            TrainedOn::ThisMachine => name == "flex",
            TrainedOn::Kind { recorded_as, .. } => recorded_as.as_deref() == Some(name),
        };
        let (mut probes, mut runs): (Vec<ProbeRow>, Vec<RunRow>) =
            (readable(&folders), readable(&folders));
        probes.retain(|row| row.status == FINISHED && recorded(&row.device));
        runs.retain(|row| row.status == FINISHED && recorded(&row.device));
        if on == TrainedOn::ThisMachine {
            let own = processor();
            runs.retain(|row| row.processor == own);
        }
        Self {
            stated,
            on,
            probes,
            runs,
            device,
            product: OnceCell::new(),
        }
    }

    /// The expected speed of `run`, from the first available of: the stated one; the latest probe of its model; the latest finished
    /// run of its model; of the same block in the model nearest in width; the datasheet, or the matrix product.
    pub fn of(&self, run: &Run) -> Speed {
        if let Some(rate) = self.stated {
            return Speed::Stated(rate);
        }
        let (label, decoder) = (&run.label, &run.model.decoder);
        let (d_model, own) = (decoder.d_model as u64, decoder.numeric_format);
        let probed = self.probes.iter().filter(|row| {
            row.basis == "derived" && row.phase == "step" && row.numeric_format.as_str() == own.name()
                // Another sweep may have the same labels.
                && row.size == label.size && row.block == label.block && row.d_model == d_model
                && row.params_dense == run.cost.params_dense
                && row.params_table == run.cost.params_table
        });
        if let Some(row) = probed.max_by_key(|row| &row.started) {
            return Speed::Probed(row.flop_per_s);
        }
        let same = self
            .runs
            .iter()
            .filter(|row| row.block == label.block && row.numeric_format.as_str() == own.name());
        let nearest = same.max_by_key(|row| (Reverse(row.d_model.abs_diff(d_model)), &row.started));
        match (nearest, &self.on) {
            (Some(row), _)
                if row.d_model == d_model
                    && row.params_dense == run.cost.params_dense
                    && row.params_table == run.cost.params_table =>
            {
                Speed::Measured(row.flop_per_s)
            }
            (Some(row), _) => Speed::Extrapolated(row.flop_per_s),
            (
                None,
                TrainedOn::Kind {
                    kind,
                    utilisation,
                    format,
                    ..
                },
            ) => Speed::Datasheet(rate_of(run, kind, *utilisation, format.unwrap_or(own))),
            (None, TrainedOn::ThisMachine) => Speed::Product(ASSUMED_EFFICIENCY * self.product()),
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
        let assumed = match (&self.on, self.product.get()) {
            (
                TrainedOn::Kind {
                    kind,
                    utilisation,
                    format,
                    ..
                },
                _,
            ) => {
                let peak = match format {
                    Some(format) => format!("{} FLOP/s in {format}", count(kind.peak(*format))),
                    None => "FLOP/s in the format of the run".to_owned(),
                };
                format!(
                    "{:.0} % (assumed, --mfu) of the {peak} of the datasheet, and {TABLE_TRAFFIC:.0} times \
                     the table bytes that a token gathers over the memory's {}B/s",
                    100.0 * utilisation,
                    count(kind.bandwidth)
                )
            }
            (TrainedOn::ThisMachine, Some(product)) => format!(
                "{:.0} % (assumed) of the {} FLOP/s of a {SIDE} x {SIDE} matrix product on this machine",
                100.0 * ASSUMED_EFFICIENCY,
                count(*product),
            ),
            (TrainedOn::ThisMachine, None) => "a matrix product on this machine".to_owned(),
        };
        let recorded = match &self.on {
            TrainedOn::Kind {
                recorded_as: None, ..
            } => return format!("speed of each device: ~ {assumed}"),
            TrainedOn::Kind {
                recorded_as: Some(name),
                ..
            } => format!("on the device {name}"),
            TrainedOn::ThisMachine => "on this kind of processor".to_owned(),
        };
        format!(
            "speed of each device: from a probe or a finished run of the model {recorded}, else\n  ~ from the finished run \
             there of the same block and number format that is nearest in width, else ~ {assumed}"
        )
    }
}

/// FLOP/s of training of `run`: time of products at the assumed share of the peak, and of the table's rows at the
/// bandwidth of memory, one after the other.
fn rate_of(run: &Run, kind: &DeviceKind, utilisation: f64, format: NumericFormat) -> FlopRate {
    let flops = run.cost.training() as f64;
    let products = flops / (kind.peak(format) * utilisation);
    let rows = TABLE_TRAFFIC * run.cost.bytes_gathered as f64 / kind.bandwidth;
    flops / (products + rows)
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
