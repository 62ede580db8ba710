//! The decoder-only transformer around the blocks, the same for all of them.
//!
//! ```text
//! h = x + Attention(RMSNorm(x));  out = h + Block(RMSNorm(h));  logits = RMSNorm(out of the last layer) Whead
//! ```

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use crate::attention::{LayerCache, Positions};
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig};
use crate::model::ModelConfig;
use crate::part::{Embedding, Head, LayerFrame};
use crate::pass::Pass;
use crate::registry::AnyBlock;
use crate::value_table::ValueTable;

/// A decoder-only language model.
#[derive(Module, Debug)]
pub struct Decoder {
    embedding: Embedding,
    layers: Vec<Layer>,
    head: Head,
    #[module(skip)]
    config: DecoderConfig,
}

#[derive(Module, Debug)]
struct Layer {
    frame: LayerFrame,
    block: AnyBlock,
}

/// The keys and values of the tokens of a sequence so far, in every layer.
#[derive(Clone, Debug)]
pub struct Cache {
    layers: Vec<LayerCache>,
    len: usize,
}

impl Decoder {
    /// Initialises a model from `seed` on `device`, an autodiff device if the model is to be trained.
    ///
    /// # Errors
    /// If the configuration is invalid.
    pub fn new(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, ConfigError> {
        let blocks = config.layers()?;
        let mut builder = Builder::new(&config.decoder, seed, device);
        let embedding = Embedding::build(&builder);
        let layers = blocks
            .iter()
            .enumerate()
            .map(|(index, block)| {
                builder.within(&format!("layers.{index}"), |builder| Layer {
                    frame: LayerFrame::build(builder),
                    block: builder.within("block", |builder| block.build(builder)),
                })
            })
            .collect();
        Ok(Self {
            embedding,
            layers,
            head: Head::build(&builder),
            config: config.decoder.clone(),
        })
    }

    /// Its dimensions.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The value tables of all blocks, first layer to last; a shared table once.
    pub fn tables(&self) -> Vec<&ValueTable> {
        let mut distinct: Vec<&ValueTable> = Vec::new();
        for table in self.layers.iter().flat_map(|layer| layer.block.tables()) {
            if !distinct.iter().any(|other| other.is(table)) {
                distinct.push(table);
            }
        }
        distinct
    }

    /// Logits `[batch, seq, vocab_size]` of whole sequences `tokens [batch, seq]`.
    pub fn forward(&self, tokens: Tensor<2, Int>, pass: &mut Pass) -> Tensor<3> {
        let mut h = self.embedding.forward(tokens);
        for (index, layer) in self.layers.iter().enumerate() {
            pass.enter_layer(index);
            h = layer.frame.attend(h);
            h = h.clone() + layer.block.forward(layer.frame.block_input(h), pass);
        }
        self.head.logits(h, &self.embedding)
    }

    /// An empty cache for [`Decoder::extend`].
    pub fn cache(&self) -> Cache {
        Cache {
            layers: vec![LayerCache::default(); self.layers.len()],
            len: 0,
        }
    }

    /// Logits `[batch, new, vocab_size]` of `tokens [batch, new]` after those in `cache`; for evaluation.
    pub fn extend(&self, tokens: Tensor<2, Int>, cache: &mut Cache) -> Tensor<3> {
        let [_, seq] = tokens.dims();
        let positions = Positions::new(&self.config, cache.len, seq, &tokens.device());
        let mut pass = Pass::evaluation();
        let mut h = self.embedding.forward(tokens);
        for (layer, cache) in self.layers.iter().zip(&mut cache.layers) {
            h = layer.frame.attend_cached(h, &positions, cache);
            h = h.clone() + layer.block.forward(layer.frame.block_input(h), &mut pass);
        }
        cache.len += seq;
        self.head.logits(h, &self.embedding)
    }
}
