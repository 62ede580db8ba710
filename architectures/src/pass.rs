//! What one forward pass needs and what it observes.

use burn::tensor::{Gradients, Int, Tensor};

use crate::usage::Usage;
use crate::value_table::{TableGradient, ValueTable};

/// Why a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Training,
    Evaluation,
    Observation,
}

/// Carried through the layers of one forward pass.
pub struct Pass {
    purpose: Purpose,
    layer: usize,
    lookups: Vec<Lookup>,
    auxiliary: Vec<Tensor<1>>,
    usage: Vec<Usage>,
}

/// One read of a table, remembered until the backward pass supplies the missing part of its gradient.
struct Lookup {
    table: ValueTable,
    ids: Tensor<2, Int>,
    known: Known,
    sink: Tensor<2>,
}

/// The half of a table's gradient that the forward pass already knows.
pub(crate) enum Known {
    /// Weights of a bag, `[tokens, rows]`; the sink receives the output's gradient `[tokens, width]`.
    Weights(Tensor<2>),
    /// Inputs of a dot product, `[tokens, width]`; the sink receives the products' gradient `[tokens, rows]`.
    Inputs(Tensor<2>),
}

impl Pass {
    fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            layer: 0,
            lookups: Vec::new(),
            auxiliary: Vec::new(),
            usage: Vec::new(),
        }
    }

    /// A pass whose loss will be differentiated.
    pub fn training() -> Self {
        Self::new(Purpose::Training)
    }

    /// A pass that only predicts.
    pub fn evaluation() -> Self {
        Self::new(Purpose::Evaluation)
    }

    /// A pass that predicts and records which slots and experts were used.
    pub fn observation() -> Self {
        Self::new(Purpose::Observation)
    }

    /// Whether gradients are wanted; routing that differs between training and evaluation asks this.
    pub fn is_training(&self) -> bool {
        self.purpose == Purpose::Training
    }

    /// Whether blocks should call [`Pass::observe`]; doing so moves data to the host.
    pub fn observes(&self) -> bool {
        self.purpose == Purpose::Observation
    }

    pub(crate) fn enter_layer(&mut self, layer: usize) {
        self.layer = layer;
    }

    /// Adds a loss of the block's own (balance, z), already weighted.
    pub fn add_auxiliary_loss(&mut self, loss: Tensor<1>) {
        self.auxiliary.push(loss);
    }

    /// Records how often each unit of the current layer was chosen and with what weight.
    pub fn observe(&mut self, unit: &'static str, weights: Vec<f64>) {
        self.usage.push(Usage::new(self.layer, unit, weights));
    }

    pub(crate) fn remember(
        &mut self,
        table: ValueTable,
        ids: Tensor<2, Int>,
        known: Known,
        sink: Tensor<2>,
    ) {
        self.lookups.push(Lookup {
            table,
            ids,
            known,
            sink,
        });
    }

    /// The sum of the blocks' own losses, if any block has one.
    pub fn auxiliary_loss(&self) -> Option<Tensor<1>> {
        self.auxiliary
            .iter()
            .cloned()
            .reduce(|sum, loss| sum + loss)
    }

    /// What was observed, layer by layer.
    pub fn into_usage(self) -> Vec<Usage> {
        self.usage
    }

    /// The tables' gradients, one entry per table, in the order in which tables were first read.
    ///
    /// Ends the pass: the tables are only free to be updated in place when nothing else holds them.
    pub fn into_table_gradients(
        self,
        gradients: &Gradients,
    ) -> Vec<(ValueTable, Vec<TableGradient>)> {
        let mut tables: Vec<(ValueTable, Vec<TableGradient>)> = Vec::new();
        for lookup in self.lookups {
            // A lookup whose output did not reach the loss has no gradient.
            let Some(arrived) = lookup.sink.grad(gradients) else {
                continue;
            };
            let (weights, rows) = match lookup.known {
                Known::Weights(weights) => (weights, arrived),
                Known::Inputs(inputs) => (arrived, inputs),
            };
            let gradient = TableGradient {
                ids: lookup.ids,
                weights,
                rows,
            };
            match tables.iter_mut().find(|(table, _)| table.is(&lookup.table)) {
                Some((_, parts)) => parts.push(gradient),
                None => tables.push((lookup.table, vec![gradient])),
            }
        }
        tables
    }
}
