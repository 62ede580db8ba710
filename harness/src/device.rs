//! The devices that were compiled in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// Burn's own CPU backend.
    Flex,
}

impl DeviceName {
    /// All there are.
    pub const ALL: [Self; 1] = [Self::Flex];

    /// The device, without autodiff.
    pub fn open(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flex => "flex",
        })
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(|device| device.to_string()).join(", ");
        let found = Self::ALL
            .into_iter()
            .find(|device| device.to_string() == name);
        found.ok_or_else(|| format!("no such device in this build; it has: {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_lists_the_known_ones() {
        assert_eq!("flex".parse(), Ok(DeviceName::Flex));
        assert!(
            "cuda"
                .parse::<DeviceName>()
                .unwrap_err()
                .ends_with("it has: flex")
        );
    }
}
