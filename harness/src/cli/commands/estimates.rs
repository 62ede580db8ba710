//! Estimates of the runs of a plan on the devices that options name.

use architectures::DeviceName;
use experiment::device_kind::DeviceKind;
use experiment::estimate::{Assumptions, Estimate};
use experiment::memory_need::{Bytes, NumericFormat};
use experiment::plan::{Plan, Run};
use experiment::quantity::bytes;
use harness::error::Error;
use harness::probe::memory::machine_memory;
use harness::probe::speeds::{Speeds, TrainedOn};
use harness::record::folders::Folders;

use crate::cli::arguments::DeviceOptions;

/// The runs of a plan with their estimates, and what these assume.
pub struct Estimates<'a> {
    /// In the order of the plan.
    pub runs: Vec<(&'a Run, Estimate)>,
    /// What is assumed of a device.
    pub assumed: Assumptions,
    /// Where speeds come from.
    pub speeds: Speeds,
    kind: Option<&'static DeviceKind>,
    memory_is_stated: bool,
}

impl<'a> Estimates<'a> {
    /// The estimates of the runs of `plan`.
    ///
    /// # Errors
    /// If a model is invalid, or neither option nor system states the memory of a device.
    pub fn of(
        plan: &'a Plan,
        folders: &Folders,
        options: &DeviceOptions,
        format: Option<NumericFormat>,
        price: Option<f64>,
    ) -> Result<Self, Error> {
        let kind = options.device_kind.map(|named| named.0);
        let on = match kind {
            None => TrainedOn::ThisMachine,
            Some(kind) => TrainedOn::Kind {
                kind,
                utilisation: options.mfu,
                format,
                recorded_as: options.recorded_as.clone(),
            },
        };
        let assumed = Assumptions {
            format,
            device_memory: memory(options)?,
            price,
        };
        let device = DeviceName::Flex.open();
        let speeds = Speeds::gather(folders, device, options.throughput, on);
        let estimate = |run| Ok((run, Estimate::of(run, speeds.of(run), &assumed)?));
        Ok(Self {
            runs: plan
                .runs
                .iter()
                .map(estimate)
                .collect::<Result<_, Error>>()?,
            assumed,
            kind,
            memory_is_stated: options.device_memory.is_some(),
            speeds,
        })
    }

    /// What a device is, in words.
    pub fn device(&self) -> String {
        let memory = bytes(self.assumed.device_memory);
        match (self.kind, self.memory_is_stated) {
            (Some(kind), true) => format!("{kind}, with {memory} of memory as stated"),
            (Some(kind), false) => kind.to_string(),
            (None, true) => format!("a device of {memory}"),
            (None, false) => format!(
                "this machine's processor with {memory} of memory; --device-kind names another"
            ),
        }
    }
}

fn memory(options: &DeviceOptions) -> Result<Bytes, Error> {
    let of_kind = || options.device_kind.map(|named| named.0.memory);
    let memory = options.device_memory.or_else(of_kind);
    memory
        .or_else(machine_memory)
        .ok_or_else(|| Error::Argument {
            argument: "--device-memory".to_owned(),
            problem: "is not given, and this system does not say how much memory it has".to_owned(),
            remedy: "state it, such as --device-memory 16GiB, or --device-kind".to_owned(),
        })
}
