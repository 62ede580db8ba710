//! State of a block that no gradient trains, such as a selection bias that is adjusted by load.
//!
//! A forward pass only reads a buffer and records statistics for it ([`crate::Pass::record`]). After the optimizer step the
//! statistics of all parts of the batch are summed, in the order of the parts, and each block updates its buffers once
//! ([`crate::Block::update_buffers`]). Parts that run in parallel therefore all see the same values.

use std::sync::{Arc, RwLock};

use burn::tensor::{Device, Int, Tensor, TensorData};
use collectives::Collectives;

use crate::host_copy;

/// A handle to values `[len]`; clones of a model share them.
#[derive(Clone, Debug)]
pub struct Buffer(Arc<RwLock<Values>>);

/// Where the values were last written.
#[derive(Clone, Debug)]
enum Values {
    Host(Vec<f32>),
    /// Without autodiff.
    Device(Box<Tensor<1>>),
}

impl Buffer {
    /// A buffer of these values.
    pub fn new(values: Vec<f32>) -> Self {
        Self(Arc::new(RwLock::new(Values::Host(values))))
    }

    fn read(&self) -> Values {
        match self.0.read() {
            Ok(values) => values.clone(),
            Err(_) => panic!("a thread panicked while it updated this buffer"),
        }
    }

    /// The values on the host, by a copy if they were last written on a device.
    pub fn values(&self) -> Vec<f32> {
        match self.read() {
            Values::Host(values) => values,
            Values::Device(values) => host_copy::floats(*values),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self.read() {
            Values::Host(values) => values.len(),
            Values::Device(values) => values.dims()[0],
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values on a device, `[len]`, without autodiff.
    pub fn on(&self, device: &Device) -> Tensor<1> {
        let device = device.clone().inner();
        match self.read() {
            Values::Host(values) => {
                let len = values.len();
                Tensor::from_data(TensorData::new(values, [len]), &device)
            }
            Values::Device(values) => values.to_device(&device),
        }
    }

    /// Replaces the values by those of a tensor `[len]`, which stay on its device.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    pub fn set(&self, new: Tensor<1>) {
        self.replace(new.dims()[0], Values::Device(Box::new(new.inner())));
    }

    /// Replaces the values.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    pub fn set_values(&self, new: Vec<f32>) {
        self.replace(new.len(), Values::Host(new));
    }

    fn replace(&self, len: usize, new: Values) {
        assert_eq!(self.len(), len, "values of a buffer");
        match self.0.write() {
            Ok(mut values) => *values = new,
            Err(_) => panic!("a thread panicked while it updated this buffer"),
        }
    }

    /// Whether both handles refer to the same buffer.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A module with buffers: a block, a part of a decoder, or a decoder.
pub trait HasBuffers {
    /// Its buffers, in a fixed order.
    fn buffers(&self) -> Vec<&Buffer>;

    /// Updates its buffers, once after each optimizer step; `statistics` are the sums over the whole batch of those that
    /// the forward passes recorded.
    fn update_buffers(&self, statistics: &Statistics);
}

/// Counts recorded for buffers on the device, summed over passes.
#[derive(Debug, Default)]
pub struct Statistics(Vec<(Buffer, Tensor<1, Int>)>);

impl Statistics {
    /// Adds `counts [n]` to the statistics of `buffer`.
    pub fn add(&mut self, buffer: &Buffer, counts: Tensor<1, Int>) {
        let counts = counts.inner();
        match self.0.iter_mut().find(|(other, _)| other.is(buffer)) {
            Some((_, sums)) => *sums = sums.clone() + counts,
            None => self.0.push((buffer.clone(), counts)),
        }
    }

    /// Adds all statistics of another part of the batch.
    pub fn merge(&mut self, other: &Self) {
        for (buffer, counts) in &other.0 {
            self.add(buffer, counts.clone());
        }
    }

    /// The sums recorded for `buffer`; `None` if nothing was.
    pub fn of(&self, buffer: &Buffer) -> Option<Tensor<1, Int>> {
        let found = self.0.iter().find(|(other, _)| other.is(buffer));
        found.map(|(_, counts)| counts.clone())
    }

    /// The sums over `ranks`, which must all have recorded for the same buffers.
    pub fn over_ranks(self, ranks: &dyn Collectives) -> Self {
        if self.0.is_empty() || ranks.ranks() == 1 {
            return self;
        }
        let (buffers, counts): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        let lengths: Vec<usize> = counts.iter().map(|counts| counts.dims()[0]).collect();
        let len = lengths.iter().sum();
        let of_ranks = ranks.all_gather_int(Tensor::cat(counts, 0));
        let sums = of_ranks.reshape([ranks.ranks(), len]).sum_dim(0);
        let sums = sums.reshape([len]).split_with_sizes(lengths, 0);
        Self(buffers.into_iter().zip(sums).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectives::thread_ranks;

    fn counts<const N: usize>(counts: [i64; N]) -> Tensor<1, Int> {
        Tensor::from_data(counts, &Device::flex())
    }

    fn sums(statistics: &Statistics, buffer: &Buffer) -> Option<Vec<i64>> {
        let counts = statistics.of(buffer)?;
        Some(counts.into_data().iter().collect())
    }

    #[test]
    fn statistics_are_summed_by_buffer() {
        let buffers = [2, 2, 3].map(|len| Buffer::new(vec![0.0; len]));
        let [first, second, third] = buffers.each_ref();
        let mut sum = Statistics::default();
        sum.add(first, counts([1, 2]));
        let mut part = Statistics::default();
        part.add(&first.clone(), counts([10, 20]));
        part.add(third, counts([5, 6, 7]));
        sum.merge(&part);
        assert_eq!(sums(&sum, first), Some(vec![11, 22]));
        assert_eq!(sums(&sum, second), None);
        assert_eq!(sums(&sum, third), Some(vec![5, 6, 7]));
    }

    #[test]
    fn statistics_of_ranks_are_summed_by_buffer() {
        let buffers = [2, 3].map(|len| Buffer::new(vec![0.0; len]));
        let [first, second] = buffers.each_ref();
        let of_ranks = thread_ranks(3, |ranks| {
            let rank = ranks.rank() as i64;
            let mut own = Statistics::default();
            own.add(first, counts([1, rank]));
            own.add(second, counts([4, 10 * rank, 0]));
            let all = own.over_ranks(ranks.as_ref());
            (sums(&all, first), sums(&all, second))
        });
        let expected = (Some(vec![3, 3]), Some(vec![12, 30, 0]));
        assert_eq!(of_ranks, vec![expected; 3]);
    }

    #[test]
    fn values_are_those_last_written_on_either_side() {
        let buffer = Buffer::new(vec![1.0, 2.0]);
        let device = Device::flex();
        buffer.set(buffer.on(&device) * 2.0);
        assert_eq!(buffer.values(), [2.0, 4.0]);
        buffer.set_values(vec![3.0, 5.0]);
        let there: Vec<f32> = buffer.on(&device).into_data().iter().collect();
        assert_eq!(there, [3.0, 5.0]);
    }
}
