//! Options about the devices on which a plan is estimated.

use clap::Args;
use experiment::device_kind::NamedKind;
use experiment::units;

/// Devices on which the runs of a plan would be trained; without any of these options, this machine's processor.
#[derive(Args)]
pub struct DeviceOptions {
    /// Kind of device, by whose datasheet memory and speed are estimated: h100, h200, a100, a100-40gb, l40s, rtx4090,
    /// rtx3090 or mi300x.
    #[arg(long, value_name = "KIND")]
    pub device_kind: Option<NamedKind>,
    /// Share of the datasheet's FLOP/s that training is assumed to reach.
    #[arg(long, value_name = "SHARE", default_value_t = 0.4, value_parser = share, requires = "device_kind")]
    pub mfu: f64,
    /// Use the probes and runs recorded on the device of this name, such as cuda, as those of --device-kind: records do not
    /// say what kind a GPU is of.
    #[arg(long, value_name = "DEVICE", requires = "device_kind")]
    pub recorded_as: Option<String>,
    /// Memory of one device, such as 80GiB; default: that of --device-kind, or of this machine.
    #[arg(long, value_name = "BYTES", value_parser = units::bytes)]
    pub device_memory: Option<u64>,
    /// FLOP/s of one device in training, such as 400T; default: from records, or assumed.
    #[arg(long, value_name = "RATE", value_parser = units::flop_rate)]
    pub throughput: Option<f64>,
}

/// Parses a number above 0 and at most 1.
fn share(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    (number > 0.0 && number <= 1.0)
        .then_some(number)
        .ok_or_else(|| "is not above 0 and at most 1".to_owned())
}
