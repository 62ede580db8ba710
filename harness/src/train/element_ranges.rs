//! Which elements of a dense parameter each rank updates: of `n` ranks, the `r`-th of `n` consecutive ranges of equal length of its
//! elements in row-major order, the last ones padded with zeros.
//!
//! Parameters are exchanged together, so that the number of exchanges does not grow with that of small parameters:
//!
//! ```text
//! parameter p as [n, m_p]     row r: the elements of rank r
//! bucket    as [n, sum m_p]   one exchange; row r of it goes to, or comes from, rank r
//! ```

use burn::tensor::Tensor;
use collectives::Collectives;
use experiment::communication::BUCKET_BYTES;

/// Elements that each of `ranks` has of a parameter of `elements`.
pub fn own_len(elements: usize, ranks: usize) -> usize {
    elements.div_ceil(ranks)
}

/// The elements `[m]` of the rank of `ranks` of a parameter.
pub fn own_elements<const D: usize>(parameter: Tensor<D>, ranks: &dyn Collectives) -> Tensor<1> {
    let elements: usize = parameter.dims().iter().product();
    let flat = parameter.reshape([elements]);
    let own = own_len(elements, ranks.ranks());
    let first = elements.min(ranks.rank() * own);
    let len = own.min(elements - first);
    padded(
        (len > 0).then(|| flat.clone().narrow(0, first, len)),
        own,
        &flat,
    )
}

/// `values`, none for no elements, with zeros behind them up to the length `len`.
fn padded(values: Option<Tensor<1>>, len: usize, like: &Tensor<1>) -> Tensor<1> {
    let given = values.as_ref().map_or(0, |values| values.dims()[0]);
    if let (Some(values), true) = (&values, given == len) {
        return values.clone();
    }
    let zeros = Tensor::zeros([len - given], (&like.device(), like.dtype()));
    let parts = values.into_iter().chain([zeros]);
    Tensor::cat(parts.collect(), 0)
}

/// A parameter `[n, m]`, row `r` the elements of rank `r`.
fn by_rank(flat: Tensor<1>, ranks: usize) -> Tensor<2> {
    let own = own_len(flat.dims()[0], ranks);
    padded(Some(flat.clone()), ranks * own, &flat).reshape([ranks, own])
}

/// Parameters that are exchanged together, in a fixed order.
pub struct Bucket<K> {
    parameters: Vec<(K, Tensor<1>)>,
    bytes: u64,
}

impl<K> Bucket<K> {
    /// A bucket of nothing.
    pub fn new() -> Self {
        Self {
            parameters: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds `values` under `key`.
    pub fn push(&mut self, key: K, values: Tensor<1>) {
        self.bytes += (size_of::<f32>() * values.dims()[0]) as u64;
        self.parameters.push((key, values));
    }

    /// Whether it is large enough to be exchanged.
    pub fn is_full(&self) -> bool {
        self.bytes >= BUCKET_BYTES
    }

    /// Whether a parameter of so many elements is a bucket of its own.
    pub fn is_filled_by(elements: usize) -> bool {
        (size_of::<f32>() * elements) as u64 >= BUCKET_BYTES
    }

    /// Whether it has a parameter with a key for which `is` holds.
    pub fn has(&self, is: impl Fn(&K) -> bool) -> bool {
        self.parameters.iter().any(|(key, _)| is(key))
    }

    /// From whole gradients of this rank, the elements `[m]` of this rank of their sums over ranks.
    pub fn reduce_scatter(self, ranks: &dyn Collectives) -> Vec<(K, Tensor<1>)> {
        let count = ranks.ranks();
        if self.parameters.is_empty() {
            return Vec::new();
        }
        let (mut keys, mut rows) = (Vec::new(), Vec::new());
        for (key, flat) in self.parameters {
            let row = by_rank(flat, count);
            keys.push((key, row.dims()[1]));
            rows.push(row);
        }
        let all = match rows.len() {
            // Without a copy: a large parameter is alone.
            1 => rows.remove(0),
            _ => Tensor::cat(rows, 1),
        };
        let [_, len] = all.dims();
        let own = ranks.reduce_scatter(all.reshape([count * len]));
        let mut first = 0;
        let parts = keys.into_iter().map(|(key, len)| {
            let part = own.clone().narrow(0, first, len);
            first += len;
            (key, part)
        });
        parts.collect()
    }

    /// From the elements `[m]` of this rank, those of all ranks `[n m]`, with the padding.
    pub fn all_gather(self, ranks: &dyn Collectives) -> Vec<(K, Tensor<1>)> {
        let count = ranks.ranks();
        if self.parameters.is_empty() {
            return Vec::new();
        }
        let (mut keys, mut own) = (Vec::new(), Vec::new());
        for (key, values) in self.parameters {
            keys.push((key, values.dims()[0]));
            own.push(values);
        }
        let own = Tensor::cat(own, 0);
        let [len] = own.dims();
        let all = ranks.all_gather(own).reshape([count, len]);
        let mut first = 0;
        let parts = keys.into_iter().map(|(key, len)| {
            let part = all.clone().narrow(1, first, len).reshape([count * len]);
            first += len;
            (key, part)
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use collectives::thread_ranks;

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn elements_are_divided_summed_and_gathered_again() {
        let device = Device::flex();
        let matrix =
            || Tensor::<2>::from_floats([[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]], &device);
        let found = thread_ranks(4, |ranks| {
            let ranks = ranks.as_ref();
            let own = own_elements(matrix(), ranks);
            let mut bucket = Bucket::new();
            bucket.push('a', matrix().reshape([9]));
            bucket.push('b', Tensor::from_floats([10.], &device));
            let sums = bucket.reduce_scatter(ranks);
            let mut bucket = Bucket::new();
            for (key, sum) in &sums {
                bucket.push(*key, sum.clone());
            }
            let all = bucket.all_gather(ranks);
            let of = |parts: Vec<(char, Tensor<1>)>| {
                let parts = parts.into_iter().map(|(key, part)| (key, values(part)));
                parts.collect::<Vec<_>>()
            };
            (values(own), of(sums), of(all))
        });
        assert_eq!(found[0].0, [1., 2., 3.]);
        assert_eq!(found[3].0, [0., 0., 0.]);
        assert_eq!(found[0].1, [('a', vec![4., 8., 12.]), ('b', vec![40.])]);
        assert_eq!(found[2].1, [('a', vec![28., 32., 36.]), ('b', vec![0.])]);
        let whole = vec![4., 8., 12., 16., 20., 24., 28., 32., 36., 0., 0., 0.];
        for (_, _, all) in &found {
            assert_eq!(all[0], ('a', whole.clone()));
            assert_eq!(all[1], ('b', vec![40., 0., 0., 0.]));
        }
    }
}
