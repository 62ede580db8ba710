//! The allocator of the programs of this package.
//!
//! A training step frees and allocates the same buffers repeatedly, small ones by the thousand in a small model. The system's
//! allocator returns large ones to the system, which costs page faults in every step, and took about a tenth of a small step even
//! where it was told to keep them (docs/log.md, 2026-11-28).

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_arena_reserve` of mimalloc 2, which the crate does not name.
#[cfg(target_os = "linux")]
const ARENA_RESERVE: libmimalloc_sys::mi_option_t = 23;

/// Address space that the allocator reserves at a time, KiB. Its default of 1 GiB would count where an administrator or `ulimit -v` limits
/// the address space of a process.
#[cfg(target_os = "linux")]
const RESERVED_KIB: std::ffi::c_long = 32 << 10;

/// The system calls this before the first allocation of Rust's runtime, after which the option would have no effect.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = reserve_little;

#[cfg(target_os = "linux")]
extern "C" fn reserve_little() {
    // SAFETY: sets a number; the option exists in the version of mimalloc that `Cargo.toml` selects.
    unsafe { libmimalloc_sys::mi_option_set(ARENA_RESERVE, RESERVED_KIB) }
}

/// Returns freed memory to the system, so that it does not count in the next measurement of memory.
pub fn return_freed_memory() {
    // SAFETY: `mi_collect` has no preconditions.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_reserves_little_address_space() {
        // SAFETY: reads a number.
        let reserved = unsafe { libmimalloc_sys::mi_option_get(ARENA_RESERVE) };
        assert_eq!(reserved, RESERVED_KIB);
    }
}
