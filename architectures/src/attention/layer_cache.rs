//! The keys and values of one layer in cached decoding.

use burn::tensor::{Int, Tensor};

/// Keys and values of the tokens so far; none before the first.
#[derive(Clone, Debug, Default)]
pub struct LayerCache(Option<Filled>);

/// `[batch, n_kv_heads, capacity, head_dim]` each, of which the first `len` positions are in use.
#[derive(Clone, Debug)]
struct Filled {
    keys: Tensor<4>,
    values: Tensor<4>,
    len: usize,
}

impl LayerCache {
    /// Whether it has no token yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Appends `key` and `value [batch, n_kv_heads, new, head_dim]`, and returns those of all tokens so far.
    pub(super) fn extend(&mut self, key: Tensor<4>, value: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let new = key.dims()[2];
        let Some(Filled { keys, values, len }) = self.0.take() else {
            // Without spare positions: many prompts are read only once.
            self.0 = Some(Filled {
                keys: key.clone(),
                values: value.clone(),
                len: new,
            });
            return (key, value);
        };
        let filled = Filled {
            keys: written(keys, key, len),
            values: written(values, value, len),
            len: len + new,
        };
        let whole = filled.in_use();
        self.0 = Some(filled);
        whole
    }

    /// The keys and values of the sequences of these places, `[n]`.
    pub(crate) fn select(&self, sequences: Tensor<1, Int>) -> Self {
        Self(self.0.as_ref().map(|filled| {
            let (keys, values) = filled.in_use();
            Filled {
                keys: keys.select(0, sequences.clone()),
                values: values.select(0, sequences),
                len: filled.len,
            }
        }))
    }
}

impl Filled {
    fn in_use(&self) -> (Tensor<4>, Tensor<4>) {
        let of = |stored: &Tensor<4>| stored.clone().narrow(2, 0, self.len);
        (of(&self.keys), of(&self.values))
    }
}

/// `stored` with `new` from position `at` on. Where there is no space, it is copied once into half as many positions again as are in use;
/// else it is written in place, so that a token does not cost a copy of the whole cache.
fn written(stored: Tensor<4>, new: Tensor<4>, at: usize) -> Tensor<4> {
    let [batch, heads, capacity, head_dim] = stored.dims();
    let end = at + new.dims()[2];
    let stored = match end > capacity {
        false => stored,
        true => {
            let shape = [batch, heads, end + end / 2, head_dim];
            let empty = Tensor::zeros(shape, (&stored.device(), stored.dtype()));
            empty.slice_assign(
                [0..batch, 0..heads, 0..at, 0..head_dim],
                stored.narrow(2, 0, at),
            )
        }
    };
    stored.slice_assign([0..batch, 0..heads, at..end, 0..head_dim], new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    /// Against concatenation, over several growths, with a selection in between.
    #[test]
    fn all_keys_and_values_come_back_in_their_order() {
        let device = Device::flex();
        let mut cache = LayerCache::default();
        let mut expected: Option<Tensor<4>> = None;
        for (round, new) in [3, 1, 1, 1, 2, 1, 7, 1].into_iter().enumerate() {
            if round == 4 {
                let places = Tensor::<1, Int>::from_data([1, 1, 0], &device);
                cache = cache.select(places.clone());
                expected = expected.map(|all| all.select(0, places));
            }
            let batch = if round < 4 { 2 } else { 3 };
            let key = Tensor::random([batch, 2, new, 4], Distribution::Default, &device);
            let before = cache.clone();
            let (keys, values) = cache.extend(key.clone(), key.clone() * 2.0);
            let all = match expected {
                None => key.clone(),
                Some(all) => Tensor::cat(vec![all, key.clone()], 2),
            };
            keys.into_data().assert_eq(&all.clone().into_data(), true);
            values
                .into_data()
                .assert_eq(&(all.clone() * 2.0).into_data(), true);
            // A copy of the cache is not written to.
            let mut before = before;
            let (keys, _) = before.extend(key.clone() + 1.0, key);
            assert_eq!(keys.dims(), all.dims());
            expected = Some(all);
        }
        let key = Tensor::zeros([3, 2, 1, 4], &device);
        let (keys, _) = cache.extend(key.clone(), key);
        let last = keys.dims()[2] - 1;
        let expected = expected.unwrap().into_data();
        keys.narrow(2, 0, last)
            .into_data()
            .assert_eq(&expected, true);
    }
}
