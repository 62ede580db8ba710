//! Memory for tables: page-aligned, zero until written, on huge pages where the system grants them.
//!
//! The time of a lookup of a narrow row from a large table goes to address translation and to the additional cache line
//! of an unaligned row; huge pages and alignment avoid both. Pages are zero pages of the system until they are written:
//! moments that no update has written take no memory.

use std::mem::MaybeUninit;

use burn::tensor::{Bytes, DType, Device, Tensor, TensorData};
use cubecl_environment::bytes::{
    AccessError, AccessPolicy, AllocationController, AllocationProperty,
};
use memmap2::MmapMut;

/// The system did not allocate the memory of a table.
#[derive(Debug, thiserror::Error)]
#[error(
    "a table of {rows} x {width} f32 needs {bytes} bytes of memory for each of its values and two moments, and the \
     system did not allocate them ({reason}); lower n_keys or value_dim, or free memory"
)]
pub struct TableTooLarge {
    rows: usize,
    width: usize,
    bytes: u128,
    reason: String,
}

/// Zeros `[rows, width]`, none of whose pages has been written.
#[cfg(test)]
pub fn zeros(rows: usize, width: usize) -> Result<TensorData, TableTooLarge> {
    filled(rows, width, |_| {})
}

/// A table `[rows, width]` whose values `fill` writes.
pub fn filled(
    rows: usize,
    width: usize,
    fill: impl FnOnce(&mut [f32]),
) -> Result<TensorData, TableTooLarge> {
    let bytes = rows as u128 * width as u128 * size_of::<f32>() as u128;
    let rejected = |reason: String| TableTooLarge {
        rows,
        width,
        bytes,
        reason,
    };
    let len = usize::try_from(bytes).map_err(|error| rejected(error.to_string()))?;
    let mut memory = MmapMut::map_anon(len).map_err(|error| rejected(error.to_string()))?;
    // Without huge pages the system maps small ones, which is slower but correct.
    #[cfg(target_os = "linux")]
    let _ = memory.advise(memmap2::Advice::HugePage);
    // SAFETY: a mapping is aligned to pages, and every bit pattern is an f32.
    let values =
        unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast::<f32>(), rows * width) };
    fill(values);
    // SAFETY: an anonymous mapping is initialised, with zeros, over its whole length.
    let bytes = unsafe { Bytes::from_controller(Box::new(Mapping(memory)), len) };
    Ok(TensorData::from_bytes(bytes, [rows, width], DType::F32))
}

/// Both moments of a table before its first update; on the CPU, `touch` is called on their zeros.
pub fn zero_moments(
    [rows, width]: [usize; 2],
    device: &Device,
    touch: fn(&mut [f32]),
) -> (Tensor<2>, Tensor<2>) {
    // Other devices allocate zeros themselves, without a transfer.
    let zeros = || match *device == Device::flex() {
        true => filled_tensor(rows, width, device, touch),
        false => Tensor::zeros([rows, width], device),
    };
    (zeros(), zeros())
}

/// Copies values on the CPU to table memory; returns values on other devices unchanged.
pub fn copied(values: Tensor<2>) -> Tensor<2> {
    let device = values.device().inner();
    if device != Device::flex() {
        return values;
    }
    let [rows, width] = values.dims();
    let data = values.into_data();
    let copy = |memory: &mut [f32]| {
        for (to, from) in memory.iter_mut().zip(data.iter::<f32>()) {
            *to = from;
        }
    };
    filled_tensor(rows, width, &device, copy)
}

/// A table `[rows, width]` on `device` whose values `fill` writes.
///
/// # Panics
///
/// If the system cannot allocate the memory.
pub fn filled_tensor(
    rows: usize,
    width: usize,
    device: &Device,
    fill: impl FnOnce(&mut [f32]),
) -> Tensor<2> {
    match filled(rows, width, fill) {
        Ok(data) => Tensor::from_data(data, device),
        Err(error) => panic!("{error}"),
    }
}

/// An anonymous mapping as Burn's storage.
struct Mapping(MmapMut);

impl AllocationController for Mapping {
    fn alloc_align(&self) -> usize {
        // What Burn may rely on; pages are aligned to more.
        align_of::<u128>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(
        &mut self,
        _: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let (start, len) = (self.0.as_mut_ptr(), self.0.len());
        // SAFETY: the mapping lives as long as the borrow, and the caller promises to write initialised bytes only.
        Ok(unsafe { std::slice::from_raw_parts_mut(start.cast(), len) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        // SAFETY: as above; initialised bytes may be seen as perhaps uninitialised ones.
        Ok(unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_uses_the_mapping() {
        let data = filled(1000, 64, |values| values[64 * 999] = 2.0).unwrap();
        let tensor = Tensor::<2>::from_data(data, &Device::flex());
        let copy = tensor.clone() + 1.0;
        assert_eq!(tensor.sum().into_scalar::<f32>(), 2.0);
        assert_eq!(copy.sum().into_scalar::<f32>(), 64_002.0);
    }

    #[test]
    fn the_error_names_the_bytes() {
        let message = zeros(1 << 40, 1 << 20).unwrap_err().to_string();
        assert!(message.contains("4611686018427387904 bytes"), "{message}");
    }
}
