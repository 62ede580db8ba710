//! Rounds: the sides alternate, so that what slows the machine for a while slows all of them.

use std::error::Error;
use std::hint::black_box;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::disturbance::{Disturbance, Watch};
use crate::row::{Ours, Row, Theirs, Work};
use crate::stream::{READ_BYTES, Stream, TRIAD_BYTES};
use crate::worker::{self, Python, Ready, Worker};

/// Between sides: threads that wait for work spin for some milliseconds before they sleep.
const PAUSE: Duration = Duration::from_millis(150);

/// Seconds that a side runs each round; at least one iteration.
const ROUND_S: f64 = 0.3;

/// Iterations of a round, at most.
const MOST_ITERATIONS: f64 = 100.0;

/// Measures rows one after the other.
pub struct Measurement {
    rounds: usize,
    python: Option<Python>,
    torch: Option<String>,
    /// Created by the first row that memory bandwidth limits.
    stream: Option<Stream>,
}

/// One variant of ours beside one of theirs.
#[derive(Clone)]
pub struct Line {
    /// The row's name.
    pub name: String,
    /// Sizes, and which variant of ours.
    pub shape: String,
    /// Which variant of theirs; empty where theirs was not measured.
    pub theirs_label: &'static str,
    /// Seconds.
    pub ours: Times,
    /// Seconds.
    pub theirs: Option<Times>,
    /// Least ratio required, where there is one.
    pub at_least: Option<f64>,
    /// Least share of the read bandwidth required of ours, where there is one.
    pub share_at_least: Option<f64>,
    /// For rows that memory bandwidth limits.
    pub bandwidth: Option<Bandwidth>,
    /// Share of the processors that others used meanwhile, where the system reports it.
    pub disturbance: Option<Disturbance>,
    /// Command that runs PyTorch's side by hand.
    pub command: String,
}

/// Seconds of all iterations, round by round.
#[derive(Clone, Default)]
pub struct Times(Vec<Vec<f64>>);

/// Bytes per second, the machine's measured between the rounds of the same row.
#[derive(Clone, Copy)]
pub struct Bandwidth {
    /// Bytes that an iteration has to move.
    pub bytes: usize,
    /// The machine's read, the better of both ways of [`Stream`].
    pub read: f64,
    /// Its read with one stream per thread.
    pub read_one: f64,
    /// The machine's triad.
    pub triad: f64,
}

impl Times {
    /// The fastest iteration.
    pub fn min(&self) -> f64 {
        self.0
            .iter()
            .flatten()
            .copied()
            .fold(f64::INFINITY, f64::min)
    }

    /// The median of all iterations.
    pub fn median(&self) -> f64 {
        median(self.0.concat())
    }

    /// Of each round, the ratio of its median to that of `other`: the least and the greatest.
    pub fn spread_over(&self, other: &Self) -> (f64, f64) {
        let ratios = self.0.iter().zip(&other.0);
        ratios
            .map(|(a, b)| median(a.clone()) / median(b.clone()))
            .fold((f64::INFINITY, 0.0), |(low, high), ratio| {
                (low.min(ratio), high.max(ratio))
            })
    }
}

/// The median; of an even number of values the mean of the middle two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// The seconds of each of `iterations`.
pub fn time(step: &mut dyn FnMut(), iterations: usize) -> Vec<f64> {
    let timed = |_| {
        let clock = Instant::now();
        step();
        clock.elapsed().as_secs_f64()
    };
    (0..iterations).map(timed).collect()
}

enum Side {
    Ours(Work),
    Theirs(Worker),
}

impl Side {
    fn run(&mut self, iterations: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        match self {
            Self::Ours(work) => Ok(time(&mut work.step, iterations)),
            Self::Theirs(worker) => worker.run(iterations),
        }
    }

    fn process(&self) -> u32 {
        match self {
            Self::Ours(_) => std::process::id(),
            Self::Theirs(worker) => worker.id(),
        }
    }

    /// Iterations that fill a round, after those that a fresh side needs to settle.
    fn settle(&mut self) -> Result<usize, Box<dyn Error>> {
        self.run(2)?;
        let once = median(self.run(3)?);
        Ok((ROUND_S / once).clamp(1.0, MOST_ITERATIONS) as usize)
    }
}

/// The sides that run, ours first, and which of theirs are among them.
type Sides<'a> = (Vec<Side>, Vec<&'a Theirs>);

impl Measurement {
    /// Nothing measured yet; without `python` our side alone.
    pub fn new(arguments: &Arguments, python: Option<Python>) -> Self {
        Self {
            rounds: arguments.rounds.get(),
            python,
            torch: None,
            stream: None,
        }
    }

    /// PyTorch and its Python, once a worker has reported.
    pub fn torch(&self) -> Option<&str> {
        self.torch.as_deref()
    }

    /// All lines of a row: each of ours beside each of theirs, from the same rounds.
    pub fn row(&mut self, row: &Row) -> Result<Vec<Line>, Box<dyn Error>> {
        let (mut sides, present) = self.sides(row)?;
        let iterations: Vec<usize> = sides
            .iter_mut()
            .map(Side::settle)
            .collect::<Result<_, _>>()?;
        let mut times = vec![Times::default(); sides.len()];
        let [mut ones, mut manys, mut triads] = [const { Vec::new() }; 3];
        let watch = Watch::begin(sides.iter().map(Side::process).collect());
        for _ in 0..self.rounds {
            for ((side, &iterations), times) in sides.iter_mut().zip(&iterations).zip(&mut times) {
                sleep(PAUSE);
                times.0.push(side.run(iterations)?);
            }
            if row.bytes.is_some() {
                sleep(PAUSE);
                let stream = self.stream.get_or_insert_with(Stream::new);
                ones.push(READ_BYTES as f64 / fastest(|| _ = black_box(stream.read())));
                manys.push(READ_BYTES as f64 / fastest(|| _ = black_box(stream.read_many())));
                triads.push(TRIAD_BYTES as f64 / fastest(|| stream.triad()));
            }
        }
        let disturbance = watch.end();
        let bandwidth = row.bytes.map(|bytes| {
            let read_one = median(ones);
            Bandwidth {
                bytes,
                read: median(manys).max(read_one),
                read_one,
                triad: median(triads),
            }
        });
        let theirs = times.split_off(row.ours.len());
        let mut lines = Vec::new();
        for (ours, times) in row.ours.iter().zip(times) {
            let mut alone = Line::alone(row, ours, times);
            (alone.bandwidth, alone.disturbance) = (bandwidth, disturbance);
            if theirs.is_empty() {
                lines.push(alone.clone());
            }
            for (with, theirs) in present.iter().zip(&theirs) {
                let mut line = alone.clone();
                line.theirs_label = with.label;
                line.theirs = Some(theirs.clone());
                line.at_least = std::ptr::eq(*with, &row.theirs[0]).then_some(row.at_least);
                line.command = worker::command(with);
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// Ours, then those of theirs that start; the others are left out with a message.
    fn sides<'a>(&mut self, row: &'a Row) -> Result<Sides<'a>, Box<dyn Error>> {
        let ours = row.ours.iter().map(|ours| (ours.build)());
        let mut sides: Vec<Side> = ours.map(Side::Ours).collect();
        let mut present = Vec::new();
        let Some(python) = &self.python else {
            return Ok((sides, present));
        };
        for theirs in &row.theirs {
            let worker = match python.start(theirs) {
                Ok(worker) => worker,
                Err(error) => {
                    eprintln!("  left out: {error}");
                    continue;
                }
            };
            let Ready { torch, python, .. } = &worker.ready;
            self.torch = Some(format!("torch {torch}, Python {python}"));
            check_sizes(&sides, &worker, theirs)?;
            sides.push(Side::Theirs(worker));
            present.push(theirs);
        }
        Ok((sides, present))
    }
}

fn check_sizes(ours: &[Side], worker: &Worker, theirs: &Theirs) -> Result<(), Box<dyn Error>> {
    let found = (worker.ready.parameters, worker.ready.table_parameters);
    for side in ours {
        if let Side::Ours(work) = side
            && (work.parameters, work.table_parameters) != found
        {
            return Err(format!(
                "`{}` updates {} parameters and {} of tables, ours {} and {}",
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

/// The fastest of three, in seconds: the limit is what the machine can do.
fn fastest(mut step: impl FnMut()) -> f64 {
    time(&mut step, 3).into_iter().fold(f64::INFINITY, f64::min)
}

impl Line {
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
            at_least: None,
            share_at_least: row.share_at_least,
            bandwidth: None,
            disturbance: None,
            command: String::new(),
        }
    }
}
