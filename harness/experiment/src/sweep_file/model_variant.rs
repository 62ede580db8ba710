//! `[blocks.LABEL]`: the block that replaces the feed-forward block, and its layers.

use architectures::{DecoderConfig, ModelConfig, PlacedBlock, Placement, Site};
use serde::Deserialize;

use super::error::FileError;
use super::read::{read, read_block};
use super::solve::{self, LocatedRequest};
use super::sweep::ModelVariant;
use super::tree::LocatedTable;

/// The key `placement` of a block.
#[derive(Deserialize)]
struct PlacementKey {
    placement: Placement,
}

/// The variant of `decoder` with the block of `table`, and the block's request if it has knobs to solve for. A model
/// without such knobs is validated; `decoder_table` gives the positions of the decoder's keys.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn model_variant(
    file: &str,
    decoder: &DecoderConfig,
    decoder_table: &LocatedTable,
    label: &str,
    mut table: LocatedTable,
) -> Result<(ModelVariant, Option<LocatedRequest>), FileError> {
    let solve = solve::take(file, &mut table)?;
    let placement = match table.take("placement") {
        None => Placement::All,
        Some(entry) => {
            let entries = vec![entry];
            let placement_table = LocatedTable {
                entries,
                ..table.clone()
            };
            let PlacementKey { placement } = read(file, &placement_table)?;
            let layers = placement.layers(decoder.n_layers);
            layers.map_err(|error| FileError::config(file, &[&placement_table], error))?;
            placement
        }
    };
    let block = read_block(file, &table)?;
    let model = ModelConfig {
        decoder: decoder.clone(),
        blocks: vec![PlacedBlock {
            block,
            placement,
            site: Site::default(),
        }],
    };
    if solve.is_none() {
        model
            .layers()
            .map_err(|error| FileError::config(file, &[&table, decoder_table], error))?;
    }
    let variant = ModelVariant {
        block: label.to_owned(),
        model,
        matched: None,
    };
    Ok((variant, solve))
}
