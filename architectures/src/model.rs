//! A model's configuration: the decoder's dimensions, the blocks and their placement; and its cost.

use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::Architecture;
use crate::config::{ConfigError, DecoderConfig};
use crate::cost::Cost;
use crate::layer::{self, LayerConfig, Site};
use crate::part;
use crate::placement::Placement;
use crate::registry::BlockConfig;
use crate::table_spec::TableSpec;

/// Largest number of entries of [`ModelConfig::blocks`].
pub const MAX_BLOCKS: usize = 16;

/// A block and the layers that have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedBlock {
    /// The block.
    pub block: BlockConfig,
    /// Its layers.
    pub placement: Placement,
    /// Where in those layers.
    #[serde(default, skip_serializing_if = "Site::is_feed_forward")]
    pub site: Site,
}

/// A model's configuration. Layers without a block in place of the feed-forward are dense; of two such blocks in one
/// layer the later applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The decoder around the blocks.
    pub decoder: DecoderConfig,
    /// The blocks that are not the default dense feed-forward.
    pub blocks: Vec<PlacedBlock>,
}

impl ModelConfig {
    /// The blocks of each layer, first to last.
    ///
    /// # Errors
    /// If a dimension or a placement is invalid.
    pub fn layers(&self) -> Result<Vec<LayerConfig>, ConfigError> {
        self.decoder.check()?;
        if self.blocks.len() > MAX_BLOCKS {
            return Err(ConfigError::new(
                "with",
                format!(
                    "gives a model of {} blocks, more than {MAX_BLOCKS}",
                    self.blocks.len()
                ),
                "remove some",
            ));
        }
        let mut layers = vec![LayerConfig::default(); self.decoder.n_layers];
        for placed in &self.blocks {
            placed.block.check(&self.decoder)?;
            for layer in placed.placement.layers(self.decoder.n_layers)? {
                layers[layer].place(placed.site, placed.block.clone());
            }
        }
        for layer in &layers {
            layer.feed_forward.check(&self.decoder)?;
        }
        let tables = layer::tables(&self.decoder, &layers);
        for (number, table) in tables.iter().enumerate().filter(|(_, table)| table.shared) {
            let other = tables[..number]
                .iter()
                .find(|other| other.shared && other.name == table.name);
            if let Some(other) = other {
                return Err(ConfigError::new(
                    "blocks",
                    format!(
                        "share the table {}, which is {} x {} in one and {} x {} in another",
                        table.name, other.rows, other.width, table.rows, table.width
                    ),
                    "use equal shapes and learning-rate factors, or tables that are not shared",
                ));
            }
        }
        Ok(layers)
    }

    /// The model's value tables, first layer to last; a shared table once.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`].
    pub fn tables(&self) -> Result<Vec<TableSpec>, ConfigError> {
        Ok(layer::tables(&self.decoder, &self.layers()?))
    }

    /// Checks that the columns of every value table can be split over `ranks`.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`], or if the width of a table is not divisible by `ranks`.
    pub fn check_ranks(&self, ranks: usize) -> Result<(), ConfigError> {
        let tables = self.tables()?;
        match tables
            .iter()
            .find(|table| !table.width.is_multiple_of(ranks))
        {
            None => Ok(()),
            Some(table) => Err(ConfigError::new(
                "blocks",
                format!(
                    "have the table {} of width {}, whose columns cannot be divided among {ranks} ranks",
                    table.name, table.width
                ),
                "change its width, or start a number of ranks that divides it",
            )),
        }
    }

    /// What one token leaves in memory in each layer, first to last.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`].
    pub fn activations(&self) -> Result<Vec<Activations>, ConfigError> {
        let layers = self.layers()?.into_iter();
        let of = |layer| part::activations_of_layer(&self.decoder, &layer);
        Ok(layers.map(of).collect())
    }

    /// Number of dense parameters of each layer, first to last.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`].
    pub fn dense_parameters_of_layers(&self) -> Result<Vec<u64>, ConfigError> {
        let layers = self.layers()?;
        let of = |layer| part::dense_parameters_of_layer(&self.decoder, layer);
        Ok(layers.iter().map(of).collect())
    }

    /// Cost of one token in the whole model, by formula.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`], or if it exceeds [`crate::MAX_COUNT`].
    pub fn cost(&self) -> Result<Cost, ConfigError> {
        let layers = self.layers()?;
        let cost = part::total_cost(&self.decoder, &layers);
        cost.check()?;
        Ok(cost)
    }
}
