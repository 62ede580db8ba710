//! Freed memory stays with the process until it is given back explicitly.
//!
//! A training step frees and allocates the same large buffers again and again. By default the system's allocator returns
//! each of them, and every step then waits for thousands of page faults: see docs/log.md for what they cost.

/// Configures the allocator to keep what is freed; elsewhere than under glibc, nothing.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: called once, before other threads allocate; the options and their values are glibc's own.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}

/// Returns freed memory to the system: between measurements that should not see each other's; elsewhere than under glibc,
/// nothing.
pub fn give_back_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no argument can make it unsafe; it only returns unused pages.
    unsafe {
        libc::malloc_trim(0);
    }
}
