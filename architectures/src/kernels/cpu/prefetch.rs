//! Prefetch hints for memory that will be read.

/// Prefetches the cache lines of `values[start..start + len]` into the second-level cache; no effect if that is out of bounds.
#[inline(always)]
pub fn prefetch<T>(values: &[T], start: usize, len: usize) {
    if let Some(values) = values.get(start..start + len) {
        // The first-level cache is smaller than the data in flight.
        lines::<2, T>(values);
    }
}

#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn lines<const HINT: i32, T>(values: &[T]) {
    for line in values.chunks(64 / size_of::<T>()) {
        // SAFETY: a prefetch of an address inside a live slice affects the cache only.
        unsafe { core::arch::x86_64::_mm_prefetch::<HINT>(line.as_ptr().cast()) };
    }
}

#[inline(always)]
#[cfg(not(target_arch = "x86_64"))]
fn lines<const HINT: i32, T>(_: &[T]) {}

/// As [`prefetch`], into the first-level cache: for values that are used soon or are in the second-level cache already.
#[inline(always)]
pub fn prefetch_near<T>(values: &[T], start: usize, len: usize) {
    if let Some(values) = values.get(start..start + len) {
        lines::<3, T>(values);
    }
}
