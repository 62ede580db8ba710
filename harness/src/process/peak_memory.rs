//! The most memory this process held at once.
//!
//! The figure is the process's, not a run's. On Linux the mark is set back before each run, so that it is the run's
//! own peak on top of what the process already held; elsewhere it is the peak since the process began.

/// Forgets the peak so far, where the system can.
pub fn reset() {
    if cfg!(target_os = "linux") && std::fs::write("/proc/self/clear_refs", "5").is_err() {
        tracing::debug!(
            "peak memory cannot be reset here; it counts from the start of the process"
        );
    }
}

/// The peak in bytes; 0 where the system does not report it.
pub fn bytes() -> u64 {
    resident_high_water().unwrap_or_else(usage)
}

/// `VmHWM` of `/proc/self/status`, on Linux.
fn resident_high_water() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(unix)]
fn usage() -> u64 {
    // SAFETY: the struct is plain data that getrusage fills in.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid for the call.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) } != 0 {
        return 0;
    }
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    usage.ru_maxrss as u64 * unit
}

#[cfg(not(unix))]
fn usage() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_large_allocation_shows() {
        super::reset();
        let before = super::bytes();
        let block = std::hint::black_box(vec![1u8; 256 << 20]);
        assert!(super::bytes() >= before.max(block.len() as u64));
    }
}
