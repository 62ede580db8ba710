//! The state of one forward pass: its purpose, the lookups to differentiate, auxiliary losses and observed usage.

use std::collections::VecDeque;

use burn::tensor::{Gradients, Int, Tensor};

use crate::buffer::{Buffer, Statistics};
use crate::routing::Assignments;
use crate::usage::Usage;
use crate::value_table::{TableGradient, ValueTable};

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Training,
    BeforeReplay,
    Evaluation,
    Observation,
}

/// The state that the layers of one forward pass share.
pub struct Pass {
    purpose: Purpose,
    layer: usize,
    lookups: Vec<Lookup>,
    auxiliary: Vec<Tensor<1>>,
    usage: Vec<Usage>,
    statistics: Statistics,
    /// Of the mixtures in the order of their evaluation: those recorded so far, or in a replay those that are left.
    assignments: VecDeque<Assignments>,
}

/// One lookup in a table, saved until the backward pass computes the other factor of the table's gradient.
struct Lookup {
    table: ValueTable,
    ids: Tensor<2, Int>,
    saved: SavedFactor,
    sink: Tensor<2>,
}

/// The factor of a table's gradient that the forward pass computes.
pub(crate) enum SavedFactor {
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
            statistics: Statistics::default(),
            assignments: VecDeque::new(),
        }
    }

    /// A pass whose loss is differentiated.
    pub fn training() -> Self {
        Self::new(Purpose::Training)
    }

    /// A pass whose loss is differentiated, over the layers in which a pass before it recorded these assignments
    /// ([`Pass::take_assignments`]): tokens have the experts that they had, also where rounding would now choose others.
    pub fn replay(assignments: Vec<Assignments>) -> Self {
        Self {
            assignments: assignments.into(),
            ..Self::training()
        }
    }

    /// A pass without gradients that computes the same numbers as [`Pass::training`], from which a later training pass over
    /// the same layers begins: it keeps no lookups, auxiliary losses or statistics, which that pass will have, but the
    /// assignments of tokens to experts.
    pub fn before_replay() -> Self {
        Self::new(Purpose::BeforeReplay)
    }

    /// A pass without gradients.
    pub fn evaluation() -> Self {
        Self::new(Purpose::Evaluation)
    }

    /// A pass without gradients that records which slots and experts were used.
    pub fn observation() -> Self {
        Self::new(Purpose::Observation)
    }

    /// Whether blocks compute what is trained; routing may differ between training and evaluation.
    pub fn is_training(&self) -> bool {
        matches!(self.purpose, Purpose::Training | Purpose::BeforeReplay)
    }

    /// Whether this pass itself is differentiated.
    pub fn is_differentiated(&self) -> bool {
        self.purpose == Purpose::Training
    }

    /// Whether blocks should call [`Pass::observe`], which copies data to the host.
    pub fn observes(&self) -> bool {
        self.purpose == Purpose::Observation
    }

    /// The layer that is being evaluated, counted from zero.
    pub fn layer(&self) -> usize {
        self.layer
    }

    pub(crate) fn enter_layer(&mut self, layer: usize) {
        self.layer = layer;
    }

    /// Adds an auxiliary loss of a block (balance, z), `[1]`, multiplied by its weight.
    pub fn add_auxiliary_loss(&mut self, loss: Tensor<1>) {
        if self.purpose != Purpose::BeforeReplay {
            self.auxiliary.push(loss);
        }
    }

    /// Records the total weight with which each unit of the current layer was selected, and the number of selections.
    pub fn observe(&mut self, unit: &'static str, weights: Vec<f64>, reads: usize) {
        self.usage
            .push(Usage::new(self.layer, unit, weights, reads));
    }

    /// Records the reads of the current layer's `units` that are addressed by a hash: row and key of each read. Reads of one
    /// n-gram have one key; different n-grams must have different keys, or collisions are undercounted.
    pub fn observe_hashed(&mut self, unit: &'static str, units: usize, reads: &[(i64, i64)]) {
        let mut weights = vec![0.0; units];
        for (row, _) in reads {
            weights[*row as usize] += 1.0;
        }
        let usage = Usage::new(self.layer, unit, weights, reads.len());
        self.usage
            .push(usage.with_hashes(reads.iter().copied().collect()));
    }

    /// Records counts `[n]` for the update of `buffer` after the step; only in training.
    pub fn record(&mut self, buffer: &Buffer, counts: Tensor<1, Int>) {
        if self.is_differentiated() {
            self.statistics.add(buffer, counts);
        }
    }

    /// The assignments of the next mixture: those of the pass that is replayed, else those that `route` makes.
    pub(crate) fn assignments(&mut self, route: impl FnOnce() -> Assignments) -> Assignments {
        match self.purpose {
            Purpose::BeforeReplay => {
                let assignments = route();
                self.assignments.push_back(assignments.clone());
                assignments
            }
            _ => self.assignments.pop_front().unwrap_or_else(route),
        }
    }

    /// Takes the assignments that [`Pass::before_replay`] recorded since they were last taken.
    pub fn take_assignments(&mut self) -> Vec<Assignments> {
        std::mem::take(&mut self.assignments).into()
    }

    /// Takes the recorded statistics out of the pass.
    pub fn take_statistics(&mut self) -> Statistics {
        std::mem::take(&mut self.statistics)
    }

    pub(crate) fn save_lookup(
        &mut self,
        table: ValueTable,
        ids: Tensor<2, Int>,
        saved: SavedFactor,
        sink: Tensor<2>,
    ) {
        self.lookups.push(Lookup {
            table,
            ids,
            saved,
            sink,
        });
    }

    /// The sum of the auxiliary losses, `[1]`; `None` if there are none.
    pub fn auxiliary_loss(&self) -> Option<Tensor<1>> {
        let losses = self.auxiliary.iter().cloned();
        losses.reduce(|sum, loss| sum + loss)
    }

    /// The auxiliary losses, each `[1]`, in the order of the blocks.
    pub fn auxiliary_losses(&self) -> &[Tensor<1>] {
        &self.auxiliary
    }

    /// The observed usage, in layer order.
    pub fn into_usage(self) -> Vec<Usage> {
        self.usage
    }

    /// The tables' gradients, one entry per table, in the order in which tables were first read.
    ///
    /// Consumes the pass, so that it shares no storage with the tables when they are updated in place.
    pub fn into_table_gradients(
        self,
        gradients: &Gradients,
    ) -> Vec<(ValueTable, Vec<TableGradient>)> {
        let mut tables: Vec<(ValueTable, Vec<TableGradient>)> = Vec::new();
        for lookup in self.lookups {
            // A lookup whose output did not reach the loss has no gradient.
            let Some(sink_gradient) = lookup.sink.grad(gradients) else {
                continue;
            };
            let (weights, rows) = match lookup.saved {
                SavedFactor::Weights(weights) => (weights, sink_gradient),
                SavedFactor::Inputs(inputs) => (sink_gradient, inputs),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing;
    use burn::tensor::Device;

    #[test]
    fn a_replay_has_the_recorded_assignments_in_their_order() {
        let route = |best: usize| {
            let mut scores = [[0.0; 3]];
            scores[0][best] = 1.0;
            routing::token_choice(&Tensor::from_data(scores, &Device::flex()), 1)
        };
        let expert = |assignments: Assignments| assignments.pairs().into_scalar::<i64>();
        let mut pass = Pass::before_replay();
        assert_eq!(expert(pass.assignments(|| route(2))), 2);
        let first = pass.take_assignments();
        pass.assignments(|| route(0));
        pass.assignments(|| route(1));
        let second = pass.take_assignments();
        let other = || panic!("assignments were recorded");
        assert_eq!(expert(Pass::replay(first).assignments(other)), 2);
        let mut replay = Pass::replay(second);
        assert_eq!(expert(replay.assignments(other)), 0);
        assert_eq!(expert(replay.assignments(other)), 1);
        assert_eq!(expert(Pass::training().assignments(|| route(1))), 1);
    }
}
