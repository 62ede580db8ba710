//! The blocks of each layer and the names of their tensors in the layout of this project.

use std::collections::BTreeMap;

use architectures::{Architecture, BlockConfig, Buffer, ConfigError, Decoder, ModelConfig};
use serde::{Deserialize, Serialize};

/// The blocks of a layer, in the order of evaluation at each site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerTensors {
    /// Blocks before attention.
    pub before_attention: Vec<BlockTensors>,
    /// The block in place of the feed-forward.
    pub feed_forward: BlockTensors,
    /// Blocks beside the feed-forward.
    pub beside: Vec<BlockTensors>,
}

/// One block and its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockTensors {
    /// Its configuration.
    pub block: BlockConfig,
    /// What the names of its parameters begin with, before a dot.
    pub prefix: String,
    /// Its value tables: the name in the block, such as `values`, and that of the tensor.
    pub tables: BTreeMap<String, String>,
    /// Integers that the block derives from its place in the model, such as multipliers of hashes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, Vec<i64>>,
}

/// The layers of `model`, first to last.
///
/// # Errors
/// If the model is invalid.
pub fn layers(model: &ModelConfig) -> Result<Vec<LayerTensors>, ConfigError> {
    let layers = model.layers()?;
    let described = layers.iter().enumerate();
    let described = described.map(|(number, layer)| {
        // The path by which a block draws its parameters, and, after it, `within` in the names of parameters.
        let describe = |path: String, within: &str, block: &BlockConfig| {
            let path = format!("layers.{number}.{path}");
            let prefix = format!("{path}{within}");
            let tables = block.tables(&model.decoder).into_iter().map(|table| {
                let tensor = match table.shared {
                    true => format!("shared.{}", table.name),
                    false => format!("{prefix}.{}", table.name),
                };
                (table.name, tensor)
            });
            BlockTensors {
                block: block.clone(),
                tables: tables.collect(),
                constants: block.constants(&path),
                prefix,
            }
        };
        let before = layer.before_attention.iter().enumerate();
        let beside = layer.beside.iter().enumerate();
        LayerTensors {
            before_attention: before
                .map(|(at, block)| describe(format!("before_attention.{at}"), ".block", block))
                .collect(),
            feed_forward: describe("block".to_owned(), "", &layer.feed_forward),
            beside: beside
                .map(|(at, block)| describe(format!("beside.{at}"), "", block))
                .collect(),
        }
    });
    Ok(described.collect())
}

/// The blocks of `model`, in the order in which the forward pass evaluates them.
///
/// # Errors
/// If the model is invalid.
pub fn blocks(model: &ModelConfig) -> Result<Vec<BlockTensors>, ConfigError> {
    let layers = layers(model)?.into_iter();
    let blocks = layers.flat_map(|layer| {
        let before = layer.before_attention.into_iter();
        before.chain([layer.feed_forward]).chain(layer.beside)
    });
    Ok(blocks.collect())
}

/// The tensors of the value tables of `model`, in the order of [`Decoder::tables`].
///
/// # Errors
/// If the model is invalid.
pub fn tables(model: &ModelConfig) -> Result<Vec<String>, ConfigError> {
    let mut names: Vec<String> = Vec::new();
    for block in blocks(model)? {
        // In the order of the block, which is not that of the names.
        for table in block.block.tables(&model.decoder) {
            let name = block.tables.get(&table.name);
            names.extend(name.filter(|name| !names.contains(name)).cloned());
        }
    }
    Ok(names)
}

/// The buffers of `decoder`, whose configuration is `model`, each with its tensor.
///
/// # Errors
/// If the model is invalid.
pub fn buffers<'a>(
    model: &ModelConfig,
    decoder: &'a Decoder,
) -> Result<Vec<(String, &'a Buffer)>, ConfigError> {
    let blocks = blocks(model)?.into_iter();
    let named = blocks
        .zip(decoder.buffers_of_blocks())
        .flat_map(|(block, buffers)| {
            let buffers = buffers.into_iter().enumerate();
            buffers.map(move |(at, buffer)| (format!("{}.buffers.{at}", block.prefix), buffer))
        });
    Ok(named.collect())
}
