//! The decoder-only transformer around the blocks, the same for all of them.
//!
//! ```text
//! h = x + Attention(RMSNorm(x));  out = h + Block(RMSNorm(h));  logits = RMSNorm(out of the last layer) Whead
//! ```

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::attention::{LayerCache, Positions};
use crate::block::{self, Architecture, Block, Builder};
use crate::buffer::{Buffer, HasBuffers, Statistics};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::{Context, DecodingState, Tokens};
use crate::layer::LayerConfig;
use crate::model::ModelConfig;
use crate::norm::RmsNorm;
use crate::part::{Embedding, Head, LayerFrame};
use crate::pass::Pass;
use crate::registry::AnyBlock;
use crate::token_ids::{self, TokenIds};
use crate::value_table::ValueTable;

mod on_ranks;
mod segments;

pub use on_ranks::ServedLookups;
pub use segments::Segment;

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
    before_attention: Vec<BeforeAttention>,
    frame: LayerFrame,
    /// In place of the feed-forward.
    block: AnyBlock,
    beside: Vec<AnyBlock>,
}

/// A block that is added to the residual stream before attention.
#[derive(Module, Debug)]
struct BeforeAttention {
    /// `None` if the block normalises the stream itself.
    norm: Option<RmsNorm>,
    block: AnyBlock,
}

/// The keys and values of the tokens of a sequence so far, in every layer.
#[derive(Clone, Debug)]
pub struct Cache {
    layers: Vec<LayerCache>,
    /// Of the blocks of each layer, in the order of evaluation.
    blocks: Vec<Vec<DecodingState>>,
    /// `[batch, past]`; none before the first token.
    tokens: Option<TokenIds>,
}

impl Decoder {
    /// Initialises a model from `seed` on `device`, an autodiff device if the model is to be trained.
    ///
    /// # Errors
    /// If the configuration is invalid.
    pub fn new(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, ConfigError> {
        Self::build(config, Builder::new(&config.decoder, seed, device))
    }

    fn build(config: &ModelConfig, mut builder: Builder) -> Result<Self, ConfigError> {
        let layers = config.layers()?;
        let embedding = Embedding::build(&builder);
        let layers = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                builder.within(&format!("layers.{index}"), |builder| {
                    Layer::build(layer, builder)
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
        for table in self.blocks().flat_map(Block::tables) {
            if !distinct.iter().any(|other| other.is(table)) {
                distinct.push(table);
            }
        }
        distinct
    }

    fn blocks(&self) -> impl Iterator<Item = &AnyBlock> {
        self.layers.iter().flat_map(Layer::blocks)
    }

    /// The buffers of each block, in the order in which the forward pass evaluates the blocks.
    pub fn buffers_of_blocks(&self) -> Vec<Vec<&Buffer>> {
        self.blocks().map(Block::buffers).collect()
    }

    /// Logits `[batch, seq, vocab_size]` of whole sequences `tokens [batch, seq]`.
    ///
    /// # Panics
    ///
    /// As [`Decoder::evaluate_layers`].
    pub fn forward(&self, tokens: impl Into<TokenIds>, pass: &mut Pass) -> Tensor<3> {
        let tokens = self.tokens(tokens);
        let h = self.embed(&tokens);
        self.logits(self.evaluate_layers(0..self.layers.len(), h, &tokens, pass))
    }

    /// An empty cache for [`Decoder::extend`].
    pub fn cache(&self) -> Cache {
        let states = |layer: &Layer| vec![DecodingState::default(); layer.blocks().count()];
        Cache {
            layers: vec![LayerCache::default(); self.layers.len()],
            blocks: self.layers.iter().map(states).collect(),
            tokens: None,
        }
    }

    /// Logits `[batch, new, vocab_size]` of `tokens [batch, new]` after those in `cache`; for evaluation.
    pub fn extend(&self, tokens: impl Into<TokenIds>, cache: &mut Cache) -> Tensor<3> {
        let h = self.extend_hidden(tokens.into(), cache);
        self.head.logits(h, &self.embedding)
    }

    /// Logits `[batch, vocab_size]` of the last of `tokens [batch, new]` after those in `cache`; for evaluation.
    pub fn extend_to_last(&self, tokens: impl Into<TokenIds>, cache: &mut Cache) -> Tensor<2> {
        let h = self.extend_hidden(tokens.into(), cache);
        let last = h.dims()[1] - 1;
        self.head
            .logits(h.narrow(1, last, 1), &self.embedding)
            .squeeze_dim(1)
    }

    /// The residual stream `[batch, new, d_model]` after the last layer.
    fn extend_hidden(&self, tokens: TokenIds, cache: &mut Cache) -> Tensor<3> {
        let [_, seq] = tokens.dims();
        let past = cache.tokens.as_ref().map_or(0, |tokens| tokens.dims()[1]);
        let positions = Positions::new(&self.config, past, seq, &tokens.device());
        let mut pass = Pass::evaluation();
        self.check_ranks(&pass, &tokens);
        let mut h = self.embedding.forward(tokens.on_device());
        let history = match cache.tokens.take() {
            None => tokens,
            Some(before) => before.followed_by(tokens),
        };
        cache.tokens = Some(history.clone());
        let tokens = Tokens::after(history, past);
        let caches = cache.layers.iter_mut().zip(&mut cache.blocks);
        for (index, (layer, (cache, states))) in self.layers.iter().zip(caches).enumerate() {
            pass.enter_layer(index);
            let mut context = Context::new(&tokens, &mut pass);
            let (before, after) = states.split_at_mut(layer.before_attention.len());
            h = layer.add_before_attention(h, &mut context, before);
            h = layer.frame.attend_cached(h, &positions, cache);
            h = layer.add_feed_forward(h, &mut context, after);
        }
        h
    }
}

impl Cache {
    /// The sequences of these places, in their order; a sequence can occur more than once or not at all.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let Some(tokens) = &self.tokens else {
            // Nothing was read yet.
            return self.clone();
        };
        let sequences = token_ids::indices(places, &tokens.device());
        let state = |state: &DecodingState| {
            DecodingState(
                state
                    .0
                    .as_ref()
                    .map(|tail| tail.clone().select(0, sequences.clone())),
            )
        };
        let states = |states: &Vec<DecodingState>| states.iter().map(state).collect();
        let layers = self.layers.iter();
        Self {
            layers: layers
                .map(|layer| layer.select(sequences.clone()))
                .collect(),
            blocks: self.blocks.iter().map(states).collect(),
            tokens: Some(tokens.select(places)),
        }
    }
}

impl HasBuffers for Decoder {
    fn buffers(&self) -> Vec<&Buffer> {
        self.blocks().flat_map(Block::buffers).collect()
    }

    fn update_buffers(&self, statistics: &Statistics) {
        block::update_buffers(self.blocks(), statistics);
    }
}

impl Layer {
    fn build(config: &LayerConfig, builder: &mut Builder) -> Self {
        let before_attention = config.before_attention.iter().enumerate();
        let before_attention = before_attention.map(|(number, block)| {
            builder.within(&format!("before_attention.{number}"), |builder| {
                let normed = !block.reads_residual_stream();
                BeforeAttention {
                    norm: normed.then(|| RmsNorm::build(builder, "norm")),
                    block: block.build(builder),
                }
            })
        });
        let before_attention = before_attention.collect();
        let frame = LayerFrame::build(builder);
        let block = builder.within("block", |builder| config.feed_forward.build(builder));
        let beside = config.beside.iter().enumerate();
        let beside = beside.map(|(number, block)| {
            builder.within(&format!("beside.{number}"), |builder| block.build(builder))
        });
        Self {
            before_attention,
            frame,
            block,
            beside: beside.collect(),
        }
    }

    /// In the order of evaluation, as [`LayerConfig::blocks`].
    fn blocks(&self) -> impl Iterator<Item = &AnyBlock> {
        let before = self.before_attention.iter().map(|before| &before.block);
        before.chain([&self.block]).chain(&self.beside)
    }

    /// The residual stream `h` with the blocks before attention added; `states` has their decoding states, or is empty
    /// outside cached decoding.
    fn add_before_attention(
        &self,
        mut h: Tensor<3>,
        context: &mut Context,
        states: &mut [DecodingState],
    ) -> Tensor<3> {
        for (number, before) in self.before_attention.iter().enumerate() {
            let x = match &before.norm {
                Some(norm) => norm.forward(h.clone()),
                None => h.clone(),
            };
            h = h + before
                .block
                .forward(x, &mut context.of_block(states.get_mut(number)));
        }
        h
    }

    /// The residual stream `h` with the feed-forward and the blocks beside it added.
    fn add_feed_forward(
        &self,
        h: Tensor<3>,
        context: &mut Context,
        states: &mut [DecodingState],
    ) -> Tensor<3> {
        let x = self.frame.block_input(h.clone());
        if self.beside.is_empty() {
            return h + self
                .block
                .forward(x, &mut context.of_block(states.first_mut()));
        }
        let mut y = self
            .block
            .forward(x.clone(), &mut context.of_block(states.first_mut()));
        for (number, block) in self.beside.iter().enumerate() {
            y = y + block.forward(x.clone(), &mut context.of_block(states.get_mut(number + 1)));
        }
        h + y
    }
}
