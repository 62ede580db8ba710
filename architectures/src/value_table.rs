//! Value tables: their rows, gradient and optimizer state.
//!
//! A table has no autodiff node. A lookup is differentiable in its weights or inputs, and the table's gradient is never
//! materialised: it is kept as entries (ids, weights, rows), which [`ValueTable::update`] sums and applies row by row
//! (lazy Adam: rows that a step did not read keep their values and moments).
//!
//! Clones of a handle refer to the same table: cloning a model, or building several layers on a shared table, copies no
//! rows.

mod gradient;
mod stored;

use std::sync::{Arc, Mutex, MutexGuard};

use burn::tensor::{Device, Int, Tensor};
use rayon::prelude::*;

use crate::host_copy;
use crate::init::Init;
use crate::kernels::table_memory;
use crate::kernels::{AdamStep, lookup};
use crate::pass::{Pass, SavedFactor};

pub use gradient::TableGradient;
pub use stored::{TableMemory, TablePart};

/// A handle to a table `[rows, width]`.
#[derive(Clone)]
pub struct ValueTable {
    shape: [usize; 2],
    learning_rate_factor: f64,
    state: Arc<Mutex<State>>,
}

struct State {
    values: Tensor<2>,
    /// Running means of gradients and of squared gradients; none until the first update, so that evaluation needs the
    /// memory of one table, not three.
    moments: Option<(Tensor<2>, Tensor<2>)>,
    updates: i32,
}

impl std::fmt::Debug for ValueTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ValueTable({} x {})", self.shape[0], self.shape[1])
    }
}

/// The optimizer of tables: Adam on the rows that a step read, without weight decay, at a learning rate of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LazyAdam {
    /// Decay of the mean of gradients.
    pub beta_1: f32,
    /// Decay of the mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Largest norm of one table's gradient; each table is clipped separately from the dense parameters.
    pub max_norm: Option<f32>,
}

impl ValueTable {
    /// Normal values of standard deviation `std`, drawn by `name`.
    ///
    /// # Panics
    ///
    /// If the system cannot allocate the memory; the message names the bytes.
    pub fn new(
        name: &str,
        rows: usize,
        width: usize,
        std: f64,
        seed: u64,
        device: &Device,
    ) -> Self {
        let init = Init::TruncatedNormal(std);
        Self::filled(rows, width, device, |values| init.fill(seed, name, values))
    }

    /// A table whose values `fill` writes.
    ///
    /// # Panics
    ///
    /// If the system cannot allocate the memory; the message names the bytes.
    pub fn filled(
        rows: usize,
        width: usize,
        device: &Device,
        fill: impl FnOnce(&mut [f32]),
    ) -> Self {
        Self::from_values(table_memory::filled_tensor(
            rows,
            width,
            &device.clone().inner(),
            fill,
        ))
    }

    /// A table of these values, `[rows, width]`; on the CPU, copied to table memory.
    ///
    /// # Panics
    ///
    /// If the system cannot allocate the memory; the message names the bytes.
    pub fn from_tensor(values: Tensor<2>) -> Self {
        Self::from_values(table_memory::copied(values))
    }

    fn from_values(values: Tensor<2>) -> Self {
        Self {
            shape: values.dims(),
            learning_rate_factor: 1.0,
            state: Arc::new(Mutex::new(State {
                values,
                moments: None,
                updates: 0,
            })),
        }
    }

    /// The same table, updated at `factor` times the learning rate.
    pub fn with_learning_rate_factor(self, factor: f64) -> Self {
        Self {
            learning_rate_factor: factor,
            ..self
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.shape[0]
    }

    /// Width of a row.
    pub fn width(&self) -> usize {
        self.shape[1]
    }

    /// Whether both handles refer to the same table.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// The values, `[rows, width]`. While the returned tensor exists, an update copies the table.
    pub fn values(&self) -> Tensor<2> {
        self.lock().values.clone()
    }

    /// Replaces the values and discards the moments.
    pub fn set_values(&self, values: Tensor<2>) {
        *self.lock() = State {
            values: table_memory::copied(values),
            moments: None,
            updates: 0,
        };
    }

    /// Panics if a thread panicked during an update, since the table is then incomplete.
    fn lock(&self) -> MutexGuard<'_, State> {
        match self.state.lock() {
            Ok(state) => state,
            Err(_) => panic!("a thread panicked while it updated this value table"),
        }
    }

    /// `sum_j weights[t,j] table[ids[t,j]]`: `ids` and `weights [tokens, per_token]` to `[tokens, width]`. One id per token
    /// at weight one reads that row.
    pub fn bag(&self, ids: Tensor<2, Int>, weights: Tensor<2>, pass: &mut Pass) -> Tensor<2> {
        let [tokens, _] = weights.dims();
        let sink = sink([tokens, self.width()], &weights, pass);
        let out = lookup::bag(self.values(), ids.clone(), weights.clone(), sink.clone());
        if pass.is_training() {
            pass.save_lookup(
                self.clone(),
                ids.inner(),
                SavedFactor::Weights(weights.inner()),
                sink,
            );
        }
        out
    }

    /// Requests the rows `ids [tokens, per_token]` from memory for a lookup that follows.
    pub fn prefetch(&self, ids: Tensor<2, Int>) {
        lookup::prefetch(self.values(), ids.inner());
    }

    /// `<inputs[t], table[ids[t,j]]>`: `ids [tokens, per_token]`, `inputs [tokens, width]` to `[tokens, per_token]`.
    pub fn dot(&self, ids: Tensor<2, Int>, inputs: Tensor<2>, pass: &mut Pass) -> Tensor<2> {
        let sink = sink(ids.dims(), &inputs, pass);
        let out = lookup::dot(self.values(), ids.clone(), inputs.clone(), sink.clone());
        if pass.is_training() {
            pass.save_lookup(
                self.clone(),
                ids.inner(),
                SavedFactor::Inputs(inputs.inner()),
                sink,
            );
        }
        out
    }

    /// Allocates the moments and writes all their pages, as after long training. Otherwise the first update allocates them
    /// and pages are mapped when rows are first updated, which timings of few updates would include.
    pub fn allocate_moments(&self) {
        let mut state = self.lock();
        if state.moments.is_none() {
            let zero = |values: &mut [f32]| {
                values
                    .par_chunks_mut(1 << 20)
                    .for_each(|part| part.fill(0.0))
            };
            state.moments = Some(table_memory::zero_moments(
                self.shape,
                &state.values.device(),
                zero,
            ));
        }
    }

    /// One step of lazy Adam by the sum of `parts`, at `learning_rate` times the table's factor; returns the gradient's norm before clipping.
    pub fn update(
        &self,
        parts: Vec<TableGradient>,
        optimizer: &LazyAdam,
        learning_rate: f64,
    ) -> f32 {
        let gradient = TableGradient::concat(parts);
        let mut state = self.lock();
        let shape = self.shape;
        let device = state.values.device();
        let moments = state.moments.take();
        let moments = moments.unwrap_or_else(|| table_memory::zero_moments(shape, &device, |_| {}));
        state.updates += 1;
        let step = AdamStep {
            learning_rate: (learning_rate * self.learning_rate_factor) as f32,
            beta_1: optimizer.beta_1,
            beta_2: optimizer.beta_2,
            epsilon: optimizer.epsilon,
            max_norm: optimizer.max_norm,
            step: state.updates,
        };
        // Replacing the tensor leaves the kernel the only reference, so that it may write in place.
        let placeholder = Tensor::zeros([1, 1], &state.values.device());
        let values = std::mem::replace(&mut state.values, placeholder);
        let (values, moments, norm) = lookup::row_adam(
            values,
            moments,
            gradient.ids,
            gradient.weights,
            gradient.rows,
            step,
        );
        state.values = values;
        state.moments = Some(moments);
        host_copy::number(norm)
    }
}

/// A leaf that receives the gradient of a lookup's output; outside training, one unused element.
fn sink(shape: [usize; 2], like: &Tensor<2>, pass: &Pass) -> Tensor<2> {
    if pass.is_training() {
        Tensor::zeros(shape, &like.device()).require_grad()
    } else {
        Tensor::zeros([1, 1], &like.device())
    }
}

#[cfg(test)]
mod tests;
