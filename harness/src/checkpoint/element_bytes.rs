//! Numbers of checkpoints as bytes, little-endian, in f32 or bf16.

use std::io;

use architectures::NumericFormat;
use burn::tensor::bf16;
use safetensors::Dtype;

/// The name of `format` in safetensors files.
pub fn dtype_of(format: NumericFormat) -> Dtype {
    match format {
        NumericFormat::F32 => Dtype::F32,
        NumericFormat::Bf16 => Dtype::BF16,
    }
}

/// The format of tensors of `dtype`; `None` for those that checkpoints do not have.
pub fn format_of(dtype: Dtype) -> Option<NumericFormat> {
    match dtype {
        Dtype::F32 => Some(NumericFormat::F32),
        Dtype::BF16 => Some(NumericFormat::Bf16),
        _ => None,
    }
}

/// Appends `values` to `bytes`.
///
/// # Errors
/// If a value is no number of the format: it would be lost.
pub fn encode(format: NumericFormat, values: &[f32], bytes: &mut Vec<u8>) -> io::Result<()> {
    if format == NumericFormat::F32 {
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        return Ok(());
    }
    for value in values {
        if value.to_bits() & 0xffff != 0 {
            return Err(io::Error::other(format!("{value} is no number of bf16")));
        }
        bytes.extend(((value.to_bits() >> 16) as u16).to_le_bytes());
    }
    Ok(())
}

/// Appends the values in `bytes` to `values`.
pub fn decode(format: NumericFormat, bytes: &[u8], values: &mut Vec<f32>) {
    match format {
        NumericFormat::F32 => {
            let words = bytes.as_chunks::<4>().0.iter();
            values.extend(words.map(|word| f32::from_le_bytes(*word)));
        }
        NumericFormat::Bf16 => {
            let words = bytes.as_chunks::<2>().0.iter();
            values.extend(words.map(|word| f32::from(bf16::from_le_bytes(*word))));
        }
    }
}
