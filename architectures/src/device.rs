//! The devices of this build, and the features that add others.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// A device by name. GPUs are counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// Burn's own CPU backend.
    Flex,
    /// The CPU through libtorch.
    #[cfg(feature = "tch")]
    Libtorch,
    /// An NVIDIA GPU through libtorch.
    #[cfg(feature = "tch")]
    LibtorchCuda(usize),
    /// An NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Cuda(usize),
    /// A discrete GPU through Vulkan, or the driver's default GPU.
    #[cfg(feature = "vulkan")]
    Vulkan(Option<usize>),
    /// A discrete GPU through any graphics API, or wgpu's default GPU.
    #[cfg(feature = "wgpu")]
    Wgpu(Option<usize>),
}

/// Names of devices outside the default build without the number of a GPU, and the feature of each.
const OPTIONAL: [(&str, &str); 5] = [
    ("libtorch", "tch"),
    ("libtorch:cuda", "tch"),
    ("cuda", "cuda"),
    ("vulkan", "vulkan"),
    ("wgpu", "wgpu"),
];

/// How the devices of this build are written; `N` is the number of a GPU.
const SPELLINGS: &[&str] = &[
    "flex",
    #[cfg(feature = "tch")]
    "libtorch",
    #[cfg(feature = "tch")]
    "libtorch:cuda:N",
    #[cfg(feature = "cuda")]
    "cuda, cuda:N",
    #[cfg(feature = "vulkan")]
    "vulkan, vulkan:N",
    #[cfg(feature = "wgpu")]
    "wgpu, wgpu:N",
];

impl DeviceName {
    /// The device of this name, if this machine has it.
    ///
    /// # Errors
    ///
    /// If no device has the name, this build lacks its feature, the number of the GPU is not a number, or this machine has no such GPU.
    pub fn find(name: &str) -> Result<Self, String> {
        let device: Self = name.parse()?;
        match device.is_present() {
            true => Ok(device),
            false => Err(format!(
                "this machine has no such GPU, or no driver for it; GPUs are counted from 0 (`{name}`)"
            )),
        }
    }

    /// Whether this machine has the device.
    fn is_present(self) -> bool {
        match self {
            Self::Flex => true,
            #[cfg(feature = "tch")]
            Self::Libtorch => true,
            #[cfg(feature = "tch")]
            Self::LibtorchCuda(gpu) => {
                i64::try_from(gpu).is_ok_and(|gpu| gpu < tch::Cuda::device_count())
            }
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => self.is_among(burn::tensor::DeviceType::Cuda),
            #[cfg(feature = "vulkan")]
            Self::Vulkan(_) => self.is_among(burn::tensor::DeviceType::Vulkan),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) => self.is_among(burn::tensor::DeviceType::Wgpu),
        }
    }

    /// Whether the device is one of a kind that this machine has; for the default GPU, whether there is any.
    #[cfg(any(feature = "cuda", feature = "vulkan", feature = "wgpu"))]
    fn is_among(self, kind: burn::tensor::DeviceType) -> bool {
        let device = self.open();
        let is_default = match self {
            #[cfg(feature = "vulkan")]
            Self::Vulkan(gpu) => gpu.is_none(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.is_none(),
            _ => false,
        };
        Device::enumerate(kind)
            .into_iter()
            .any(|found| is_default || found == device)
    }

    /// The device, without autodiff. A GPU is initialised at its first operation.
    pub fn open(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "tch")]
            #[allow(deprecated)] // Burn has deprecated its libtorch backend.
            Self::Libtorch => Device::libtorch(),
            #[cfg(feature = "tch")]
            #[allow(deprecated)]
            Self::LibtorchCuda(gpu) => Device::libtorch_cuda(gpu),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => Device::cuda(gpu),
            #[cfg(feature = "vulkan")]
            Self::Vulkan(gpu) => Device::vulkan(discrete(gpu)),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => Device::wgpu(discrete(gpu)),
        }
    }

    /// The number of an NVIDIA GPU; `None` for other devices.
    pub fn nvidia_gpu(self) -> Option<usize> {
        match self {
            #[cfg(feature = "tch")]
            Self::LibtorchCuda(gpu) => Some(gpu),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => Some(gpu),
            _ => None,
        }
    }

    /// Whether tensors are in the host's memory.
    pub fn is_host(self) -> bool {
        match self {
            Self::Flex => true,
            #[cfg(feature = "tch")]
            Self::Libtorch => true,
            #[allow(unreachable_patterns)] // Builds without another device.
            _ => false,
        }
    }
}

#[cfg(any(feature = "vulkan", feature = "wgpu"))]
fn discrete(gpu: Option<usize>) -> burn::tensor::DeviceKind {
    use burn::tensor::DeviceKind;
    gpu.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu)
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flex => f.write_str("flex"),
            #[cfg(feature = "tch")]
            Self::Libtorch => f.write_str("libtorch"),
            #[cfg(feature = "tch")]
            Self::LibtorchCuda(gpu) => write!(f, "libtorch:cuda:{gpu}"),
            #[cfg(feature = "cuda")]
            Self::Cuda(0) => f.write_str("cuda"),
            #[cfg(feature = "cuda")]
            Self::Cuda(gpu) => write!(f, "cuda:{gpu}"),
            #[cfg(feature = "vulkan")]
            Self::Vulkan(None) => f.write_str("vulkan"),
            #[cfg(feature = "vulkan")]
            Self::Vulkan(Some(gpu)) => write!(f, "vulkan:{gpu}"),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(None) => f.write_str("wgpu"),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(Some(gpu)) => write!(f, "wgpu:{gpu}"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = SPELLINGS.join(", ");
        let (kind, number) = match name.rsplit_once(':') {
            Some((kind, number)) if number != "cuda" => (kind, Some(number)),
            _ => (name, None),
        };
        let is_optional = OPTIONAL.iter().find(|(device, _)| *device == kind);
        if kind != "flex" && is_optional.is_none() {
            return Err(format!("no such device; this build has: {known}"));
        }
        let gpu = match number {
            None => None,
            Some(_) if ["flex", "libtorch"].contains(&kind) => {
                return Err(format!(
                    "{kind} is the CPU and has no number; this build has: {known}"
                ));
            }
            Some(number) => Some(number.parse::<usize>().map_err(|_| {
                format!("{number:?} is not the number of a GPU; write `{kind}:0`, `{kind}:1`, ..")
            })?),
        };
        match (kind, gpu) {
            ("flex", _) => Ok(Self::Flex),
            #[cfg(feature = "tch")]
            ("libtorch", _) => Ok(Self::Libtorch),
            #[cfg(feature = "tch")]
            ("libtorch:cuda", gpu) => Ok(Self::LibtorchCuda(gpu.unwrap_or(0))),
            #[cfg(feature = "cuda")]
            ("cuda", gpu) => Ok(Self::Cuda(gpu.unwrap_or(0))),
            #[cfg(feature = "vulkan")]
            ("vulkan", gpu) => Ok(Self::Vulkan(gpu)),
            #[cfg(feature = "wgpu")]
            ("wgpu", gpu) => Ok(Self::Wgpu(gpu)),
            _ => {
                let feature = is_optional.map_or("", |(_, feature)| feature);
                Err(format!(
                    "this build has: {known}; build with `--features {feature}` (docs/devices.md)"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert_eq!("flex".parse(), Ok(DeviceName::Flex));
        for (name, _) in OPTIONAL {
            for name in [name.to_owned(), format!("{name}:0"), format!("{name}:3")] {
                if let Ok(device) = name.parse::<DeviceName>() {
                    assert_eq!(device.to_string().parse(), Ok(device), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_missing_device_names_its_feature() {
        for (name, feature) in OPTIONAL {
            if let Err(message) = name.parse::<DeviceName>() {
                assert!(
                    message.contains(&format!("--features {feature}")),
                    "{message}"
                );
            }
        }
        for name in ["abacus", "abacus:0", "gpu:cuda:0", ""] {
            let message = name.parse::<DeviceName>().unwrap_err();
            assert!(
                message.starts_with("no such device; this build has: flex"),
                "{message}"
            );
        }
    }

    #[test]
    fn the_number_of_a_gpu_is_a_number_of_a_gpu() {
        for name in [
            "cuda:",
            "cuda:x",
            "cuda:-1",
            "libtorch:cuda:1.5",
            "wgpu:0x1",
        ] {
            let message = name.parse::<DeviceName>().unwrap_err();
            assert!(
                message.contains("is not the number of a GPU"),
                "{name}: {message}"
            );
        }
        for name in ["flex:0", "libtorch:1"] {
            let message = name.parse::<DeviceName>().unwrap_err();
            assert!(
                message.contains("is the CPU and has no number"),
                "{name}: {message}"
            );
        }
    }

    #[test]
    fn a_gpu_that_this_machine_lacks_is_not_found() {
        assert_eq!(DeviceName::find("flex"), Ok(DeviceName::Flex));
        for name in [
            "libtorch:cuda:4096",
            "cuda:4096",
            "vulkan:4096",
            "wgpu:4096",
        ] {
            let message = DeviceName::find(name).unwrap_err();
            let built = name.parse::<DeviceName>().is_ok();
            assert_eq!(
                message.contains("this machine has no such GPU"),
                built,
                "{message}"
            );
        }
    }
}
