//! `[blocks.LABEL]`: what replaces the feed-forward, and in which layers.

use architectures::{DecoderConfig, ModelConfig, PlacedBlock, Placement, Site};
use serde::Deserialize;

use super::error::FileError;
use super::read::{read, read_block};
use super::solve::{self, Solve};
use super::sweep::ModelVariant;
use super::tree::Table;

#[derive(Deserialize)]
struct Placed {
    placement: Placement,
}

/// Reads `table` as a block of `decoder`, which `decoder_table` describes, and checks the whole model; one with knobs to
/// be solved for is checked when they are.
pub fn model_variant(
    file: &str,
    decoder: &DecoderConfig,
    decoder_table: &Table,
    label: &str,
    mut table: Table,
) -> Result<(ModelVariant, Option<Solve>), FileError> {
    let solve = solve::take(file, &mut table)?;
    let placement = match table.take("placement") {
        None => Placement::All,
        Some(entry) => {
            let entries = vec![entry];
            let alone = Table {
                entries,
                ..table.clone()
            };
            let Placed { placement } = read(file, &alone)?;
            let layers = placement.layers(decoder.n_layers);
            layers.map_err(|error| FileError::shape(file, &[&alone], error))?;
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
            .map_err(|error| FileError::shape(file, &[&table, decoder_table], error))?;
    }
    let variant = ModelVariant {
        block: label.to_owned(),
        model,
        matched: None,
    };
    Ok((variant, solve))
}
