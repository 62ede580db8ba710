//! The devices of this build, and the features that add others.

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
    /// The Vulkan driver's default GPU.
    #[cfg(feature = "vulkan")]
    Vulkan,
    /// wgpu's default GPU, through any graphics API.
    #[cfg(feature = "wgpu")]
    Wgpu,
}

/// Names of devices outside the default build, and the feature of each.
const OPTIONAL: [(&str, &str); 4] = [
    ("libtorch", "tch"),
    ("cuda", "cuda"),
    ("vulkan", "vulkan"),
    ("wgpu", "wgpu"),
];

impl DeviceName {
    /// All devices of this build.
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

    /// The device, without autodiff. A GPU is initialised at its first operation.
    pub fn open(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "tch")]
            #[allow(deprecated)] // Burn has deprecated its libtorch backend.
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
    fn names_round_trip() {
        for device in DeviceName::ALL {
            assert_eq!(device.to_string().parse(), Ok(*device));
        }
    }

    #[test]
    fn a_missing_device_names_its_feature() {
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
