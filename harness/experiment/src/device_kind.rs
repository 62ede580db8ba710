//! Kinds of devices: rates, memory and bandwidth by their datasheets.

use std::fmt;
use std::str::FromStr;

use crate::memory_need::{Bytes, NumericFormat};
use crate::quantity::{bytes, count};
use crate::speed::FlopRate;

/// A kind of device. Rates are peaks of dense products with f32 accumulation, as the maker states them.
#[derive(Debug, PartialEq)]
pub struct DeviceKind {
    /// Its name in options.
    pub name: &'static str,
    /// Its full name.
    pub title: &'static str,
    /// Memory in bytes, with the maker's decimal prefixes: what a driver and an allocator keep for themselves is about the
    /// difference from binary ones.
    pub memory: Bytes,
    /// Bytes per second of its memory.
    pub bandwidth: f64,
    /// FLOP/s of f32, without the reduced precision of TF32.
    f32: FlopRate,
    /// FLOP/s of bf16.
    bf16: FlopRate,
}

/// The kinds that are known.
///
/// Sources: NVIDIA's "H100 Tensor Core GPU" (SXM5, without sparsity), "H200 Tensor Core GPU", "A100 Tensor Core GPU" (SXM4) and "L40S"
/// datasheets; "Ada GPU Architecture" and "GA102 GPU Architecture" white papers, for products of 16 bits with f32
/// accumulation; AMD's "Instinct MI300X Accelerator" data sheet.
pub const DEVICE_KINDS: [DeviceKind; 8] = [
    DeviceKind {
        name: "h100",
        title: "NVIDIA H100 SXM",
        memory: 80_000_000_000,
        bandwidth: 3.35e12,
        f32: 67e12,
        bf16: 989.4e12,
    },
    DeviceKind {
        name: "h200",
        title: "NVIDIA H200 SXM",
        memory: 141_000_000_000,
        bandwidth: 4.8e12,
        f32: 67e12,
        bf16: 989.4e12,
    },
    DeviceKind {
        name: "a100",
        title: "NVIDIA A100 SXM 80 GB",
        memory: 80_000_000_000,
        bandwidth: 2.039e12,
        f32: 19.5e12,
        bf16: 312e12,
    },
    DeviceKind {
        name: "a100-40gb",
        title: "NVIDIA A100 SXM 40 GB",
        memory: 40_000_000_000,
        bandwidth: 1.555e12,
        f32: 19.5e12,
        bf16: 312e12,
    },
    DeviceKind {
        name: "l40s",
        title: "NVIDIA L40S",
        memory: 48_000_000_000,
        bandwidth: 0.864e12,
        f32: 91.6e12,
        bf16: 362.05e12,
    },
    DeviceKind {
        name: "rtx4090",
        title: "NVIDIA GeForce RTX 4090",
        memory: 24_000_000_000,
        bandwidth: 1.008e12,
        f32: 82.6e12,
        bf16: 165.2e12,
    },
    DeviceKind {
        name: "rtx3090",
        title: "NVIDIA GeForce RTX 3090",
        memory: 24_000_000_000,
        bandwidth: 0.936e12,
        f32: 35.6e12,
        bf16: 71e12,
    },
    DeviceKind {
        name: "mi300x",
        title: "AMD Instinct MI300X",
        memory: 192_000_000_000,
        bandwidth: 5.3e12,
        f32: 163.4e12,
        bf16: 1307.4e12,
    },
];

impl DeviceKind {
    /// The peak rate of products in `format`.
    pub fn peak(&self, format: NumericFormat) -> FlopRate {
        match format {
            NumericFormat::F32 => self.f32,
            NumericFormat::Bf16 => self.bf16,
        }
    }

    /// The kind named `name`.
    ///
    /// # Errors
    /// If there is none; the message lists all.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        let found = DEVICE_KINDS.iter().find(|kind| kind.name == name);
        found.ok_or_else(|| {
            let names = DEVICE_KINDS.each_ref().map(|kind| kind.name).join(", ");
            format!(
                "choose from: {names}; or state another device by --device-memory and --throughput"
            )
        })
    }
}

/// The name with what the datasheet states.
impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (datasheet: {}, {}B/s, f32 {} and bf16 {} FLOP/s)",
            self.title,
            bytes(self.memory),
            count(self.bandwidth),
            count(self.f32),
            count(self.bf16)
        )
    }
}

/// A kind that an option names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedKind(pub &'static DeviceKind);

impl FromStr for NamedKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        DeviceKind::named(name).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_name_and_others_are_errors() {
        for kind in &DEVICE_KINDS {
            assert_eq!(DeviceKind::named(kind.name), Ok(kind));
            assert!(kind.peak(NumericFormat::Bf16) > kind.peak(NumericFormat::F32));
        }
        let message = "laptop".parse::<NamedKind>().unwrap_err();
        assert!(message.contains("h100, h200") && message.contains("--throughput"));
    }
}
