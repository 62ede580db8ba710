//! A decoder in parts that can be built alone, at the shapes they have in it: what surrounds the blocks, and the blocks.
//!
//! Of a decoder with `n_layers` layers there are one [`Part::Embedding`], `n_layers` times [`Part::Layer`] and a
//! [`Part::Block`], and one [`Part::Head`]; their costs add up to the decoder's. Where embedding and head are tied, the
//! head is both.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use serde::Serialize;

use crate::attention::{self, Attention};
use crate::block::{Architecture, Block, Builder};
use crate::config::DecoderConfig;
use crate::cost::Cost;
use crate::init::Init;
use crate::kernels::gather::embedding;
use crate::linear::Linear;
use crate::loss;
use crate::norm::RmsNorm;
use crate::pass::Pass;
use crate::registry::{AnyBlock, BlockConfig};
use crate::value_table::ValueTable;

/// What can be built alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A layer but for its block: two norms, attention, both residual additions.
    Layer,
    /// Rows of the token embedding; of decoders that do not tie it to the head.
    Embedding,
    /// Last norm, head and loss; the embedding too where it is tied.
    Head,
    /// What comes after attention.
    Block(BlockConfig),
}

/// A part as it runs.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one is held at a time")]
pub enum BuiltPart {
    /// [`Part::Layer`].
    Layer(LayerFrame),
    /// [`Part::Embedding`].
    Embedding(Embedding),
    /// [`Part::Head`].
    Head(Head),
    /// [`Part::Block`].
    Block(AnyBlock),
}

/// A layer but for its block.
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

/// What follows the last layer.
#[derive(Module, Debug)]
pub struct Head {
    norm: RmsNorm,
    /// None where the embedding is the head.
    own: Option<Linear>,
    /// None where the embedding is a part of its own.
    tied: Option<Embedding>,
}

impl Part {
    /// The parts of a decoder whose layers carry these blocks, each with how many there are.
    pub fn of(decoder: &DecoderConfig, layers: &[BlockConfig]) -> Vec<(Self, usize)> {
        let mut parts = vec![(Self::Layer, decoder.n_layers)];
        if !decoder.tie_embeddings {
            parts.push((Self::Embedding, 1));
        }
        parts.push((Self::Head, 1));
        for block in layers {
            let part = Self::Block(block.clone());
            match parts.iter_mut().find(|(held, _)| *held == part) {
                Some((_, count)) => *count += 1,
                None => parts.push((part, 1)),
            }
        }
        parts
    }

    /// What one token costs; of a shared table, as if no other layer held it.
    pub fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let norm = Cost::vector(decoder.d_model);
        match self {
            Self::Layer => attention::cost(decoder) + norm.times(2),
            Self::Embedding => Cost::vector(decoder.vocab_size * decoder.d_model),
            Self::Head => norm + Cost::matrix(decoder.d_model, decoder.vocab_size),
            Self::Block(block) => block.cost(decoder, false),
        }
    }

    /// Numbers that one token gets out of it.
    pub fn output_width(&self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::Head => 1,
            _ => decoder.d_model,
        }
    }

    /// Builds it.
    pub fn build(&self, builder: &mut Builder) -> BuiltPart {
        let (vocab, d_model) = (builder.decoder.vocab_size, builder.decoder.d_model);
        let embedding = |builder: &Builder| {
            let init = Init::TruncatedNormal((d_model as f64).powf(-0.5));
            Embedding {
                rows: builder.parameter("embedding", [vocab, d_model], init),
            }
        };
        match self {
            Self::Layer => BuiltPart::Layer(LayerFrame {
                attention_norm: RmsNorm::build(builder, "attention_norm"),
                attention: builder.within("attention", Attention::build),
                block_norm: RmsNorm::build(builder, "block_norm"),
            }),
            Self::Embedding => BuiltPart::Embedding(embedding(builder)),
            Self::Head => {
                let tied = builder.decoder.tie_embeddings;
                BuiltPart::Head(Head {
                    norm: RmsNorm::build(builder, "norm"),
                    own: (!tied).then(|| builder.linear("head", d_model, vocab)),
                    tied: tied.then(|| embedding(builder)),
                })
            }
            Self::Block(block) => BuiltPart::Block(block.build(builder)),
        }
    }
}

impl BuiltPart {
    /// `[batch, seq, output_width]` of hidden states `x [batch, seq, d_model]` and `tokens [batch, seq]`: the embedding
    /// reads tokens alone, the head takes them for its targets and gives each token's loss in nats.
    pub fn forward(&self, x: Tensor<3>, tokens: Tensor<2, Int>, pass: &mut Pass) -> Tensor<3> {
        match self {
            Self::Layer(layer) => layer.forward(x),
            Self::Embedding(rows) => embedding(rows.rows.val(), tokens),
            Self::Head(head) => head.forward(x, tokens),
            Self::Block(block) => block.forward(x, pass),
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

impl LayerFrame {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let h = x.clone() + self.attention.forward(self.attention_norm.forward(x));
        h.clone() + self.block_norm.forward(h)
    }
}

impl Head {
    fn forward(&self, x: Tensor<3>, tokens: Tensor<2, Int>) -> Tensor<3> {
        let logits = match (&self.own, &self.tied) {
            (Some(head), _) => head.forward(self.norm.forward(x)),
            (None, Some(tied)) => {
                let rows = tied.rows.val();
                let h = x + embedding(rows.clone(), tokens.clone());
                burn::tensor::module::linear(self.norm.forward(h), rows.transpose(), None)
            }
            (None, None) => self.norm.forward(x),
        };
        loss::log_probabilities(logits, tokens)
            .neg()
            .unsqueeze_dim(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;
    use burn::tensor::Device;

    fn model(tied: bool) -> ModelConfig {
        serde_json::from_str(&format!(
            r#"{{"decoder": {{"vocab_size": 50, "d_model": 16, "n_layers": 3, "n_heads": 2, "seq_len": 8,
                              "tie_embeddings": {tied}}},
                 "blocks": [{{"block": {{"kind": "peer", "keys": {{"n_keys": 8, "top_k": 4}}}},
                              "placement": "middle"}}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn parts_cost_what_the_decoder_costs() {
        for tied in [false, true] {
            let model = model(tied);
            let parts = Part::of(&model.decoder, &model.layers().unwrap());
            assert_eq!(parts.len(), if tied { 4 } else { 5 });
            let costs = parts
                .iter()
                .map(|(part, count)| part.cost(&model.decoder).times(*count));
            let sum = costs.reduce(|sum, cost| sum + cost).unwrap();
            assert_eq!(sum, model.cost().unwrap());
        }
    }

    #[test]
    fn each_part_runs_at_its_shape_and_holds_the_parameters_it_is_charged_for() {
        let device = Device::flex();
        for tied in [false, true] {
            let model = model(tied);
            for (part, _) in Part::of(&model.decoder, &model.layers().unwrap()) {
                let built = part.build(&mut Builder::new(&model.decoder, 0, &device).rough());
                let cost = part.cost(&model.decoder);
                assert_eq!(built.num_params() as u64, cost.params_dense, "{part:?}");
                let x = Tensor::ones([2, 8, 16], &device);
                let tokens = Tensor::<2, Int>::ones([2, 8], &device);
                let y = built.forward(x, tokens, &mut Pass::evaluation());
                assert_eq!(y.dims(), [2, 8, part.output_width(&model.decoder)]);
                assert!(y.abs().sum().into_scalar::<f32>().is_finite());
            }
        }
    }
}
