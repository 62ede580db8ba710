//! The parts of a decoder: embedding, attention layers, blocks, head.
//!
//! A decoder with `n_layers` layers consists of one [`Part::Embedding`], `n_layers` times [`Part::Layer`] and one or more
//! [`Part::Block`], a [`Part::Norm`] for most blocks before attention, and one [`Part::Head`]. It is built from these parts, and [`total_cost`] is the sum of theirs. A probe
//! builds each part separately at its shape in the decoder; if embedding and head are tied, the head part contains both.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use serde::Serialize;

use crate::activations::Activations;
use crate::attention::{self, Attention, LayerCache, Positions};
use crate::block::{Architecture, Block, Builder};
use crate::buffer::{Buffer, HasBuffers, Statistics};
use crate::config::DecoderConfig;
use crate::context::{Context, Tokens};
use crate::cost::Cost;
use crate::init::Init;
use crate::kernels::gather::embedding;
use crate::layer::{self, LayerConfig};
use crate::linear::Linear;
use crate::loss;
use crate::norm::RmsNorm;
use crate::numeric_format::NumericFormat;
use crate::pass::Pass;
use crate::registry::{AnyBlock, BlockConfig};
use crate::table_spec::TableSpec;
use crate::token_ids::TokenIds;
use crate::value_table::ValueTable;

/// A part of a decoder that can be built and timed separately.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A layer without its block: two norms, attention, both residual additions.
    Layer,
    /// The token embedding, if it is not tied to the head.
    Embedding,
    /// Last norm, head and loss; also the embedding if it is tied.
    Head,
    /// The norm of a block before attention.
    Norm,
    /// A block.
    Block(BlockConfig),
}

/// A part with its parameters.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one exists at a time")]
pub enum BuiltPart {
    /// [`Part::Layer`].
    Layer(LayerFrame),
    /// [`Part::Embedding`].
    Embedding(Embedding),
    /// [`Part::Head`].
    Head(HeadAlone),
    /// [`Part::Norm`].
    Norm(RmsNorm),
    /// [`Part::Block`].
    Block(AnyBlock),
}

/// A layer without its block.
#[derive(Module, Debug)]
pub struct LayerFrame {
    attention_norm: RmsNorm,
    attention: Attention,
    block_norm: RmsNorm,
}

/// The token embedding, `[vocab_size, d_model]`.
#[derive(Module, Debug)]
pub struct Embedding {
    rows: Param<Tensor<2>>,
}

/// Last norm and output head.
#[derive(Module, Debug)]
pub struct Head {
    norm: RmsNorm,
    /// None if the embedding is the head.
    own: Option<Linear>,
    /// Format of the product with a tied embedding.
    #[module(skip)]
    format: NumericFormat,
}

/// A head built separately.
#[derive(Module, Debug)]
pub struct HeadAlone {
    head: Head,
    /// None if the embedding is a part of its own.
    tied: Option<Embedding>,
}

impl Part {
    /// The distinct parts of a decoder whose layers have these blocks, with the number of each.
    pub fn of(decoder: &DecoderConfig, layers: &[LayerConfig]) -> Vec<(Self, usize)> {
        let mut parts = vec![(Self::Layer, decoder.n_layers)];
        if !decoder.tie_embeddings {
            parts.push((Self::Embedding, 1));
        }
        parts.push((Self::Head, 1));
        let norms = layers.iter().flat_map(|layer| &layer.before_attention);
        let norms = norms.filter(|block| !block.reads_residual_stream());
        let blocks = layers.iter().flat_map(LayerConfig::blocks).cloned();
        let parts_of_layers = norms.map(|_| Self::Norm).chain(blocks.map(Self::Block));
        for part in parts_of_layers {
            match parts.iter_mut().find(|(other, _)| *other == part) {
                Some((_, count)) => *count += 1,
                None => parts.push((part, 1)),
            }
        }
        parts
    }

    /// Cost of one token; a shared table is counted as if no other layer had it.
    pub fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let norm = Cost::vector(decoder.d_model);
        match self {
            Self::Layer => attention::cost(decoder) + norm.times(2),
            Self::Embedding => Cost::vector(decoder.vocab_size * decoder.d_model),
            Self::Head => norm + Cost::matrix(decoder.d_model, decoder.vocab_size),
            Self::Norm => norm,
            Self::Block(block) => {
                let tables = block.tables(decoder);
                let tables = tables.iter().map(TableSpec::cost);
                let cost = tables.fold(block.cost(decoder), |total, table| total + table);
                cost.with_tables_in(decoder.numeric_format)
            }
        }
    }

    /// What one token leaves in memory: the part's input if it stores it, and what it computes, without its output.
    pub fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let width = decoder.d_model;
        match self {
            // The residual stream twice, each with its norm.
            Self::Layer => attention::activations(decoder) + Activations::stored(4 * width),
            Self::Embedding => Activations::default(),
            // The logits, in pieces, are not among them.
            Self::Head | Self::Norm => Activations::stored(2 * width),
            Self::Block(block) => block.activations(decoder),
        }
    }

    /// Width of the output of one token.
    pub fn output_width(&self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::Head => 1,
            _ => decoder.d_model,
        }
    }

    /// Builds the part separately.
    pub fn build(&self, builder: &mut Builder) -> BuiltPart {
        match self {
            Self::Layer => BuiltPart::Layer(LayerFrame::build(builder)),
            Self::Embedding => BuiltPart::Embedding(Embedding::build(builder)),
            Self::Head => BuiltPart::Head(HeadAlone {
                head: Head::build(builder),
                tied: builder
                    .decoder
                    .tie_embeddings
                    .then(|| Embedding::build(builder)),
            }),
            Self::Norm => BuiltPart::Norm(RmsNorm::build(builder, "norm")),
            Self::Block(block) => BuiltPart::Block(block.build(builder)),
        }
    }
}

/// What one token leaves in memory in a layer with these blocks.
pub fn activations_of_layer(decoder: &DecoderConfig, layer: &LayerConfig) -> Activations {
    let norms = layer.before_attention.iter();
    let norms = norms.filter(|block| !block.reads_residual_stream());
    let norms = norms.map(|_| Part::Norm.activations(decoder));
    let blocks = layer.blocks().map(|block| block.activations(decoder));
    let parts = norms.chain(blocks);
    parts.fold(Part::Layer.activations(decoder), |sum, part| sum + part)
}

/// Number of dense parameters of a layer with these blocks.
pub fn dense_parameters_of_layer(decoder: &DecoderConfig, layer: &LayerConfig) -> u64 {
    let norms = layer.before_attention.iter();
    let norms = norms.filter(|block| !block.reads_residual_stream());
    let norms = norms.map(|_| Part::Norm.cost(decoder));
    let parts = norms.chain(layer.blocks().map(|block| block.cost(decoder)));
    let cost = parts.fold(Part::Layer.cost(decoder), |sum, part| sum + part);
    cost.params_dense
}

/// Cost of one token in a decoder whose layers have these blocks: the sum over its parts. A table that several layers
/// share is counted once.
pub fn total_cost(decoder: &DecoderConfig, layers: &[LayerConfig]) -> Cost {
    let parts = Part::of(decoder, layers).into_iter();
    let parts = parts.map(|(part, count)| match part {
        Part::Block(block) => block.cost(decoder).times(count),
        // None of these gathers table rows.
        part => part.cost(decoder).times(count),
    });
    let tables = layer::tables(decoder, layers);
    let tables = tables.iter().map(TableSpec::cost);
    parts
        .chain(tables)
        .fold(Cost::default(), |total, cost| total + cost)
        .with_tables_in(decoder.numeric_format)
}

impl BuiltPart {
    /// Output `[batch, seq, output_width]` for hidden states `x [batch, seq, d_model]` and `tokens [batch, seq]`. The
    /// embedding reads only the tokens; the head uses them as targets and returns each token's loss in nats.
    pub fn forward(&self, x: Tensor<3>, tokens: impl Into<TokenIds>, pass: &mut Pass) -> Tensor<3> {
        let tokens: TokenIds = tokens.into();
        match self {
            Self::Layer(layer) => layer.forward(x),
            Self::Embedding(embedding) => embedding.forward(tokens.on_device()),
            Self::Head(head) => head.forward(x, tokens.on_device()),
            Self::Norm(norm) => norm.forward(x),
            Self::Block(block) => block.forward(x, &mut Context::new(&Tokens::whole(tokens), pass)),
        }
    }

    /// The value tables it reads.
    pub fn tables(&self) -> Vec<&ValueTable> {
        match self {
            Self::Block(block) => block.tables(),
            _ => Vec::new(),
        }
    }
}

impl HasBuffers for BuiltPart {
    fn buffers(&self) -> Vec<&Buffer> {
        match self {
            Self::Block(block) => Block::buffers(block),
            _ => Vec::new(),
        }
    }

    fn update_buffers(&self, statistics: &Statistics) {
        if let Self::Block(block) = self {
            HasBuffers::update_buffers(block, statistics);
        }
    }
}

impl LayerFrame {
    /// Draws norms and attention of one layer.
    pub fn build(builder: &mut Builder) -> Self {
        Self {
            attention_norm: RmsNorm::build(builder, "attention_norm"),
            attention: builder.within("attention", Attention::build),
            block_norm: RmsNorm::build(builder, "block_norm"),
        }
    }

    /// The residual stream after attention, `[batch, seq, d_model]`.
    pub fn attend(&self, x: Tensor<3>) -> Tensor<3> {
        x.clone() + self.attention.forward(self.attention_norm.forward(x))
    }

    /// [`LayerFrame::attend`] of new tokens after those in `cache`.
    pub fn attend_cached(
        &self,
        x: Tensor<3>,
        positions: &Positions,
        cache: &mut LayerCache,
    ) -> Tensor<3> {
        let normed = self.attention_norm.forward(x.clone());
        x + self.attention.extend(normed, positions, cache)
    }

    /// The block's input for the residual stream `h`.
    pub fn block_input(&self, h: Tensor<3>) -> Tensor<3> {
        self.block_norm.forward(h)
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let h = self.attend(x);
        h.clone() + self.block_input(h)
    }
}

impl Embedding {
    /// Draws the rows.
    pub fn build(builder: &Builder) -> Self {
        let (vocab, d_model) = (builder.decoder.vocab_size, builder.decoder.d_model);
        let init = Init::TruncatedNormal((d_model as f64).powf(-0.5));
        Self {
            rows: builder.parameter("embedding", [vocab, d_model], init),
        }
    }

    /// Rows of `tokens [batch, seq]`, `[batch, seq, d_model]`.
    pub fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        embedding(self.rows.val(), tokens)
    }
}

impl Head {
    /// Draws the last norm and, unless it is tied to the embedding, the head's matrix.
    pub fn build(builder: &Builder) -> Self {
        let decoder = builder.decoder;
        let (vocab, d_model) = (decoder.vocab_size, decoder.d_model);
        Self {
            norm: RmsNorm::build(builder, "norm"),
            own: (!decoder.tie_embeddings).then(|| builder.linear("head", d_model, vocab)),
            format: decoder.numeric_format,
        }
    }

    /// Logits `[batch, seq, vocab_size]` of the residual stream `h`; `tied` is the embedding that a tied head uses.
    pub fn logits(&self, h: Tensor<3>, tied: &Embedding) -> Tensor<3> {
        let h = self.norm.forward(h);
        match &self.own {
            Some(head) => head.forward(h),
            None => {
                let [batch, seq, d_model] = h.dims();
                let weight = tied.rows.val().transpose();
                let vocab = weight.dims()[1];
                self.format
                    .weight_product(h.reshape([batch * seq, d_model]), weight)
                    .reshape([batch, seq, vocab])
            }
        }
    }
}

impl HeadAlone {
    fn forward(&self, x: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<3> {
        let logits = match (&self.head.own, &self.tied) {
            (None, Some(tied)) => self.head.logits(x + tied.forward(tokens.clone()), tied),
            (Some(head), _) => head.forward(self.head.norm.forward(x)),
            (None, None) => self.head.norm.forward(x),
        };
        loss::log_probabilities(logits, tokens)
            .neg()
            .unsqueeze_dim(2)
    }
}

#[cfg(test)]
mod tests;
