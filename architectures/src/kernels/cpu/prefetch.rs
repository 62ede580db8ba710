//! Prefetch hints for memory that will be read.

/// Prefetches the cache lines of `values[start..start + len]` into the second-level cache; an address out of bounds is no error.
#[inline(always)]
pub fn prefetch<T>(values: &[T], start: usize, len: usize) {
    // The first-level cache is smaller than the data in flight.
    lines::<2, T>(values, start, len);
}

/// As [`prefetch`], into the first-level cache: for values that are used soon or are in the second-level cache already.
#[inline(always)]
pub fn prefetch_near<T>(values: &[T], start: usize, len: usize) {
    lines::<3, T>(values, start, len);
}

#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn lines<const HINT: i32, T>(values: &[T], start: usize, len: usize) {
    let first = values.as_ptr().wrapping_add(start);
    // From 0, so that a constant `len` gives a constant number of lines.
    for line in (0..len).step_by(const { 64 / size_of::<T>() }) {
        let address = first.wrapping_add(line);
        // SAFETY: a prefetch affects the cache only, of whatever address.
        unsafe { core::arch::x86_64::_mm_prefetch::<HINT>(address.cast()) };
    }
}

#[inline(always)]
#[cfg(not(target_arch = "x86_64"))]
fn lines<const HINT: i32, T>(_: &[T], _: usize, _: usize) {}
