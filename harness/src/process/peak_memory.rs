//! Peak resident memory of the process.
//!
//! On Linux the peak is reset before each run, so that it is the peak of the process during that run; on other systems
//! it is the peak since the process started.

/// Resets the peak to the present resident memory. No effect except on Linux.
pub fn reset() {
    if cfg!(target_os = "linux") && std::fs::write("/proc/self/clear_refs", "5").is_err() {
        tracing::debug!(
            "cannot write /proc/self/clear_refs: peak memory is that since the start of the process"
        );
    }
}

/// The peak in bytes; 0 if the system does not report it.
pub fn bytes() -> u64 {
    resident_high_water().unwrap_or_else(max_rss)
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
fn max_rss() -> u64 {
    // SAFETY: all-zero bytes are a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid for the call.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) } != 0 {
        return 0;
    }
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    usage.ru_maxrss as u64 * unit
}

#[cfg(not(unix))]
fn max_rss() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_large_allocation_raises_the_peak() {
        super::reset();
        let before = super::bytes();
        let block = std::hint::black_box(vec![1u8; 256 << 20]);
        assert!(super::bytes() >= before.max(block.len() as u64));
    }
}
