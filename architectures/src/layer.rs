//! The blocks of one decoder layer.

use serde::{Deserialize, Serialize};

use crate::block::Architecture;
use crate::config::DecoderConfig;
use crate::registry::BlockConfig;
use crate::table_spec::TableSpec;

/// Where in a layer a block is.
///
/// ```text
/// h  = x  + sum BeforeAttention(x)
/// h' = h  + Attention(RMSNorm(h))
/// y  = h' + FeedForward(RMSNorm(h')) + sum Beside(RMSNorm(h'))
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// In place of the feed-forward.
    #[default]
    FeedForward,
    /// Added to the output of the feed-forward, from the same normalised input.
    Beside,
    /// Added to the residual stream before attention, from the stream normalised by a norm of the block's own, or from the
    /// stream itself for blocks that normalise it ([`crate::Architecture::reads_residual_stream`]).
    BeforeAttention,
}

impl Site {
    /// Whether this is the default, which configurations omit.
    pub fn is_feed_forward(&self) -> bool {
        *self == Self::FeedForward
    }
}

/// The blocks of one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerConfig {
    /// Blocks before attention, in the order of the configuration.
    pub before_attention: Vec<BlockConfig>,
    /// The block in place of the feed-forward.
    pub feed_forward: BlockConfig,
    /// Blocks beside the feed-forward, in the order of the configuration.
    pub beside: Vec<BlockConfig>,
}

impl LayerConfig {
    /// All blocks, in the order in which the forward pass evaluates them.
    pub fn blocks(&self) -> impl Iterator<Item = &BlockConfig> {
        let feed_forward = std::iter::once(&self.feed_forward);
        self.before_attention
            .iter()
            .chain(feed_forward)
            .chain(&self.beside)
    }

    /// Places a block; a later one in place of the feed-forward replaces an earlier one.
    pub fn place(&mut self, site: Site, block: BlockConfig) {
        match site {
            Site::FeedForward => self.feed_forward = block,
            Site::Beside => self.beside.push(block),
            Site::BeforeAttention => self.before_attention.push(block),
        }
    }
}

/// The value tables of a decoder whose layers have these blocks, first layer to last; a shared table once.
pub fn tables(decoder: &DecoderConfig, layers: &[LayerConfig]) -> Vec<TableSpec> {
    let mut tables: Vec<TableSpec> = Vec::new();
    // Layers have few distinct blocks, and the sizes of a table may take a while to compute.
    let mut distinct: Vec<(&BlockConfig, Vec<TableSpec>)> = Vec::new();
    for block in layers.iter().flat_map(LayerConfig::blocks) {
        let known = distinct.iter().position(|(other, _)| *other == block);
        let at = known.unwrap_or_else(|| {
            distinct.push((block, block.tables(decoder)));
            distinct.len() - 1
        });
        for table in &distinct[at].1 {
            if !table.shared || !tables.contains(table) {
                tables.push(table.clone());
            }
        }
    }
    tables
}
