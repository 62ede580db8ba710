//! Value tables: their rows, gradient and optimizer state.
//!
//! A table has no autodiff node. A lookup is differentiable in its weights or inputs, and the table's gradient is never
//! materialised: it is kept as entries (ids, weights, rows), which [`ValueTable::update`] sums and applies row by row
//! (lazy Adam: rows that a step did not read keep their values and moments).
//!
//! Values and moments may be in bf16. Lookups compute in f32, and an update rounds stochastically, so that changes of less than
//! half a unit in the last place are kept on average.
//!
//! Clones of a handle refer to the same table: cloning a model, or building several layers on a shared table, copies no
//! rows.

mod gradient;
mod over_ranks;
mod request;
pub(crate) mod served;
mod split;
mod stored;

use std::sync::{Arc, Mutex, MutexGuard};

use burn::tensor::{Device, Int, Tensor, bf16};
use collectives::Collectives;
use rayon::prelude::*;

use crate::init::Init;
use crate::kernels::table_memory::{self, TableValues};
use crate::kernels::{AdamStep, RoundingCounters, lookup};
use crate::numeric_format::NumericFormat;
use crate::pass::{Pass, SavedFactor};

pub use gradient::TableGradient;
use request::Served;
pub use stored::{TableMemory, TablePart};

/// A handle to a table `[rows, width]`, or to the columns of it that this process has: see [`ValueTable::split`].
#[derive(Clone)]
pub struct ValueTable {
    /// Of the whole table.
    shape: [usize; 2],
    format: NumericFormat,
    learning_rate_factor: f64,
    /// Of the seed and the table, for stochastic rounding.
    rounding_bits: u64,
    /// The ranks that the columns are split over; `None` if this process has the whole table.
    ranks: Option<Arc<dyn Collectives>>,
    state: Arc<Mutex<State>>,
}

struct State {
    /// `[rows, columns]`, of the columns that this process has; the moments likewise.
    values: Tensor<2>,
    /// Running means of gradients and of squared gradients; none until the first update, so that evaluation needs the
    /// memory of one table, not three.
    moments: Option<(Tensor<2>, Tensor<2>)>,
    updates: i32,
    /// While one rank alone evaluates, and the others serve its lookups.
    served: Option<Served>,
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
    /// Format of both means of a table that has none yet.
    pub moments: NumericFormat,
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
        Self::filled([rows, width], NumericFormat::F32, device, |values| {
            init.fill_table(seed, name, values);
        })
    }

    /// A table `[rows, width]` in `format` whose values `fill` writes.
    ///
    /// # Panics
    ///
    /// If the system cannot allocate the memory; the message names the bytes.
    pub fn filled(
        [rows, width]: [usize; 2],
        format: NumericFormat,
        device: &Device,
        fill: impl FnOnce(TableValues),
    ) -> Self {
        let device = device.clone().inner();
        Self::from_values(table_memory::filled_tensor(
            rows, width, format, &device, fill,
        ))
    }

    /// A table of these values, `[rows, width]` in f32 or bf16; on the CPU, copied to table memory.
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
            format: NumericFormat::of(values.dtype()),
            learning_rate_factor: 1.0,
            rounding_bits: 0,
            ranks: None,
            state: Arc::new(Mutex::new(State {
                values,
                moments: None,
                updates: 0,
                served: None,
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

    /// The same table, whose stochastic rounding depends on `bits`: random bits of the seed and the table.
    pub fn with_rounding_bits(self, bits: u64) -> Self {
        Self {
            rounding_bits: bits,
            ..self
        }
    }

    /// Format of its values.
    pub fn format(&self) -> NumericFormat {
        self.format
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.shape[0]
    }

    /// Width of a row of the whole table.
    pub fn width(&self) -> usize {
        self.shape[1]
    }

    /// Whether both handles refer to the same table.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// The values of the columns that this process has, `[rows, columns]`. While the returned tensor exists, an update copies them.
    pub fn values(&self) -> Tensor<2> {
        self.lock().values.clone()
    }

    /// Replaces the values of the columns that this process has, rounded to nearest in the format of the table, and discards the
    /// moments.
    pub fn set_values(&self, values: Tensor<2>) {
        *self.lock() = State {
            values: table_memory::copied(values.cast(self.format.dtype())),
            moments: None,
            updates: 0,
            served: None,
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
    ///
    /// If the columns are split, all ranks look up together: each its own tokens, equally many, in training, and all the same tokens in
    /// other passes.
    pub fn bag(&self, ids: Tensor<2, Int>, weights: Tensor<2>, pass: &mut Pass) -> Tensor<2> {
        if let Some(ranks) = &self.ranks {
            return self.split_bag(ranks, ids, weights, pass);
        }
        let sink = sink(&weights, pass);
        let out = lookup::bag(self.values(), ids.clone(), weights.clone(), sink.clone());
        if pass.is_differentiated() {
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

    /// `<inputs[t], table[ids[t,j]]>`: `ids [tokens, per_token]`, `inputs [tokens, width]` to `[tokens, per_token]`. If the columns are
    /// split, as [`ValueTable::bag`].
    pub fn dot(&self, ids: Tensor<2, Int>, inputs: Tensor<2>, pass: &mut Pass) -> Tensor<2> {
        if let Some(ranks) = &self.ranks {
            return self.split_dot(ranks, ids, inputs, pass);
        }
        let sink = sink(&inputs, pass);
        let out = lookup::dot(self.values(), ids.clone(), inputs.clone(), sink.clone());
        if pass.is_differentiated() {
            pass.save_lookup(
                self.clone(),
                ids.inner(),
                SavedFactor::Inputs(inputs.inner()),
                sink,
            );
        }
        out
    }

    /// Allocates the moments in `format` and writes all their pages, as after long training. Otherwise the first update
    /// allocates them and pages are mapped when rows are first updated, which timings of few updates would include.
    pub fn allocate_moments(&self, format: NumericFormat) {
        let mut state = self.lock();
        if state.moments.is_none() {
            let zero = |values: TableValues| match values {
                TableValues::F32(values) => {
                    let parts = values.par_chunks_mut(1 << 20);
                    parts.for_each(|part| part.fill(0.0));
                }
                TableValues::Bf16(values) => {
                    let parts = values.par_chunks_mut(1 << 20);
                    parts.for_each(|part| part.fill(bf16::ZERO));
                }
            };
            let device = state.values.device();
            let moments = table_memory::zero_moments(self.own_shape(), format, &device, zero);
            state.moments = Some(moments);
        }
    }

    /// One step of lazy Adam by the sum of `parts`, at `learning_rate` times the table's factor; returns the gradient's norm before clipping, `[1]`.
    /// If the columns are split, all ranks update together, and the norm is that of all columns.
    pub fn update(
        &self,
        parts: Vec<TableGradient>,
        optimizer: &LazyAdam,
        learning_rate: f64,
    ) -> Tensor<1> {
        let gradient = TableGradient::concat(parts);
        let (gradient, max_norm, norm_before) = match (&self.ranks, optimizer.max_norm) {
            // The norm is that of all columns, which the kernel does not have.
            (Some(ranks), Some(max_norm)) => {
                let (clipped, norm) = over_ranks::clipped(gradient, self.rows(), max_norm, ranks);
                (clipped, None, Some(norm))
            }
            (_, max_norm) => (gradient, max_norm, None),
        };
        let mut state = self.lock();
        let shape = self.own_shape();
        let device = state.values.device();
        let moments = state.moments.take();
        let moments = moments.unwrap_or_else(|| {
            table_memory::zero_moments(shape, optimizer.moments, &device, |_| {})
        });
        state.updates += 1;
        let step = AdamStep {
            learning_rate: (learning_rate * self.learning_rate_factor) as f32,
            beta_1: optimizer.beta_1,
            beta_2: optimizer.beta_2,
            epsilon: optimizer.epsilon,
            max_norm,
            step: state.updates,
            rounding: RoundingCounters::new(self.rounding_bits, state.updates.unsigned_abs())
                .from_column(self.columns().start),
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
        match (norm_before, &self.ranks) {
            (Some(norm), _) => norm,
            (None, Some(ranks)) => over_ranks::norm_over_ranks(norm, ranks),
            (None, None) => norm,
        }
    }
}

/// A leaf that receives the gradient of a lookup's output. Its own value is never read: one element serves for any shape.
fn sink(like: &Tensor<2>, pass: &Pass) -> Tensor<2> {
    let sink = Tensor::zeros([1, 1], &like.device());
    match pass.is_differentiated() {
        true => sink.require_grad(),
        false => sink,
    }
}

#[cfg(test)]
mod tests;
