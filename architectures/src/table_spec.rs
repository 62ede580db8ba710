//! The tables that a block's configuration describes, before any is allocated.

use crate::cost::Cost;

/// A value table of a block: its name, shape and learning rate.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSpec {
    /// Unique within the block; of a shared table, within the model.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Width of a row.
    pub width: usize,
    /// Whether all blocks of the model that describe a table of this name have one table.
    pub shared: bool,
    /// Factor of the learning rate of tables.
    pub learning_rate_factor: f64,
}

impl TableSpec {
    /// A table of one block, at the learning rate of tables.
    pub fn new(name: impl Into<String>, rows: usize, width: usize) -> Self {
        Self {
            name: name.into(),
            rows,
            width,
            shared: false,
            learning_rate_factor: 1.0,
        }
    }

    /// The same table, shared by all blocks of the model that describe it.
    pub fn shared(self) -> Self {
        Self {
            shared: true,
            ..self
        }
    }

    /// The same table at `factor` times the learning rate of tables.
    pub fn with_learning_rate_factor(self, factor: f64) -> Self {
        Self {
            learning_rate_factor: factor,
            ..self
        }
    }

    /// Its parameters.
    pub fn cost(&self) -> Cost {
        Cost::table(self.rows, self.width)
    }
}
