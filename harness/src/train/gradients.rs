//! Gradients with their losses, on the device: of one part of a batch, of all parts of a rank, and over all ranks.

use architectures::{Statistics, TableGradient, ValueTable};
use burn::optim::GradientsParams;

use super::losses::Losses;
use super::own_gradients::OwnGradients;

/// Gradients of value tables: for each table, one entry per lookup of each micro-batch.
pub type TableGradients = Vec<(ValueTable, Vec<TableGradient>)>;

/// Appends the entries of `added` to those of the same tables in `sum`.
pub fn append_tables(sum: &mut TableGradients, added: TableGradients) {
    for (table, parts) in added {
        match sum.iter_mut().find(|(other, _)| other.is(&table)) {
            Some((_, others)) => others.extend(parts),
            None => sum.push((table, parts)),
        }
    }
}

/// Losses of one or several parts of a batch with the sum of their gradients, on the device.
pub struct Gradients {
    /// Losses of the parts.
    pub losses: Losses,
    /// Gradients of the parameters, one entry per table.
    pub parameters: ParameterGradients,
}

/// Gradients of a module's parameters, and statistics for its buffers.
pub struct ParameterGradients {
    /// Gradients of the dense parameters.
    pub dense: GradientsParams,
    /// Gradients of the value tables.
    pub tables: TableGradients,
    /// Statistics for the blocks' buffers.
    pub statistics: Statistics,
}

/// Gradients of a module's parameters over a whole batch, and statistics for its buffers.
pub struct SummedGradients {
    /// Gradients of the dense parameters.
    pub dense: DenseGradients,
    /// Gradients of the value tables.
    pub tables: TableGradients,
    /// Statistics for the blocks' buffers.
    pub statistics: Statistics,
}

/// Gradients of dense parameters.
pub enum DenseGradients {
    /// On one rank, of every element.
    Whole(GradientsParams),
    /// On several ranks, of the elements that the rank updates.
    Own(Box<OwnGradients>),
}

impl From<ParameterGradients> for SummedGradients {
    /// Those of a batch that one rank computed.
    fn from(gradients: ParameterGradients) -> Self {
        Self {
            dense: DenseGradients::Whole(gradients.dense),
            tables: gradients.tables,
            statistics: gradients.statistics,
        }
    }
}

/// Losses and gradients of one batch, on the device.
pub struct SummedBatch {
    /// Losses of the parts of this rank.
    pub losses: Losses,
    /// Gradients of the parameters, summed over ranks.
    pub parameters: SummedGradients,
}

impl From<Gradients> for SummedBatch {
    /// Those of a batch that one rank computed.
    fn from(gradients: Gradients) -> Self {
        Self {
            losses: gradients.losses,
            parameters: gradients.parameters.into(),
        }
    }
}
