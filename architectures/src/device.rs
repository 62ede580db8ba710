//! The devices that were compiled in, and those that could have been.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// Burn's own CPU backend.
    Flex,
    /// The CPU through libtorch.
    #[cfg(feature = "tch")]
    Libtorch,
    /// The first NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Cuda,
    /// The GPU that the Vulkan driver puts first.
    #[cfg(feature = "vulkan")]
    Vulkan,
    /// The GPU that wgpu chooses, through whatever graphics API there is.
    #[cfg(feature = "wgpu")]
    Wgpu,
}

/// Names beyond the default build's, and the feature that each needs.
const OPTIONAL: [(&str, &str); 4] = [
    ("libtorch", "tch"),
    ("cuda", "cuda"),
    ("vulkan", "vulkan"),
    ("wgpu", "wgpu"),
];

impl DeviceName {
    /// All that were compiled in.
    pub const ALL: &[Self] = &[
        Self::Flex,
        #[cfg(feature = "tch")]
        Self::Libtorch,
        #[cfg(feature = "cuda")]
        Self::Cuda,
        #[cfg(feature = "vulkan")]
        Self::Vulkan,
        #[cfg(feature = "wgpu")]
        Self::Wgpu,
    ];

    /// The device, without autodiff. A GPU is first looked for when something runs on it.
    pub fn open(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "tch")]
            #[allow(deprecated)] // So Burn calls its libtorch backend.
            Self::Libtorch => Device::libtorch(),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flex => "flex",
            #[cfg(feature = "tch")]
            Self::Libtorch => "libtorch",
            #[cfg(feature = "cuda")]
            Self::Cuda => "cuda",
            #[cfg(feature = "vulkan")]
            Self::Vulkan => "vulkan",
            #[cfg(feature = "wgpu")]
            Self::Wgpu => "wgpu",
        })
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|device| device.to_string() == name);
        if let Some(device) = found {
            return Ok(*device);
        }
        let known = Self::ALL.iter().map(Self::to_string).collect::<Vec<_>>();
        let known = known.join(", ");
        Err(match OPTIONAL.iter().find(|(device, _)| *device == name) {
            Some((_, feature)) => {
                format!(
                    "this build has: {known}; build with `--features {feature}` (docs/devices.md)"
                )
            }
            None => format!("no such device; this build has: {known}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for device in DeviceName::ALL {
            assert_eq!(device.to_string().parse(), Ok(*device));
        }
    }

    #[test]
    fn what_is_not_compiled_in_names_its_feature() {
        for (name, feature) in OPTIONAL {
            match name.parse::<DeviceName>() {
                Ok(device) => assert_eq!(device.to_string(), name),
                Err(message) => assert!(message.contains(&format!("--features {feature}"))),
            }
        }
        let message = "abacus".parse::<DeviceName>().unwrap_err();
        assert!(
            message.starts_with("no such device; this build has: flex"),
            "{message}"
        );
    }
}
