//! Number formats of tensors in files.

use half::{bf16, f16};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

/// The number format of exported weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightType {
    /// 32 bits: the weights as they are.
    #[default]
    F32,
    /// bfloat16: rounded to 8 significant bits, to nearest, ties to even.
    Bf16,
}

impl WeightType {
    /// Its name in safetensors files.
    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::Bf16 => Dtype::BF16,
        }
    }

    /// Its name in `config.json`.
    pub(crate) fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::Bf16 => "bfloat16",
        }
    }
}

/// Appends `values` to `bytes` in the format `dtype`, which is one of [`WeightType`].
pub(crate) fn encode(dtype: Dtype, values: &[f32], bytes: &mut Vec<u8>) {
    match dtype {
        Dtype::BF16 => {
            bytes.extend(
                values
                    .iter()
                    .flat_map(|&value| bf16::from_f32(value).to_le_bytes()),
            );
        }
        _ => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
    }
}

/// Bytes of one value in a format that can be read, or `None` for other formats.
pub(crate) fn bytes_of_value(dtype: Dtype) -> Option<usize> {
    match dtype {
        Dtype::F32 => Some(4),
        Dtype::BF16 | Dtype::F16 => Some(2),
        _ => None,
    }
}

/// Appends the values in `bytes` to `values`; exact, as f32 contains both 16-bit formats.
pub(crate) fn decode(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    let pairs = bytes.as_chunks::<2>().0.iter();
    match dtype {
        Dtype::BF16 => values.extend(pairs.map(|pair| bf16::from_le_bytes(*pair).to_f32())),
        Dtype::F16 => values.extend(pairs.map(|pair| f16::from_le_bytes(*pair).to_f32())),
        _ => {
            let words = bytes.as_chunks::<4>().0.iter();
            values.extend(words.map(|word| f32::from_le_bytes(*word)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bfloat16_rounds_to_nearest_even() {
        let mut bytes = Vec::new();
        encode(
            Dtype::BF16,
            &[1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0, -0.0],
            &mut bytes,
        );
        let mut values = Vec::new();
        decode(Dtype::BF16, &bytes, &mut values);
        assert_eq!(values, [1.0, 1.0 + 1.0 / 64.0, -0.0]);
    }

    #[test]
    fn half_precision_is_read_exactly() {
        // 0x3555 is 0.333251953125, 0x0001 the smallest subnormal.
        let mut values = Vec::new();
        decode(Dtype::F16, &[0x55, 0x35, 0x01, 0x00], &mut values);
        assert_eq!(values, [0.333_251_95, 2f32.powi(-24)]);
    }
}
