//! Measurement in rounds: the sides alternate, so that temporary load on the machine affects all of them.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use architectures::NumericFormat;
use burn::tensor::Device;
use harness::probe::peaks::Peaks;

use crate::arguments::BenchArguments;
use crate::bandwidth::{Bandwidth, Rates};
use crate::demand::Demand;
use crate::disturbance::{Disturbance, DisturbanceTimer};
use crate::random_rows::RandomRows;
use crate::row::{Ours, Row, Theirs, Work};
use crate::stream::Stream;
use crate::times::{Times, median, time};
use crate::worker::{self, Python, Ready, Worker};

/// Pause between sides, since idle threads spin for some milliseconds before they sleep.
const PAUSE: Duration = Duration::from_millis(150);

/// Seconds per side and round; at least one iteration.
const ROUND_S: f64 = 0.3;

/// Seconds of an iteration from which two warm-up iterations are enough.
const LONG_S: f64 = 1.0;

/// Memory for the measurement of peak rates.
const PEAKS_BYTES: u64 = 4 << 30;

/// Greatest number of iterations per round.
const MAX_ITERATIONS: f64 = 100.0;

/// Measures rows in sequence.
pub struct Measurement {
    rounds: usize,
    python: Option<Python>,
    torch: Option<String>,
    /// Created for the first row that is limited by memory bandwidth.
    stream: Option<Stream>,
    /// Measured for the first row whose work has a [`Demand`].
    peaks: Option<Peaks>,
}

/// Measurements of one variant of ours and one of PyTorch.
#[derive(Clone)]
pub struct MeasuredPair {
    /// Name of the row.
    pub name: String,
    /// Sizes, and the variant of ours.
    pub shape: String,
    /// The variant of PyTorch; empty if PyTorch was not measured.
    pub theirs_label: &'static str,
    /// Times of ours.
    pub ours: Times,
    /// Times of PyTorch; `None` if it was not measured.
    pub theirs: Option<Times>,
    /// Whether no variant of PyTorch has a lower median time.
    pub fastest: bool,
    /// Required ratio of PyTorch's median time to ours, if any.
    pub at_least: Option<f64>,
    /// Required share of the read bandwidth, if any.
    pub share_at_least: Option<f64>,
    /// For rows that are limited by memory bandwidth.
    pub bandwidth: Option<Bandwidth>,
    /// What an iteration requires, and the peak rates of the machine.
    pub demand: Option<(Demand, Peaks)>,
    /// Processor time used by others during the measurement, if the system reports it.
    pub disturbance: Option<Disturbance>,
    /// Command that runs PyTorch's side separately.
    pub command: String,
}

/// One side of a row, ready to run.
enum Implementation {
    Ours(Work),
    Theirs(Worker),
}

impl Implementation {
    fn run(&mut self, iterations: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        match self {
            Self::Ours(work) => Ok(time(&mut work.step, iterations)),
            Self::Theirs(worker) => worker.run(iterations),
        }
    }

    /// Id of the process that runs it.
    fn process(&self) -> u32 {
        match self {
            Self::Ours(_) => std::process::id(),
            Self::Theirs(worker) => worker.id(),
        }
    }

    /// Warms up, and returns the number of iterations per round.
    fn warm_up(&mut self) -> Result<usize, Box<dyn Error>> {
        self.run(1)?;
        let second = median(self.run(1)?);
        let once = match second > LONG_S {
            true => second,
            false => median(self.run(3)?),
        };
        Ok((ROUND_S / once).clamp(1.0, MAX_ITERATIONS) as usize)
    }
}

/// The sides that run, ours first, and the variants of PyTorch among them.
type Sides<'a> = (Vec<Implementation>, Vec<&'a Theirs>);

impl Measurement {
    /// A measurement of both sides, or of ours only without `python`.
    pub fn new(arguments: &BenchArguments, python: Option<Python>) -> Self {
        Self {
            rounds: arguments.rounds.get(),
            python,
            torch: None,
            stream: None,
            peaks: None,
        }
    }

    /// Versions of PyTorch and Python; `None` before a worker has started.
    pub fn torch(&self) -> Option<&str> {
        self.torch.as_deref()
    }

    /// Measures a row: every pair of one variant of ours and one of PyTorch, in the same rounds, or one variant of PyTorch after
    /// the other.
    ///
    /// # Errors
    /// If a worker fails or has another number of parameters than ours, or a table does not fit the memory.
    pub fn row(&mut self, row: &Row) -> Result<Vec<MeasuredPair>, Box<dyn Error>> {
        let at_once = match row.in_turns && self.python.is_some() {
            true => 1,
            false => row.theirs.len().max(1),
        };
        let mut pairs = Vec::new();
        for theirs in row.theirs.chunks(at_once) {
            pairs.extend(self.rounds(row, theirs)?);
        }
        set_targets(&mut pairs, row.at_least);
        Ok(pairs)
    }

    /// Measures ours and some variants of PyTorch in the same rounds.
    fn rounds(
        &mut self,
        row: &Row,
        theirs: &[Theirs],
    ) -> Result<Vec<MeasuredPair>, Box<dyn Error>> {
        let (mut sides, present) = self.sides(row, theirs)?;
        let iterations: Vec<usize> = sides
            .iter_mut()
            .map(Implementation::warm_up)
            .collect::<Result<_, _>>()?;
        let demand = demand(&sides).map(|demand| {
            let peaks = || Peaks::measure(&Device::flex(), NumericFormat::F32, PEAKS_BYTES);
            (demand, *self.peaks.get_or_insert_with(peaks))
        });
        let mut times = vec![Times::default(); sides.len()];
        let mut rates = Rates::default();
        let random_rows = row.random_rows.map(RandomRows::new).transpose()?;
        let timer = DisturbanceTimer::begin(sides.iter().map(Implementation::process).collect());
        for _ in 0..self.rounds {
            for ((side, &iterations), times) in sides.iter_mut().zip(&iterations).zip(&mut times) {
                sleep(PAUSE);
                times.0.push(side.run(iterations)?);
            }
            if row.bytes.is_some() {
                sleep(PAUSE);
                let stream = self.stream.get_or_insert_with(Stream::new);
                rates.measure(stream, random_rows.as_ref());
            }
        }
        let disturbance = timer.end();
        let bandwidth = row.bytes.map(|bytes| rates.medians(bytes));
        let theirs = times.split_off(row.ours.len());
        let mut pairs = Vec::new();
        for (ours, times) in row.ours.iter().zip(times) {
            let mut alone = MeasuredPair::alone(row, ours, times);
            (alone.bandwidth, alone.disturbance) = (bandwidth, disturbance);
            alone.demand = demand;
            if theirs.is_empty() {
                pairs.push(alone.clone());
            }
            for (with, theirs) in present.iter().zip(&theirs) {
                let mut pair = alone.clone();
                pair.theirs_label = with.label;
                pair.theirs = Some(theirs.clone());
                pair.at_least = with.at_least;
                pair.command = worker::command(with);
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    /// All variants of ours, and those of `theirs` that start; the others are skipped with a message.
    fn sides<'a>(&mut self, row: &Row, theirs: &'a [Theirs]) -> Result<Sides<'a>, Box<dyn Error>> {
        let ours = row.ours.iter().map(|ours| (ours.build)());
        let mut sides: Vec<Implementation> = ours.map(Implementation::Ours).collect();
        let mut present = Vec::new();
        let Some(python) = &self.python else {
            return Ok((sides, present));
        };
        for theirs in theirs {
            let worker = match python.start(theirs) {
                Ok(worker) => worker,
                Err(error) => {
                    eprintln!("  skipped: {error}");
                    continue;
                }
            };
            let Ready { torch, python, .. } = &worker.ready;
            self.torch = Some(format!("torch {torch}, Python {python}"));
            check_sizes(&sides, &worker, theirs)?;
            sides.push(Implementation::Theirs(worker));
            present.push(theirs);
        }
        Ok((sides, present))
    }
}

/// Checks that both sides update equal numbers of parameters.
fn check_sizes(
    ours: &[Implementation],
    worker: &Worker,
    theirs: &Theirs,
) -> Result<(), Box<dyn Error>> {
    let found = (worker.ready.parameters, worker.ready.table_parameters);
    for side in ours {
        if let Implementation::Ours(work) = side
            && (work.parameters, work.table_parameters) != found
        {
            return Err(format!(
                "`{}` updates {} parameters and {} of tables, ours {} and {}; make the shapes equal",
                worker::command(theirs),
                found.0,
                found.1,
                work.parameters,
                work.table_parameters
            )
            .into());
        }
    }
    Ok(())
}

/// Marks the fastest variant of PyTorch, to which the row's required ratio applies.
fn set_targets(pairs: &mut [MeasuredPair], of_fastest: f64) {
    let medians = pairs
        .iter()
        .filter_map(|pair| Some(pair.theirs.as_ref()?.median()));
    let fastest = medians.fold(f64::INFINITY, f64::min);
    for pair in pairs {
        let Some(theirs) = &pair.theirs else {
            continue;
        };
        pair.fastest = theirs.median() == fastest;
        let of_fastest = pair.fastest.then_some(of_fastest);
        pair.at_least = [of_fastest, pair.at_least]
            .into_iter()
            .flatten()
            .reduce(f64::max);
    }
}

/// What the work of ours requires.
fn demand(sides: &[Implementation]) -> Option<Demand> {
    sides.iter().find_map(|side| match side {
        Implementation::Ours(work) => work.demand,
        Implementation::Theirs(_) => None,
    })
}

impl MeasuredPair {
    /// Our side only, without bandwidth and disturbance.
    fn alone(row: &Row, ours: &Ours, times: Times) -> Self {
        let label = if ours.label.is_empty() {
            String::new()
        } else {
            format!("; ours: {}", ours.label)
        };
        Self {
            name: row.name.clone(),
            shape: format!("{}{label}", row.shape),
            theirs_label: "",
            ours: times,
            theirs: None,
            fastest: false,
            at_least: None,
            share_at_least: row.share_at_least,
            bandwidth: None,
            demand: None,
            disturbance: None,
            command: String::new(),
        }
    }
}
