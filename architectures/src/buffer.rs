//! State of a block that no gradient trains, such as a selection bias that is adjusted by load.
//!
//! A forward pass only reads a buffer and records statistics for it ([`crate::Pass::record`]). After the optimizer step the
//! statistics of all parts of the batch are summed, in the order of the parts, and each block updates its buffers once
//! ([`crate::Block::update_buffers`]). Parts that run in parallel therefore all see the same values.

use std::sync::{Arc, RwLock};

/// A handle to values `[len]`; clones of a model share them.
#[derive(Clone, Debug)]
pub struct Buffer(Arc<RwLock<Vec<f32>>>);

impl Buffer {
    /// A buffer of these values.
    pub fn new(values: Vec<f32>) -> Self {
        Self(Arc::new(RwLock::new(values)))
    }

    /// A copy of the values.
    pub fn values(&self) -> Vec<f32> {
        match self.0.read() {
            Ok(values) => values.clone(),
            Err(_) => panic!("a thread panicked while it updated this buffer"),
        }
    }

    /// Replaces the values.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    pub fn set_values(&self, new: Vec<f32>) {
        match self.0.write() {
            Ok(mut values) => {
                assert_eq!(values.len(), new.len(), "values of a buffer");
                *values = new;
            }
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

/// Statistics recorded for buffers, summed over passes.
#[derive(Debug, Default)]
pub struct Statistics(Vec<(Buffer, Vec<f64>)>);

impl Statistics {
    /// Adds `values` to the statistics of `buffer`.
    pub fn add(&mut self, buffer: &Buffer, values: &[f64]) {
        match self.0.iter_mut().find(|(other, _)| other.is(buffer)) {
            Some((_, sums)) => {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            None => self.0.push((buffer.clone(), values.to_vec())),
        }
    }

    /// Adds all statistics of another part of the batch.
    pub fn merge(&mut self, other: &Self) {
        for (buffer, values) in &other.0 {
            self.add(buffer, values);
        }
    }

    /// The sums recorded for `buffer`; `None` if nothing was.
    pub fn of(&self, buffer: &Buffer) -> Option<&[f64]> {
        let found = self.0.iter().find(|(other, _)| other.is(buffer));
        found.map(|(_, values)| values.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_summed_by_buffer() {
        let (first, second) = (Buffer::new(vec![0.0; 2]), Buffer::new(vec![0.0; 2]));
        let mut sum = Statistics::default();
        sum.add(&first, &[1.0, 2.0]);
        let mut part = Statistics::default();
        part.add(&first.clone(), &[10.0, 20.0]);
        part.add(&second, &[5.0, 6.0]);
        sum.merge(&part);
        assert_eq!(sum.of(&first), Some([11.0, 22.0].as_slice()));
        assert_eq!(sum.of(&second), Some([5.0, 6.0].as_slice()));
        assert_eq!(sum.of(&Buffer::new(vec![0.0; 2])), None);
    }
}
