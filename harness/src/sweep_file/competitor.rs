//! `[blocks.LABEL]`: what replaces the feed-forward, and in which layers.

use architectures::{BlockConfig, DecoderConfig, ModelConfig, PlacedBlock, Placement};
use serde::Deserialize;

use super::error::FileError;
use super::read::read;
use super::solve::{self, Solve};
use super::sweep::Competitor;
use super::tree::Table;

#[derive(Deserialize)]
struct Placed {
    placement: Placement,
}

/// Reads `table` as a block of `decoder`, which `decoder_table` describes, and checks the whole model; one with knobs to
/// be solved for is checked when they are.
pub fn competitor(
    file: &str,
    decoder: &DecoderConfig,
    decoder_table: &Table,
    label: &str,
    mut table: Table,
) -> Result<(Competitor, Option<Solve>), FileError> {
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
    let block: BlockConfig = read(file, &table)?;
    let model = ModelConfig {
        decoder: decoder.clone(),
        blocks: vec![PlacedBlock { block, placement }],
    };
    if solve.is_none() {
        model
            .layers()
            .map_err(|error| FileError::shape(file, &[&table, decoder_table], error))?;
    }
    let competitor = Competitor {
        block: label.to_owned(),
        model,
        matched: None,
    };
    Ok((competitor, solve))
}
