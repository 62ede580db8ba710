//! One part, built at its true shape and timed.

use std::time::Instant;

use architectures::Init;
use architectures::{Builder, BuiltPart, Pass};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use random::stream;

use super::grid::Cell;
use super::peaks::sync;
use super::phase::Phase;
use super::repeats::REPEATS;
use crate::run::execute::Failure;
use experiment::memory_need::Bytes;
use experiment::training::TrainingConfig;

use crate::process::allocator;
use crate::process::peak_memory;
use crate::train::step::{LearningRates, Optimizers, differentiate};

/// Where and how parts are timed.
pub struct PartTimer<'a> {
    /// Without autodiff.
    pub device: &'a Device,
    /// Optimizers and clipping.
    pub training: &'a TrainingConfig,
    /// Whether to stop between two passes.
    pub stop: &'a dyn Fn() -> bool,
}

/// What was measured of one phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// Of each pass after the first.
    pub seconds: Vec<f64>,
    /// Since the part began to be built, or the phase before it ended.
    pub peak_memory_bytes: Bytes,
}

/// A part with its optimizers.
struct TimedPart<'a> {
    cell: &'a Cell,
    /// None while it is being updated.
    part: Option<BuiltPart>,
    optimizers: Optimizers,
    training: &'a TrainingConfig,
    device: Device,
    passes: u64,
}

impl PartTimer<'_> {
    /// Builds the part of `cell` and times `phases` in turn; `on_timed` is called with each as soon as it is measured.
    pub fn measure(
        &self,
        cell: &Cell,
        phases: &[Phase],
        mut on_timed: impl FnMut(Phase, Timed) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // What earlier cells left in the allocator is not this cell's.
        allocator::give_back_freed_memory();
        self.device.memory_cleanup();
        peak_memory::reset();
        let mut timed_part = TimedPart::new(cell, self.training, self.device);
        for &phase in phases {
            let mut seconds = Vec::new();
            if phase == Phase::Step {
                timed_part.allocate_moments();
            }
            // The first pass compiles, and finds its memory.
            timed_part.pass(phase);
            while !REPEATS.enough(&seconds) {
                if (self.stop)() {
                    return Err(Failure::Interrupted);
                }
                seconds.push(timed_part.pass(phase));
            }
            let timed = Timed {
                seconds,
                peak_memory_bytes: self.peak_memory(),
            };
            on_timed(phase, timed)?;
            peak_memory::reset();
        }
        Ok(())
    }

    /// What the device's own allocator took, else the process.
    fn peak_memory(&self) -> Bytes {
        let pools = self.device.memory_pool_usage();
        pools.map_or_else(peak_memory::bytes, |pools| pools.bytes_reserved)
    }
}

impl<'a> TimedPart<'a> {
    fn new(cell: &'a Cell, training: &'a TrainingConfig, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let part = cell
            .part
            .build(&mut Builder::new(&cell.decoder, 0, &device).rough());
        Self {
            cell,
            optimizers: Optimizers::new(training, &part),
            part: Some(part),
            training,
            device,
            passes: 0,
        }
    }

    /// In training every row is met sooner or later; here pages would be found within the timed passes.
    fn allocate_moments(&self) {
        for table in self.part.iter().flat_map(BuiltPart::tables) {
            table.allocate_moments();
        }
    }

    /// Seconds of one pass over tokens that no pass before has seen: rows that were just read would be in the cache.
    fn pass(&mut self, phase: Phase) -> f64 {
        self.passes += 1;
        match phase {
            Phase::Forward => self.forward(),
            Phase::Step => self.step(),
        }
    }

    fn forward(&self) -> f64 {
        let Some(part) = &self.part else {
            return f64::NAN;
        };
        let part = part.valid();
        let device = self.device.clone().inner();
        let (x, tokens) = (self.hidden(&device), self.tokens(&device));
        timed(&device, || part.forward(x, tokens, &mut Pass::evaluation())).0
    }

    /// As a decoder's step does it: on a fork of the parameters, with the gradient of the input.
    fn step(&mut self) -> f64 {
        let Some(part) = self.part.take() else {
            return f64::NAN;
        };
        let device = self.device.clone();
        let (x, tokens) = (self.hidden(&device).require_grad(), self.tokens(&device));
        let arriving = self.arriving();
        let (seconds, part) = timed(&device, || self.update(part, x, tokens, arriving));
        self.part = Some(part);
        seconds
    }

    fn update(
        &mut self,
        part: BuiltPart,
        x: Tensor<3>,
        tokens: Tensor<2, Int>,
        arriving: Tensor<3>,
    ) -> BuiltPart {
        let gradients = differentiate(&part, &self.device, 1.0, |part, pass| {
            (part.forward(x, tokens, pass) * arriving).sum()
        });
        let rates = LearningRates::of(self.training, 1.0);
        self.optimizers
            .update(
                part,
                gradients.dense,
                gradients.tables,
                &gradients.statistics,
                rates,
            )
            .0
    }

    /// Normed hidden states of one sequence.
    fn hidden(&self, device: &Device) -> Tensor<3> {
        let decoder = &self.cell.decoder;
        self.normal("hidden", decoder.d_model, 1.0, device)
    }

    /// The gradient of the output, as a mean over tokens would scale it.
    fn arriving(&self) -> Tensor<3> {
        let decoder = &self.cell.decoder;
        let width = self.cell.part.output_width(decoder);
        let std = 1.0 / decoder.seq_len as f64;
        self.normal("arriving", width, std, &self.device)
    }

    fn normal(&self, name: &str, width: usize, std: f64, device: &Device) -> Tensor<3> {
        let shape = [1, self.cell.decoder.seq_len, width];
        let name = format!("probe.{name}.{}", self.passes);
        Tensor::from_data(Init::TruncatedNormal(std).draw(0, &name, shape), device)
    }

    fn tokens(&self, device: &Device) -> Tensor<2, Int> {
        let decoder = &self.cell.decoder;
        let mut rng = stream(0, "probe.tokens", self.passes);
        let tokens = (0..decoder.seq_len).map(|_| rng.random_range(0..decoder.vocab_size as i64));
        let tokens = TensorData::new(tokens.collect::<Vec<_>>(), [1, decoder.seq_len]);
        Tensor::from_data(tokens, device)
    }
}

/// Seconds of `work` with all kernels that it started; its result is dropped later.
fn timed<T>(device: &Device, work: impl FnOnce() -> T) -> (f64, T) {
    sync(device);
    let clock = Instant::now();
    let made = work();
    sync(device);
    (clock.elapsed().as_secs_f64(), made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::grid::targets;
    use experiment::sweep_file::Sweep;

    #[test]
    fn both_phases_of_every_part_are_timed_and_a_step_moves_the_table() {
        let text = experiment::testing::SWEEP;
        let plan = experiment::plan::Plan::new(Sweep::parse("f.toml", text).unwrap()).unwrap();
        let all = targets(&plan, 8).unwrap();
        let bench = PartTimer {
            device: &Device::flex(),
            training: &plan.runs[0].training,
            stop: &|| false,
        };
        for cell in crate::probe::grid::cells(&all[1..2], &all, &|_| false) {
            let mut measured_phases = Vec::new();
            let measured = bench.measure(&cell, &Phase::ALL, |phase, timed| {
                assert!(timed.seconds.iter().all(|&seconds| seconds > 0.0));
                assert!(timed.peak_memory_bytes > 0);
                measured_phases.push((phase, timed.seconds.len()));
                Ok(())
            });
            assert!(measured.is_ok(), "{cell}: {measured:?}");
            assert_eq!(
                measured_phases,
                [(Phase::Forward, 5), (Phase::Step, 5)],
                "{cell}"
            );

            let mut timed_part = TimedPart::new(&cell, bench.training, bench.device);
            let values = |timed_part: &TimedPart| -> Vec<f32> {
                let part = timed_part.part.as_ref().unwrap();
                let tables = part.tables().into_iter();
                tables
                    .flat_map(|table| table.values().into_data().iter::<f32>().collect::<Vec<_>>())
                    .collect()
            };
            let before = values(&timed_part);
            timed_part.pass(Phase::Forward);
            assert_eq!(before, values(&timed_part));
            timed_part.pass(Phase::Step);
            assert_eq!(before.is_empty(), before == values(&timed_part), "{cell}");
        }
    }

    #[test]
    fn a_stop_request_ends_the_timing_between_passes() {
        let text = experiment::testing::SWEEP;
        let plan = experiment::plan::Plan::new(Sweep::parse("f.toml", text).unwrap()).unwrap();
        let all = targets(&plan, 8).unwrap();
        let bench = PartTimer {
            device: &Device::flex(),
            training: &plan.runs[0].training,
            stop: &|| true,
        };
        let cells = crate::probe::grid::cells(&all[..1], &all, &|_| false);
        let stopped = bench.measure(&cells[0], &Phase::ALL, |_, _| Ok(()));
        assert!(matches!(stopped, Err(Failure::Interrupted)));
    }
}
