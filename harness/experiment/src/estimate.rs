//! What a run will need: memory, devices, time and money, before anything is built.

use architectures::ConfigError;

use crate::devices::{Devices, fewest};
use crate::memory_need::{Bytes, MemoryNeed, NumericFormat};
use crate::plan::Run;
use crate::speed::Speed;

/// What the estimates take for granted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumptions {
    /// What numbers are kept in.
    pub format: NumericFormat,
    /// Memory of one device.
    pub device_memory: Bytes,
    /// What a device costs for an hour, in any currency.
    pub price: Option<f64>,
}

/// What one run will need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Memory where a whole batch is worked on at once, as this program does.
    pub need: MemoryNeed,
    /// Memory where one sequence is worked on at a time, as the devices are counted for.
    pub by_sequence: MemoryNeed,
    /// The fewest devices that hold it; none where no number does.
    pub devices: Option<Devices>,
    /// Of one device.
    pub speed: Speed,
    /// Hours of one device, summed over all devices.
    pub device_hours: f64,
    /// Seconds on those devices, as if they lost nothing to each other.
    pub seconds: Option<f64>,
    /// Device-hours at the price.
    pub cost: Option<f64>,
}

impl Estimate {
    /// What `run` will need at `speed`.
    pub fn of(run: &Run, speed: Speed, assumed: &Assumptions) -> Result<Self, ConfigError> {
        let by_sequence = MemoryNeed::by_sequence(run, assumed.format);
        let devices = fewest(
            &by_sequence,
            run.model.tables()?.iter().map(|table| table.width).min(),
            assumed.device_memory,
        );
        let device_seconds = run.budget.train_flops / speed.rate();
        let device_hours = device_seconds / 3600.0;
        Ok(Self {
            need: MemoryNeed::of(run, assumed.format),
            by_sequence,
            devices,
            speed,
            device_hours,
            seconds: devices.map(|devices| device_seconds / devices.count as f64),
            cost: assumed.price.map(|price| price * device_hours),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;

    #[test]
    fn more_devices_take_less_time_and_cost_the_same() {
        let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
        let run = &plan.runs[1];
        let speed = Speed::Stated(1e6);
        let estimate = |device_memory| {
            let assumed = Assumptions {
                format: NumericFormat::F32,
                device_memory,
                price: Some(2.0),
            };
            Estimate::of(run, speed, &assumed).unwrap()
        };
        let one = estimate(1 << 30);
        assert_eq!(one.devices.map(|devices| devices.count), Some(1));
        assert_eq!(one.seconds, Some(run.budget.train_flops / 1e6));
        assert_eq!(one.cost, Some(run.budget.train_flops / 1e6 / 3600.0 * 2.0));
        let several = estimate(MemoryNeed::by_sequence(run, NumericFormat::F32).total() / 3);
        let count = several.devices.unwrap().count;
        assert!(count >= 3);
        assert_eq!(
            several.seconds,
            one.seconds.map(|seconds| seconds / count as f64)
        );
        assert_eq!(several.cost, one.cost);
    }
}
