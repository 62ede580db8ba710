//! The decoder around the blocks, alike for all of them.
//!
//! ```text
//! h = x + Attention(RMSNorm(x));  out = h + Block(RMSNorm(h));  logits = RMSNorm(out of the last layer) Whead
//! ```

use crate::linear::Linear;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use std::collections::HashSet;

use crate::attention::{self, Attention, LayerCache, Positions};
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig, ModelConfig};
use crate::cost::Cost;
use crate::init::Init;
use crate::kernels::gather::embedding;
use crate::norm::RmsNorm;
use crate::pass::Pass;
use crate::registry::{AnyBlock, BlockConfig};
use crate::value_table::ValueTable;

/// What one token costs in a decoder whose layers carry these blocks.
pub fn cost(config: &DecoderConfig, layers: &[BlockConfig]) -> Cost {
    let norm = Cost::vector(config.d_model);
    let table = Cost::vector(config.vocab_size * config.d_model);
    let mut head = Cost::matrix(config.d_model, config.vocab_size);
    if config.tie_embeddings {
        (head.params_dense, head.params_active) = (0, 0);
    }
    let mut total = table + head + norm;
    let mut held = HashSet::new();
    for block in layers {
        let shared = block.shares(config).is_some_and(|name| !held.insert(name));
        total += attention::cost(config) + norm.times(2) + block.cost(config, shared);
    }
    total
}

/// A decoder-only language model.
#[derive(Module, Debug)]
pub struct Decoder {
    embedding: Param<Tensor<2>>,
    layers: Vec<Layer>,
    norm: RmsNorm,
    /// None when the embedding is the head.
    head: Option<Linear>,
    #[module(skip)]
    config: DecoderConfig,
}

#[derive(Module, Debug)]
struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    block_norm: RmsNorm,
    block: AnyBlock,
}

/// The keys and values of a sequence in the making.
#[derive(Clone, Debug)]
pub struct Cache {
    layers: Vec<LayerCache>,
    len: usize,
}

impl Decoder {
    /// Draws a model from `seed` on `device`, which must be an autodiff device if it is to be trained.
    pub fn new(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, ConfigError> {
        let blocks = config.layers()?;
        let decoder = &config.decoder;
        let (vocab, d_model) = (decoder.vocab_size, decoder.d_model);
        let mut builder = Builder::new(decoder, seed, device);
        let init = Init::TruncatedNormal((d_model as f64).powf(-0.5));
        let embedding = builder.parameter("embedding", [vocab, d_model], init);
        let layers = blocks
            .iter()
            .enumerate()
            .map(|(index, block)| {
                builder.within(&format!("layers.{index}"), |builder| Layer {
                    attention_norm: RmsNorm::build(builder, "attention_norm"),
                    attention: builder.within("attention", Attention::build),
                    block_norm: RmsNorm::build(builder, "block_norm"),
                    block: builder.within("block", |builder| block.build(builder)),
                })
            })
            .collect();
        Ok(Self {
            embedding,
            layers,
            norm: RmsNorm::build(&builder, "norm"),
            head: (!decoder.tie_embeddings).then(|| builder.linear("head", d_model, vocab)),
            config: decoder.clone(),
        })
    }

    /// The dimensions it was built with.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The value tables of all blocks, first layer to last, a shared one once.
    pub fn tables(&self) -> Vec<&ValueTable> {
        let mut distinct: Vec<&ValueTable> = Vec::new();
        for table in self.layers.iter().flat_map(|layer| layer.block.tables()) {
            if !distinct.iter().any(|held| held.is(table)) {
                distinct.push(table);
            }
        }
        distinct
    }

    /// Logits `[batch, seq, vocab_size]` of whole sequences `tokens [batch, seq]`.
    pub fn forward(&self, tokens: Tensor<2, Int>, pass: &mut Pass) -> Tensor<3> {
        let mut h = embedding(self.embedding.val(), tokens);
        for (index, layer) in self.layers.iter().enumerate() {
            pass.enter_layer(index);
            h = h.clone() + layer.attention.forward(layer.attention_norm.forward(h));
            h = h.clone() + layer.block.forward(layer.block_norm.forward(h), pass);
        }
        self.logits(h)
    }

    /// An empty cache for [`Decoder::extend`].
    pub fn cache(&self) -> Cache {
        Cache {
            layers: vec![LayerCache::default(); self.layers.len()],
            len: 0,
        }
    }

    /// Logits `[batch, new, vocab_size]` of `tokens [batch, new]` that follow what `cache` holds; evaluation only.
    pub fn extend(&self, tokens: Tensor<2, Int>, cache: &mut Cache) -> Tensor<3> {
        let [_, seq] = tokens.dims();
        let positions = Positions::new(&self.config, cache.len, seq, &tokens.device());
        let mut pass = Pass::evaluation();
        let mut h = embedding(self.embedding.val(), tokens);
        for (layer, cache) in self.layers.iter().zip(&mut cache.layers) {
            h = h.clone()
                + layer
                    .attention
                    .extend(layer.attention_norm.forward(h), &positions, cache);
            h = h.clone() + layer.block.forward(layer.block_norm.forward(h), &mut pass);
        }
        cache.len += seq;
        self.logits(h)
    }

    fn logits(&self, h: Tensor<3>) -> Tensor<3> {
        let h = self.norm.forward(h);
        match &self.head {
            Some(head) => head.forward(h),
            None => burn::tensor::module::linear(h, self.embedding.val().transpose(), None),
        }
    }
}
