//! The norm of the tables' gradients of one update, which the host knows late.
//!
//! The norm of the sums over all entries is a result of the update. Nothing depends on it but a row, so that no step waits for it: it is
//! copied with the numbers of the next step, or when somebody asks before that.

use std::sync::{Arc, OnceLock};

use architectures::host_copy;
use burn::tensor::Tensor;

/// The norm of the gradients of all value tables before clipping. Clones are the same norm.
#[derive(Clone)]
pub struct TablesNorm(Arc<Late>);

struct Late {
    /// Of each table, `[tables]`; `None` if the value never was on a device.
    of_tables: Option<Tensor<1>>,
    value: OnceLock<f64>,
}

impl std::fmt::Debug for TablesNorm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.value.get() {
            Some(value) => write!(f, "TablesNorm({value})"),
            None => f.write_str("TablesNorm(on the device)"),
        }
    }
}

impl TablesNorm {
    /// A norm that the host knows.
    pub fn known(value: f64) -> Self {
        Self(Arc::new(Late {
            of_tables: None,
            value: value.into(),
        }))
    }

    /// The norm over all tables, from that of each, `[1]`, without autodiff.
    pub fn of(tables: Vec<Tensor<1>>) -> Self {
        if tables.is_empty() {
            return Self::known(0.0);
        }
        Self(Arc::new(Late {
            of_tables: Some(Tensor::cat(tables, 0)),
            value: OnceLock::new(),
        }))
    }

    /// Whether [`TablesNorm::value`] is no copy.
    pub fn is_known(&self) -> bool {
        self.0.value.get().is_some()
    }

    /// The norm; a copy to the host, which waits for the update, unless it is known.
    pub fn value(&self) -> f64 {
        *self.0.value.get_or_init(|| match &self.0.of_tables {
            Some(of_tables) => over_tables(&host_copy::floats(of_tables.clone())),
            None => unreachable!("it was known from the start"),
        })
    }

    /// What a copy has to include, `[tables]`; `None` if the norm is known.
    pub(super) fn unread(&self) -> Option<Tensor<1>> {
        let of_tables = self.0.of_tables.as_ref().filter(|_| !self.is_known());
        of_tables.cloned()
    }

    /// Sets the norm from the values of [`TablesNorm::unread`].
    pub(super) fn set(&self, of_tables: &[f32]) {
        self.0.value.get_or_init(|| over_tables(of_tables));
    }
}

/// The norm over all tables from that of each.
fn over_tables(norms: &[f32]) -> f64 {
    let squares = norms.iter().map(|&norm| f64::from(norm).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn norm() -> TablesNorm {
        let of_table = |norm: f32| Tensor::from_data([norm], &Device::flex());
        TablesNorm::of(vec![of_table(3.0), of_table(4.0)])
    }

    #[test]
    fn a_norm_is_copied_when_it_is_asked_for_or_set_from_a_copy_with_others() {
        let asked = norm();
        assert!(!asked.is_known());
        assert_eq!(asked.value(), 5.0);
        assert!(asked.is_known() && asked.unread().is_none());

        let read_late = norm();
        let of_row = read_late.clone();
        let copied = host_copy::floats(read_late.unread().unwrap());
        read_late.set(&copied);
        assert!(of_row.is_known());
        assert_eq!(of_row.value(), 5.0);
    }

    #[test]
    fn a_model_without_tables_has_none_to_copy() {
        let none = TablesNorm::of(Vec::new());
        assert_eq!((none.is_known(), none.value().to_bits()), (true, 0));
    }
}
