//! Configuration of the system's allocator.
//!
//! A training step frees and allocates the same large buffers repeatedly. By default glibc returns each of them to the
//! system, which causes thousands of page faults per step (measured in docs/log.md).

/// Configures glibc's allocator not to return freed memory to the system. No effect with another C library.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: called once, before other threads allocate; the options and values are those that glibc documents.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}

/// Returns freed memory to the system, so that it does not count in the next measurement of memory. No effect with
/// another C library than glibc.
pub fn return_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim has no preconditions and releases unused pages only.
    unsafe {
        libc::malloc_trim(0);
    }
}
