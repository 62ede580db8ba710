//! Memory that a probe may use. It is read before each part, since other processes also use the machine.

use architectures::DeviceName;

use crate::error::Error;
use experiment::memory_need::Bytes;
use experiment::quantity;

/// Largest expected need of a part, as a share of the free memory; the rest is a margin for what the formulas neglect.
const USABLE: f64 = 0.85;

/// The method by which free memory is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemoryKind {
    Host,
    /// `nvidia-smi`, for the GPU of a number.
    Nvidia(usize),
    /// No method: the limit is given by the caller.
    Unknown,
}

/// Memory of one device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceMemory {
    kind: MemoryKind,
    cap: Option<Bytes>,
}

impl DeviceMemory {
    /// The memory of `device`, at most `cap` bytes of it.
    ///
    /// # Errors
    /// If `cap` is `None` and the free memory cannot be read.
    pub fn of(device: DeviceName, cap: Option<Bytes>) -> Result<Self, Error> {
        let kind = match device.nvidia_gpu() {
            Some(gpu) => MemoryKind::Nvidia(gpu),
            None if device.is_host() => MemoryKind::Host,
            None => MemoryKind::Unknown,
        };
        if cap.is_none() && free(kind).is_none() {
            return Err(Error::Argument {
                argument: format!("--device {device}"),
                problem: "does not report its free memory".to_owned(),
                remedy: "set the memory that the probe may use, such as --memory 8GiB".to_owned(),
            });
        }
        Ok(Self { kind, cap })
    }

    /// Bytes that may be used now.
    pub fn usable(&self) -> Bytes {
        let free = free(self.kind).map(|free| (USABLE * free as f64) as Bytes);
        match (free, self.cap) {
            (Some(free), Some(cap)) => free.min(cap),
            (free, cap) => free.or(cap).unwrap_or(0),
        }
    }

    /// The message if `need` exceeds `usable`.
    pub fn shortage(&self, need: Bytes, usable: Bytes) -> String {
        let limit = match self.cap {
            Some(cap) if cap == usable => "--memory".to_owned(),
            _ => format!("{:.0} % of the free memory", 100.0 * USABLE),
        };
        format!(
            "needs {} ({need} bytes) of {} ({usable} bytes, {limit})",
            quantity::bytes(need),
            quantity::bytes(usable),
        )
    }
}

/// Free bytes; `None` if they cannot be read.
fn free(kind: MemoryKind) -> Option<Bytes> {
    match kind {
        MemoryKind::Host => free_on_host(),
        MemoryKind::Nvidia(gpu) => free_on_nvidia(gpu),
        MemoryKind::Unknown => None,
    }
}

/// Available memory of the system, at most what the control group (cgroup v1 or v2) allows.
fn free_on_host() -> Option<Bytes> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let system = available(&read("/proc/meminfo")?)?;
    let group = |limit: &str, used: &str| {
        let number = |path: &str| read(path)?.trim().parse::<Bytes>().ok();
        Some(number(limit)?.saturating_sub(number(used)?))
    };
    let two = group("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current");
    let one = group(
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    );
    Some(system.min(two.or(one).unwrap_or(Bytes::MAX)))
}

/// Memory of this machine, at most what the control group allows; `None` where the system does not say.
pub fn machine_memory() -> Option<Bytes> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let system = value_of(&read("/proc/meminfo")?, "MemTotal:")?;
    let limit = |path: &str| read(path)?.trim().parse::<Bytes>().ok();
    let limit = limit("/sys/fs/cgroup/memory.max")
        .or_else(|| limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    Some(system.min(limit.unwrap_or(Bytes::MAX)))
}

/// `MemAvailable` of `/proc/meminfo`.
fn available(meminfo: &str) -> Option<Bytes> {
    value_of(meminfo, "MemAvailable:")
}

/// The value of the line of `/proc/meminfo` that begins with `key`.
fn value_of(meminfo: &str, key: &str) -> Option<Bytes> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: Bytes = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Free memory of a GPU, as `nvidia-smi` reports it.
fn free_on_nvidia(gpu: usize) -> Option<Bytes> {
    let output = std::process::Command::new("nvidia-smi")
        .args(["-i", &gpu.to_string(), "--query-gpu=memory.free"])
        .arg("--format=csv,noheader,nounits")
        .output()
        .ok()?;
    let mebibytes: Bytes = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(mebibytes << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_only_lowers_the_usable_memory() {
        let free = DeviceMemory::of(DeviceName::Flex, None).unwrap().usable();
        let capped = |cap| {
            DeviceMemory::of(DeviceName::Flex, Some(cap))
                .unwrap()
                .usable()
        };
        assert!(free > 0);
        assert_eq!(capped(4096), 4096);
        assert!(capped(Bytes::MAX) < Bytes::MAX);
    }

    #[test]
    fn a_shortage_has_both_numbers_in_bytes() {
        let memory = DeviceMemory::of(DeviceName::Flex, Some(1 << 20)).unwrap();
        assert_eq!(
            memory.shortage(3 << 20, 1 << 20),
            "needs 3.00 MiB (3145728 bytes) of 1.00 MiB (1048576 bytes, --memory)"
        );
        assert!(
            memory
                .shortage(9, 8)
                .ends_with("(8 bytes, 85 % of the free memory)")
        );
    }

    #[test]
    fn available_memory_is_parsed_from_meminfo() {
        assert_eq!(
            available("MemTotal:  9 kB\nMemAvailable:    3 kB\n"),
            Some(3072)
        );
        assert_eq!(available("MemTotal:  9 kB\n"), None);
    }
}
