//! Memory for tables: page-aligned, zero until written, on huge pages where the system grants them.
//!
//! The time of a lookup of a narrow row from a large table goes to address translation and to the additional cache line
//! of an unaligned row; huge pages and alignment avoid both. Pages are zero pages of the system until they are written:
//! moments that no update has written take no memory.

use std::mem::MaybeUninit;

use burn::tensor::{Bytes, Device, Tensor, TensorData, bf16};
use cubecl_environment::bytes::{
    AccessError, AccessPolicy, AllocationController, AllocationProperty,
};
use memmap2::MmapMut;

use super::cpu::bf16_rounding::narrow_into;
use crate::numeric_format::NumericFormat;

/// The system did not allocate the memory of a table.
#[derive(Debug, thiserror::Error)]
#[error(
    "a table of {rows} x {width} {format} needs {bytes} bytes of memory for each of its values and two moments, and the \
     system did not allocate them ({reason}); lower n_keys or value_dim, or free memory"
)]
pub struct TableTooLarge {
    rows: usize,
    width: usize,
    format: NumericFormat,
    bytes: u128,
    reason: String,
}

/// Zeros `[rows, width]`, none of whose pages has been written.
#[cfg(test)]
pub fn zeros(rows: usize, width: usize) -> Result<TensorData, TableTooLarge> {
    filled(rows, width, NumericFormat::F32, |_| {})
}

/// The values of a table in memory, row by row.
pub enum TableValues<'a> {
    /// In f32.
    F32(&'a mut [f32]),
    /// In bf16.
    Bf16(&'a mut [bf16]),
}

impl TableValues<'_> {
    /// Their format.
    pub fn format(&self) -> NumericFormat {
        match self {
            Self::F32(_) => NumericFormat::F32,
            Self::Bf16(_) => NumericFormat::Bf16,
        }
    }

    /// Writes `values` from `position` on, in bf16 rounded to nearest.
    ///
    /// # Panics
    /// If the table ends before.
    pub fn write(&mut self, position: usize, values: &[f32]) {
        let range = position..position + values.len();
        match self {
            Self::F32(all) => all[range].copy_from_slice(values),
            Self::Bf16(all) => narrow_into(values, &mut all[range]),
        }
    }
}

/// A table `[rows, width]` whose values `fill` writes.
pub fn filled(
    rows: usize,
    width: usize,
    format: NumericFormat,
    fill: impl FnOnce(TableValues),
) -> Result<TensorData, TableTooLarge> {
    let bytes = rows as u128 * width as u128 * u128::from(format.bytes());
    let rejected = |reason: String| TableTooLarge {
        rows,
        width,
        format,
        bytes,
        reason,
    };
    let len = usize::try_from(bytes).map_err(|error| rejected(error.to_string()))?;
    let mut memory = MmapMut::map_anon(len).map_err(|error| rejected(error.to_string()))?;
    // Without huge pages the system maps small ones, which is slower but correct.
    #[cfg(target_os = "linux")]
    let _ = memory.advise(memmap2::Advice::HugePage);
    let (start, count) = (memory.as_mut_ptr(), rows * width);
    // SAFETY: a mapping is aligned to pages and has the bytes of the values, and every bit pattern is an f32 and a bf16.
    fill(unsafe {
        match format {
            NumericFormat::F32 => {
                TableValues::F32(std::slice::from_raw_parts_mut(start.cast(), count))
            }
            NumericFormat::Bf16 => {
                TableValues::Bf16(std::slice::from_raw_parts_mut(start.cast(), count))
            }
        }
    });
    // SAFETY: an anonymous mapping is initialised, with zeros, over its whole length.
    let bytes = unsafe { Bytes::from_controller(Box::new(Mapping(memory)), len) };
    Ok(TensorData::from_bytes(bytes, [rows, width], format.dtype()))
}

/// Both moments of a table before its first update; on the CPU, `touch` is called on their zeros.
pub fn zero_moments(
    [rows, width]: [usize; 2],
    format: NumericFormat,
    device: &Device,
    touch: fn(TableValues),
) -> (Tensor<2>, Tensor<2>) {
    // Other devices allocate zeros themselves, without a transfer.
    let zeros = || match *device == Device::flex() {
        true => filled_tensor(rows, width, format, device, touch),
        false => Tensor::zeros([rows, width], (device, format.dtype())),
    };
    (zeros(), zeros())
}

/// Copies values on the CPU to table memory; returns values on other devices unchanged.
pub fn copied(values: Tensor<2>) -> Tensor<2> {
    let device = values.device().inner();
    if device != Device::flex() {
        return values;
    }
    let ([rows, width], format) = (values.dims(), NumericFormat::of(values.dtype()));
    let data = values.into_data();
    let copy = |memory: TableValues| match memory {
        TableValues::F32(memory) => {
            for (to, from) in memory.iter_mut().zip(data.iter::<f32>()) {
                *to = from;
            }
        }
        TableValues::Bf16(memory) => {
            for (to, from) in memory.iter_mut().zip(data.iter::<bf16>()) {
                *to = from;
            }
        }
    };
    filled_tensor(rows, width, format, &device, copy)
}

/// A table `[rows, width]` on `device` whose values `fill` writes.
///
/// # Panics
///
/// If the system cannot allocate the memory.
pub fn filled_tensor(
    rows: usize,
    width: usize,
    format: NumericFormat,
    device: &Device,
    fill: impl FnOnce(TableValues),
) -> Tensor<2> {
    match filled(rows, width, format, fill) {
        // With its own number format: `from_data` alone would convert to the default of the device.
        Ok(data) => Tensor::from_data(data, (device, format.dtype())),
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
    use burn::tensor::DType;

    #[test]
    fn a_tensor_uses_the_mapping() {
        for format in [NumericFormat::F32, NumericFormat::Bf16] {
            let fill = |mut values: TableValues| values.write(64 * 999, &[2.0]);
            let tensor = filled_tensor(1000, 64, format, &Device::flex(), fill);
            assert_eq!(tensor.dtype(), format.dtype());
            let copy = tensor.clone().cast(DType::F32) + 1.0;
            assert_eq!(tensor.cast(DType::F32).sum().into_scalar::<f32>(), 2.0);
            assert_eq!(copy.sum().into_scalar::<f32>(), 64_002.0);
        }
    }

    #[test]
    fn the_error_names_the_bytes() {
        let message = zeros(1 << 40, 1 << 20).unwrap_err().to_string();
        assert!(message.contains("4611686018427387904 bytes"), "{message}");
    }
}
