//! Estimates of the memory, devices, time and price of a run, computed before any model is built.

use architectures::ConfigError;

use crate::devices::{Devices, Distributed};
use crate::fitting::fitting_division;
use crate::memory_need::{Bytes, Formats, MemoryNeed, NumericFormat};
use crate::plan::Run;
use crate::speed::Speed;
use crate::training::{Division, Recompute, ZeroStage};

/// Assumptions of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumptions {
    /// Format of products and tables; that of each run if absent.
    pub format: Option<NumericFormat>,
    /// Memory of one device, in bytes.
    pub device_memory: Bytes,
    /// Price of one device-hour, in any currency.
    pub price: Option<f64>,
}

/// Estimated resources of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Memory of a step with the run's own settings.
    pub need: MemoryNeed,
    /// The settings with which the run fits one device, if it does not with its own and some do.
    pub fitting: Option<Division>,
    /// The smallest sufficient number of devices, as the run is configured; `None` if no number is sufficient.
    pub devices: Option<Devices>,
    /// The smallest sufficient number if sequences are computed one at a time, every layer again, and gradients are divided.
    pub least_devices: Option<Devices>,
    /// Training rate of one device, with its source.
    pub speed: Speed,
    /// Hours of training, summed over devices.
    pub device_hours: f64,
    /// Seconds of training on those devices, without the time of communication; `None` if `devices` is.
    pub seconds: Option<f64>,
    /// Price of the device-hours, in the currency of [`Assumptions::price`]; `None` if no price is assumed.
    pub cost: Option<f64>,
}

impl Estimate {
    /// The estimate for `run` at `speed` per device.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn of(run: &Run, speed: Speed, assumed: &Assumptions) -> Result<Self, ConfigError> {
        let formats = Formats::of(run, assumed.format);
        let need = MemoryNeed::of(run, formats)?;
        need.check()?;
        let fitting = match need.total() <= assumed.device_memory {
            true => None,
            false => fitting_division(run, formats, assumed.device_memory)?,
        };
        let own = Division::of(&run.training);
        let least = Division {
            accumulate: run.training.batch_size,
            micro_batches: 1,
            recompute: Recompute::Every(1),
            zero_stage: ZeroStage::Gradients,
            ..own
        };
        let devices =
            |division| Distributed::new(run, formats, division)?.min_devices(assumed.device_memory);
        let (devices, least_devices) = (devices(own)?, devices(least)?);
        let device_seconds = run.budget.train_flops / speed.rate();
        let device_hours = device_seconds / 3600.0;
        Ok(Self {
            need,
            fitting,
            devices,
            least_devices,
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
    fn time_is_divided_by_the_number_of_devices_and_the_price_is_not() {
        let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
        let run = &plan.runs[1];
        let speed = Speed::Stated(1e6);
        let estimate = |device_memory| {
            let assumed = Assumptions {
                format: None,
                device_memory,
                price: Some(2.0),
            };
            Estimate::of(run, speed, &assumed).unwrap()
        };
        let one = estimate(1 << 30);
        assert_eq!(one.devices.map(|devices| devices.count), Some(1));
        assert_eq!(one.seconds, Some(run.budget.train_flops / 1e6));
        assert_eq!(one.cost, Some(run.budget.train_flops / 1e6 / 3600.0 * 2.0));
        let several = estimate(one.need.total() / 2);
        let count = several.devices.unwrap().count;
        assert!(count >= 2);
        assert!(several.least_devices.unwrap().count <= count);
        assert_eq!(
            several.seconds,
            one.seconds.map(|seconds| seconds / count as f64)
        );
        assert_eq!(several.cost, one.cost);
    }
}
