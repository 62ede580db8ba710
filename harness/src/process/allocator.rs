//! The allocator of the programs of this package.
//!
//! A training step frees and allocates the same buffers repeatedly, small ones by the thousand in a small model. The system's
//! allocator returns large ones to the system, which costs page faults in every step, and took 7 to 14 % of a small step otherwise
//! (docs/log.md).

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Returns freed memory to the system, so that it does not count in the next measurement of memory.
pub fn return_freed_memory() {
    // SAFETY: `mi_collect` has no preconditions.
    unsafe { libmimalloc_sys::mi_collect(true) }
}
