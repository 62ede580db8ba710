//! A whole model: the decoder's dimensions and the blocks placed in it, and what it costs.

use serde::{Deserialize, Serialize};

use crate::block::Architecture;
use crate::config::{ConfigError, DecoderConfig};
use crate::cost::Cost;
use crate::part;
use crate::placement::Placement;
use crate::registry::BlockConfig;

/// A block and the layers that carry it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedBlock {
    /// What replaces the dense feed-forward.
    pub block: BlockConfig,
    /// In which layers.
    pub placement: Placement,
}

/// A whole model: layers that `blocks` do not name are dense; where two placements meet, the later wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The decoder around the blocks.
    pub decoder: DecoderConfig,
    /// What differs from a dense decoder.
    pub blocks: Vec<PlacedBlock>,
}

impl ModelConfig {
    /// The block of each layer, first to last.
    ///
    /// # Errors
    /// For a shape that cannot be built.
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

    /// Columns of the narrowest value table; none where no layer has a table.
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

    /// What one token costs in the whole model, by formula; nothing is built.
    ///
    /// # Errors
    /// As [`ModelConfig::layers`].
    pub fn cost(&self) -> Result<Cost, ConfigError> {
        let layers = self.layers()?;
        Ok(part::total_cost(&self.decoder, &layers))
    }
}
