//! An allocator that counts the bytes of the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

/// Bytes allocated and not freed since [`reset`].
static PRESENT: AtomicIsize = AtomicIsize::new(0);
/// Their maximum.
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator, with counts.
pub struct Counting;

fn count(change: isize) {
    let present = PRESENT.fetch_add(change, Ordering::Relaxed) + change;
    PEAK.fetch_max(present, Ordering::Relaxed);
}

// SAFETY: every method calls that of the system's allocator with its own arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's obligations are those of this method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Starts to count from zero; one test at a time may.
pub fn reset() {
    PRESENT.store(0, Ordering::Relaxed);
    PEAK.store(0, Ordering::Relaxed);
}

/// The largest number of bytes at once since [`reset`].
pub fn peak() -> isize {
    PEAK.load(Ordering::Relaxed)
}
