//! Timing of one part.

use std::time::Instant;

use architectures::{Builder, BuiltPart, Init, Pass, TokenIds};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;
use random::stream;

use super::grid::ProbedPart;
use super::peaks::sync;
use super::phase::Phase;
use super::repeats::REPEATS;
use crate::run::execute::Failure;
use experiment::memory_need::Bytes;
use experiment::training::TrainingConfig;

use crate::process::allocator;
use crate::process::peak_memory;
use crate::train::step::{LearningRates, Optimizers, differentiate};

/// Times parts on one device.
pub struct PartTimer<'a> {
    /// Device of the computation, without autodiff.
    pub device: &'a Device,
    /// Optimizers and clipping of a step.
    pub training: &'a TrainingConfig,
    /// Checked between passes; true to stop.
    pub stop: &'a dyn Fn() -> bool,
}

/// Measurements of one phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// Seconds of each pass after the first.
    pub seconds: Vec<f64>,
    /// Peak memory since the previous phase, or since before the part was built.
    pub peak_memory_bytes: Bytes,
}

/// A part with its parameters and optimizers.
struct TimedPart<'a> {
    part: &'a ProbedPart,
    /// `None` during an update.
    built: Option<BuiltPart>,
    optimizers: Optimizers,
    training: &'a TrainingConfig,
    device: Device,
    passes: u64,
}

impl PartTimer<'_> {
    /// Builds `part` and times `phases` in their order.
    ///
    /// # Arguments
    /// * `on_timed`: called with the measurements of each phase.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] if `stop` is true, or the error of `on_timed`.
    pub fn measure(
        &self,
        part: &ProbedPart,
        phases: &[Phase],
        mut on_timed: impl FnMut(Phase, Timed) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Memory that earlier parts freed must not count for this one.
        allocator::return_freed_memory();
        self.device.memory_cleanup();
        peak_memory::reset();
        let mut timed_part = TimedPart::new(part, self.training, self.device);
        for &phase in phases {
            let mut seconds = Vec::new();
            if phase == Phase::Step {
                timed_part.allocate_moments();
            }
            // The first pass is not timed: it compiles kernels and allocates memory.
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

    /// Bytes reserved by the device's allocator if it reports them, else the peak of the process.
    fn peak_memory(&self) -> Bytes {
        let pools = self.device.memory_pool_usage();
        pools.map_or_else(peak_memory::bytes, |pools| pools.bytes_reserved)
    }
}

impl<'a> TimedPart<'a> {
    fn new(part: &'a ProbedPart, training: &'a TrainingConfig, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let built = part
            .kind
            .build(&mut Builder::new(&part.decoder, 0, &device).rough());
        Self {
            part,
            optimizers: Optimizers::new(training),
            built: Some(built),
            training,
            device,
            passes: 0,
        }
    }

    /// Allocates the moments of all rows. In training they are soon allocated; here page faults would otherwise fall
    /// into the timed passes.
    fn allocate_moments(&self) {
        for table in self.built.iter().flat_map(BuiltPart::tables) {
            table.allocate_moments(self.training.table_moments);
        }
    }

    /// Seconds of one pass. Each pass has new tokens, since rows of the previous ones may be in the cache.
    fn pass(&mut self, phase: Phase) -> f64 {
        self.passes += 1;
        match phase {
            Phase::Forward => self.forward(),
            Phase::Step => self.step(),
        }
    }

    fn forward(&self) -> f64 {
        let Some(built) = &self.built else {
            return f64::NAN;
        };
        let built = built.valid();
        let device = self.device.clone().inner();
        let (x, tokens) = (self.hidden(&device), self.tokens(&device));
        timed(&device, || {
            built.forward(x, tokens, &mut Pass::evaluation())
        })
        .0
    }

    /// A training step as in a decoder: on a fork of the parameters, with the gradient of the input.
    fn step(&mut self) -> f64 {
        let Some(built) = self.built.take() else {
            return f64::NAN;
        };
        let device = self.device.clone();
        let (x, tokens) = (self.hidden(&device).require_grad(), self.tokens(&device));
        let output_gradient = self.output_gradient();
        let (seconds, built) = timed(&device, || self.update(built, x, tokens, output_gradient));
        self.built = Some(built);
        seconds
    }

    fn update(
        &mut self,
        built: BuiltPart,
        x: Tensor<3>,
        tokens: TokenIds,
        output_gradient: Tensor<3>,
    ) -> BuiltPart {
        let gradients = differentiate(&built, &self.device, 1.0, |built, pass| {
            (built.forward(x, tokens, pass) * output_gradient).sum()
        });
        let batch = gradients.into();
        let rates = LearningRates::of(self.training, 1.0);
        let norms = self.optimizers.numbers(&built, &batch).norms;
        self.optimizers
            .update(built, batch.parameters, norms, rates)
            .0
    }

    /// Random hidden states `[1, seq_len, d_model]` with the scale of normalised ones.
    fn hidden(&self, device: &Device) -> Tensor<3> {
        let decoder = &self.part.decoder;
        self.normal("hidden", decoder.d_model, 1.0, device)
    }

    /// A random gradient of the output, with the scale of that of a mean over tokens.
    fn output_gradient(&self) -> Tensor<3> {
        let decoder = &self.part.decoder;
        let width = self.part.kind.output_width(decoder);
        let std = 1.0 / decoder.seq_len as f64;
        self.normal("arriving", width, std, &self.device)
    }

    fn normal(&self, name: &str, width: usize, std: f64, device: &Device) -> Tensor<3> {
        let shape = [1, self.part.decoder.seq_len, width];
        let name = format!("probe.{name}.{}", self.passes);
        Tensor::from_data(Init::TruncatedNormal(std).draw(0, &name, shape), device)
    }

    fn tokens(&self, device: &Device) -> TokenIds {
        let decoder = &self.part.decoder;
        let mut rng = stream(0, "probe.tokens", self.passes);
        let tokens = (0..decoder.seq_len).map(|_| rng.random_range(0..decoder.vocab_size as i64));
        TokenIds::from_host(tokens.collect(), [1, decoder.seq_len], device)
    }
}

/// Seconds of `work`, including all kernels that it launches, and its result, so that dropping it is not timed.
fn timed<T>(device: &Device, work: impl FnOnce() -> T) -> (f64, T) {
    sync(device);
    let clock = Instant::now();
    let result = work();
    sync(device);
    (clock.elapsed().as_secs_f64(), result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::grid::targets;
    use experiment::sweep_file::Sweep;

    #[test]
    fn both_phases_of_every_part_are_timed_and_only_a_step_changes_the_table() {
        let text = experiment::testing::SWEEP;
        let plan = experiment::plan::Plan::new(Sweep::parse("f.toml", text).unwrap()).unwrap();
        let all = targets(&plan, 8).unwrap();
        let timer = PartTimer {
            device: &Device::flex(),
            training: &plan.runs[0].training,
            stop: &|| false,
        };
        for part in crate::probe::grid::parts_to_time(&all[1..2], &all, &|_| false) {
            let mut measured_phases = Vec::new();
            let measured = timer.measure(&part, &Phase::ALL, |phase, timed| {
                assert!(timed.seconds.iter().all(|&seconds| seconds > 0.0));
                assert!(timed.peak_memory_bytes > 0);
                measured_phases.push((phase, timed.seconds.len()));
                Ok(())
            });
            assert!(measured.is_ok(), "{part}: {measured:?}");
            assert_eq!(
                measured_phases,
                [(Phase::Forward, 5), (Phase::Step, 5)],
                "{part}"
            );

            let mut timed_part = TimedPart::new(&part, timer.training, timer.device);
            let values = |timed_part: &TimedPart| -> Vec<f32> {
                let built = timed_part.built.as_ref().unwrap();
                let tables = built.tables().into_iter();
                tables
                    .flat_map(|table| table.values().into_data().iter::<f32>().collect::<Vec<_>>())
                    .collect()
            };
            let before = values(&timed_part);
            timed_part.pass(Phase::Forward);
            assert_eq!(before, values(&timed_part));
            timed_part.pass(Phase::Step);
            assert_eq!(before.is_empty(), before == values(&timed_part), "{part}");
        }
    }

    #[test]
    fn a_stop_request_ends_the_timing_between_passes() {
        let text = experiment::testing::SWEEP;
        let plan = experiment::plan::Plan::new(Sweep::parse("f.toml", text).unwrap()).unwrap();
        let all = targets(&plan, 8).unwrap();
        let timer = PartTimer {
            device: &Device::flex(),
            training: &plan.runs[0].training,
            stop: &|| true,
        };
        let parts = crate::probe::grid::parts_to_time(&all[..1], &all, &|_| false);
        let stopped = timer.measure(&parts[0], &Phase::ALL, |_, _| Ok(()));
        assert!(matches!(stopped, Err(Failure::Interrupted)));
    }
}
