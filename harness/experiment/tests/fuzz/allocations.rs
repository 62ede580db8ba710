//! An allocator that counts the bytes of each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes allocated by this thread and not freed by it, and their maximum since [`reset`].
    static BYTES: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, with counts.
pub struct Counting;

fn count(change: isize) {
    // Not available while a thread ends.
    let _ = BYTES.try_with(|bytes| {
        let (present, peak) = bytes.get();
        let present = present + change;
        bytes.set((present, peak.max(present)));
    });
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

/// Starts to count from zero.
pub fn reset() {
    BYTES.with(|bytes| bytes.set((0, 0)));
}

/// The largest number of bytes at once since [`reset`].
pub fn peak() -> isize {
    BYTES.with(|bytes| bytes.get().1)
}
