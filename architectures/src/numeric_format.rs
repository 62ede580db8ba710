//! The number format of a model's matrix products and value tables.
//!
//! With [`NumericFormat::Bf16`] (mixed precision, Micikevicius et al. 2018, with the format of Kalamkar et al. 2019) the
//! operands of products are rounded to bf16, terms are summed in f32, and the sum is rounded to bf16. Parameters stay in
//! f32, and so do norms, routers, softmax, the loss and the optimizer. bf16 has the exponents of f32, so that losses need no
//! scaling. Value tables are stored in bf16, without a copy in f32.

use std::fmt;
use std::str::FromStr;

use burn::tensor::DType;
use serde::{Deserialize, Serialize};

/// A number format of products, tables or moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumericFormat {
    /// 32 bits, of which 24 are significant.
    #[default]
    F32,
    /// bfloat16: the upper half of an f32, 8 significant bits.
    Bf16,
}

impl NumericFormat {
    /// Whether it is the default; keys with it are not serialised, so that names of runs depend on other formats only.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes of one number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }

    /// The format of a tensor of a table.
    pub(crate) fn of(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Self::F32,
            DType::BF16 => Self::Bf16,
            other => panic!("tables and moments are in f32 or bf16, not {other:?}"),
        }
    }
}

impl fmt::Display for NumericFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NumericFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err("choose from: f32, bf16".to_owned()),
        }
    }
}
