//! `[blocks.LABEL]`: the blocks of a model variant, their layers and sites.

use architectures::{
    Architecture, DecoderConfig, MAX_BLOCKS, ModelConfig, PlacedBlock, Placement, Site,
};
use serde::Deserialize;

use super::error::FileError;
use super::read::{read, read_block};
use super::solve::{self, LocatedRequest};
use super::sweep::ModelVariant;
use super::tree::{LocatedNode, LocatedTable};

/// The key `placement` of a block.
#[derive(Deserialize)]
struct PlacementKey {
    placement: Placement,
}

/// The key `site` of a block.
#[derive(Deserialize)]
struct SiteKey {
    site: Site,
}

/// The variant of `decoder` with the block of `table` and those of its section `with`, and the first block's request if it has knobs to solve for. A model
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
    let others = table.take("with");
    let mut blocks = vec![placed_block(file, decoder, &mut table)?];
    if let Some(others) = &others {
        let LocatedNode::Table(others) = &others.node else {
            let remedy = "write a section for each further block, such as [blocks.LABEL.with.NAME]";
            return Err(FileError::at(file, others, "is not a table", remedy));
        };
        if others.entries.len() >= MAX_BLOCKS {
            let problem = format!("has {} blocks", others.entries.len());
            let remedy = format!("a model has at most {MAX_BLOCKS}, the first included");
            return Err(FileError::within(file, others, problem, remedy));
        }
        for entry in &others.entries {
            let LocatedNode::Table(other) = &entry.node else {
                let remedy = "write it as a section with the keys of a block";
                return Err(FileError::at(file, entry, "is not a table", remedy));
            };
            let mut other = other.clone();
            let placed = placed_block(file, decoder, &mut other)?;
            placed
                .block
                .check(decoder)
                .map_err(|error| FileError::config(file, &[&other, decoder_table], error))?;
            blocks.push(placed);
        }
    }
    let model = ModelConfig {
        decoder: decoder.clone(),
        blocks,
    };
    if solve.is_none() {
        model
            .cost()
            .map_err(|error| FileError::config(file, &[&table, decoder_table], error))?;
    }
    let variant = ModelVariant {
        block: label.to_owned(),
        model,
        matched: None,
    };
    Ok((variant, solve))
}

/// The block of `table` with its placement and site, which are removed from the table.
fn placed_block(
    file: &str,
    decoder: &DecoderConfig,
    table: &mut LocatedTable,
) -> Result<PlacedBlock, FileError> {
    let mut only = |key: &str| {
        let entries = vec![table.take(key)?];
        Some(LocatedTable {
            entries,
            ..table.clone()
        })
    };
    let placement = match only("placement") {
        None => Placement::All,
        Some(key) => {
            let PlacementKey { placement } = read(file, &key)?;
            let layers = placement.layers(decoder.n_layers);
            layers.map_err(|error| FileError::config(file, &[&key], error))?;
            placement
        }
    };
    let site = match only("site") {
        None => Site::default(),
        Some(key) => read::<SiteKey>(file, &key)?.site,
    };
    let block = read_block(file, table)?;
    Ok(PlacedBlock {
        block,
        placement,
        site,
    })
}

#[cfg(test)]
mod tests {
    use crate::sweep_file::Sweep;
    use crate::testing::SWEEP;
    use architectures::Site;

    const BESIDE: &str = "[blocks.combined]\nkind = \"mlp\"\nplacement = { layers = [0] }\n\
         [blocks.combined.with.memory]\nkind = \"memory\"\nsite = \"beside\"\n\
         keys = { n_keys = 8, top_k = 4 }\n";

    fn with_blocks(blocks: &str) -> String {
        SWEEP.replace("[suites]", &format!("{blocks}[suites]"))
    }

    #[test]
    fn a_variant_may_have_several_blocks_at_several_sites() {
        let sweep = Sweep::parse("f.toml", &with_blocks(BESIDE)).unwrap();
        let variants = &sweep.sizes[0].variants;
        let variant = variants.iter().find(|v| v.block == "combined").unwrap();
        let layers = variant.model.layers().unwrap();
        assert_eq!(layers[0].feed_forward.kind(), "mlp");
        assert_eq!(layers[1].feed_forward.kind(), "dense");
        assert!(
            layers
                .iter()
                .all(|layer| layer.beside[0].kind() == "memory")
        );
        assert_eq!(variant.model.blocks[1].site, Site::Beside);
    }

    #[test]
    fn invalid_sites_and_further_blocks_are_errors_with_their_line() {
        let message = |from: &str, to: &str| {
            let text = with_blocks(&BESIDE.replace(from, to));
            Sweep::parse("f.toml", &text).unwrap_err().to_string()
        };
        let found = message("\"beside\"", "\"above\"");
        assert!(
            found.contains("blocks.combined.with.memory.site")
                && found.contains("before_attention"),
            "{found}"
        );
        let found = message("[blocks.combined.with.memory]", "[blocks.combined.with]");
        assert!(found.contains("is not a table"), "{found}");
        let found = message("top_k = 4", "top_k = 9");
        assert!(
            found.contains("blocks.combined.with.memory.keys.top_k"),
            "{found}"
        );
    }
}
