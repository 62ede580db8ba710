//! Decoders whose value tables are split over ranks.

use std::sync::Arc;

use burn::tensor::Device;
use collectives::Collectives;

use super::Decoder;
use crate::agreement;
use crate::block::{Block, Builder};
use crate::config::ConfigError;
use crate::model::ModelConfig;
use crate::pass::Pass;
use crate::token_ids::TokenIds;
use crate::value_table::{ValueTable, served};

impl Decoder {
    /// As [`Decoder::new`], with the columns of every value table split over `ranks`. All ranks have the same configuration and seed.
    ///
    /// # Errors
    /// If the configuration is invalid, or the width of a table is not divisible by the number of ranks.
    pub fn on_ranks(
        config: &ModelConfig,
        seed: u64,
        device: &Device,
        ranks: Arc<dyn Collectives>,
    ) -> Result<Self, ConfigError> {
        config.check_ranks(ranks.ranks())?;
        let builder = Builder::new(&config.decoder, seed, device).on_ranks(ranks);
        Self::build(config, builder)
    }

    /// The ranks that the columns of the value tables are split over; `None` if this process has whole tables. With such ranks,
    /// all call [`Decoder::forward`] and the backward pass together and one at a time: in training with equally many
    /// tokens of their own, otherwise with the same tokens. For evaluation by rank 0 alone, see [`Decoder::serve_lookups`].
    pub fn table_ranks(&self) -> Option<&Arc<dyn Collectives>> {
        self.blocks()
            .flat_map(Block::tables)
            .find_map(ValueTable::ranks)
    }

    /// Panics if the ranks of split tables run different passes.
    pub(super) fn check_ranks(&self, pass: &Pass, tokens: &TokenIds) {
        if let Some(ranks) = self.table_ranks() {
            let served = self.tables().iter().any(|table| table.is_served());
            if pass.is_training() || !served {
                agreement::check(ranks.as_ref(), pass, tokens);
            }
        }
    }

    /// Begins an evaluation by this rank, number 0, alone, while the other ranks call [`Decoder::serve_lookups`]: until the returned
    /// value is dropped, evaluation passes of this decoder and of its clones send their lookups to them. `None` if tables are not split.
    pub fn with_served_lookups(&self) -> Option<ServedLookups> {
        let ranks = self.table_ranks()?.clone();
        let tables: Vec<ValueTable> = self.tables().into_iter().cloned().collect();
        served::begin(&tables);
        Some(ServedLookups { tables, ranks })
    }

    /// Serves the lookups of rank 0 in split tables, from [`Decoder::with_served_lookups`] to the end of its evaluation. Returns at once
    /// if tables are not split.
    ///
    /// # Panics
    ///
    /// If rank 0 does anything but to evaluate.
    pub fn serve_lookups(&self) {
        let tables = self.tables();
        if let (Some(ranks), Some(table)) = (self.table_ranks(), tables.first()) {
            served::serve(&tables, ranks, &table.values().device());
        }
    }
}

/// An evaluation by one rank, whose lookups in split tables the other ranks serve; they end when it is dropped.
pub struct ServedLookups {
    tables: Vec<ValueTable>,
    ranks: Arc<dyn Collectives>,
}

impl Drop for ServedLookups {
    fn drop(&mut self) {
        // After a panic the others may wait in another operation; whoever catches it ends the ranks.
        if !std::thread::panicking() {
            served::end(&self.tables, &self.ranks);
        }
    }
}
