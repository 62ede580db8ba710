//! Token ids on the device, and on the host where the caller has them: blocks that hash them then need no copy.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Token ids `[batch, seq]`.
#[derive(Clone, Debug)]
pub struct TokenIds {
    on_device: Tensor<2, Int>,
    /// The same, row by row; `None` if only the tensor is known.
    on_host: Option<Arc<[i64]>>,
}

impl From<Tensor<2, Int>> for TokenIds {
    /// Ids that are not known on the host.
    fn from(on_device: Tensor<2, Int>) -> Self {
        Self {
            on_device,
            on_host: None,
        }
    }
}

impl TokenIds {
    /// `ids` of shape `[batch, seq]`, row by row.
    ///
    /// # Panics
    ///
    /// If their number is not that of the shape.
    pub fn from_host(ids: Vec<i64>, shape: [usize; 2], device: &Device) -> Self {
        let on_host = Some(Arc::from(ids.as_slice()));
        Self {
            on_device: Tensor::from_data(TensorData::new(ids, shape), device),
            on_host,
        }
    }

    /// The tensor.
    pub fn on_device(&self) -> Tensor<2, Int> {
        self.on_device.clone()
    }

    /// The ids row by row; `None` if only the tensor is known.
    pub fn on_host(&self) -> Option<&[i64]> {
        self.on_host.as_deref()
    }

    /// `[batch, seq]`
    pub fn dims(&self) -> [usize; 2] {
        self.on_device.dims()
    }

    /// The device of the tensor.
    pub fn device(&self) -> Device {
        self.on_device.device()
    }

    /// The sequences `range`.
    #[must_use]
    pub fn sequences(&self, range: Range<usize>) -> Self {
        let [_, seq] = self.dims();
        let on_host = self.on_host.as_deref();
        Self {
            on_device: self.on_device().narrow(0, range.start, range.len()),
            on_host: on_host.map(|ids| ids[range.start * seq..range.end * seq].into()),
        }
    }

    /// The sequences of these places, in their order.
    #[must_use]
    pub(crate) fn select(&self, places: &[usize]) -> Self {
        let [_, seq] = self.dims();
        let rows = |ids: &[i64]| -> Vec<i64> {
            let rows = places.iter().map(|&place| &ids[place * seq..][..seq]);
            rows.flatten().copied().collect()
        };
        Self {
            on_device: self.on_device().select(0, indices(places, &self.device())),
            on_host: self.on_host.as_deref().map(|ids| rows(ids).into()),
        }
    }

    /// Each sequence with that of `next` behind it.
    pub(crate) fn followed_by(self, next: Self) -> Self {
        let lengths = [self.dims()[1], next.dims()[1]];
        let both = self.on_host.as_deref().zip(next.on_host.as_deref());
        let on_host = both
            // Without tokens there are no rows to interleave.
            .filter(|_| lengths.iter().all(|&len| len > 0))
            .map(|(first, second)| -> Arc<[i64]> {
                let first = first.chunks_exact(lengths[0]);
                let rows = first.zip(second.chunks_exact(lengths[1]));
                rows.flat_map(|(first, second)| first.iter().chain(second).copied())
                    .collect()
            });
        Self {
            on_device: Tensor::cat(vec![self.on_device, next.on_device], 1),
            on_host,
        }
    }
}

/// `places` on the device.
pub(crate) fn indices(places: &[usize], device: &Device) -> Tensor<1, Int> {
    let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
    let len = places.len();
    Tensor::from_data(TensorData::new(places, [len]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_copy;

    /// The ids on the host, which are those of the tensor.
    fn checked(ids: &TokenIds) -> Vec<i64> {
        let on_host = ids.on_host().unwrap();
        assert_eq!(on_host, host_copy::integers(ids.on_device()));
        on_host.to_vec()
    }

    #[test]
    fn parts_and_extensions_are_the_same_on_host_and_device() {
        let device = Device::flex();
        let ids = TokenIds::from_host((0..6).collect(), [3, 2], &device);
        assert_eq!(checked(&ids.sequences(1..3)), [2, 3, 4, 5]);
        assert_eq!(checked(&ids.select(&[2, 0, 2])), [4, 5, 0, 1, 4, 5]);
        let next = TokenIds::from_host(vec![7, 8, 9], [3, 1], &device);
        let both = ids.clone().followed_by(next);
        assert_eq!(checked(&both), [0, 1, 7, 2, 3, 8, 4, 5, 9]);
        let unknown = TokenIds::from(Tensor::zeros([3, 1], &device));
        assert!(unknown.on_host().is_none());
        assert!(ids.followed_by(unknown).on_host().is_none());
    }
}
