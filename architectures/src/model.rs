//! A model's configuration: the decoder's dimensions, the blocks and their placement; and its cost.

use serde::{Deserialize, Serialize};

use crate::block::Architecture;
use crate::config::{ConfigError, DecoderConfig};
use crate::cost::Cost;
use crate::part;
use crate::placement::Placement;
use crate::registry::BlockConfig;

/// A block and the layers that have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedBlock {
    /// The block in place of the dense feed-forward.
    pub block: BlockConfig,
    /// Its layers.
    pub placement: Placement,
}

/// A model's configuration. Layers in no placement are dense; of two placements of one layer, the later applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The decoder around the blocks.
    pub decoder: DecoderConfig,
    /// The blocks that are not the default dense feed-forward.
    pub blocks: Vec<PlacedBlock>,
}

impl ModelConfig {
    /// The block of each layer, first to last.
    ///
    /// # Errors
    /// If a dimension or a placement is invalid.
    pub fn layers(&self) -> Result<Vec<BlockConfig>, ConfigError> {
        self.decoder.check()?;
        let mut layers = vec![BlockConfig::default(); self.decoder.n_layers];
        for placed in &self.blocks {
            placed.block.check(&self.decoder)?;
            for layer in placed.placement.layers(self.decoder.n_layers)? {
                layers[layer] = placed.block.clone();
            }
        }
        for block in &layers {
            block.check(&self.decoder)?;
        }
        Ok(layers)
    }

    /// Width of the narrowest value table; `None` if no layer has a table.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`].
    pub fn table_width(&self) -> Result<Option<usize>, ConfigError> {
        let layers = self.layers()?;
        Ok(layers
            .iter()
            .filter_map(|block| block.table_width(&self.decoder))
            .min())
    }

    /// Cost of one token in the whole model, by formula.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`].
    pub fn cost(&self) -> Result<Cost, ConfigError> {
        let layers = self.layers()?;
        Ok(part::total_cost(&self.decoder, &layers))
    }
}
