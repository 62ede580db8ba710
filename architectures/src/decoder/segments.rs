//! The forward pass in segments: embedding, ranges of layers, head.
//!
//! A training step that evaluates layers again in its backward pass, or computes the loss in pieces, differentiates each
//! segment separately; the residual stream between two segments is all that connects them.

use std::ops::Range;

use burn::module::{Module, ModuleVisitor};
use burn::tensor::{Int, Tensor};

use super::Decoder;
use crate::block::Block;
use crate::context::{Context, Tokens};
use crate::loss;
use crate::pass::Pass;
use crate::token_ids::TokenIds;

/// A part of the decoder whose backward pass is one of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The token embedding; also the head's matrix if the two are tied.
    Embedding,
    /// Consecutive layers.
    Layers(Range<usize>),
    /// The last norm, and the head's matrix if it is not the embedding.
    Head,
}

impl Decoder {
    /// Visits the dense parameters of `segment`, in the same order in every call; each parameter is in one of embedding, layers and head.
    pub fn visit_segment(&self, segment: &Segment, visitor: &mut impl ModuleVisitor) {
        match segment {
            Segment::Embedding => self.embedding.visit(visitor),
            Segment::Layers(range) => {
                for layer in &self.layers[range.clone()] {
                    layer.visit(visitor);
                }
            }
            Segment::Head => self.head.visit(visitor),
        }
    }

    /// The context of whole sequences `ids [batch, seq]`, for [`Decoder::evaluate_layers`]; requests the table rows from
    /// memory whose addresses follow from the ids.
    pub fn tokens(&self, ids: impl Into<TokenIds>) -> Tokens {
        let tokens = Tokens::whole(ids);
        self.blocks().for_each(|block| block.prefetch(&tokens));
        tokens
    }

    /// The residual stream `[batch, seq, d_model]` before the first layer.
    pub fn embed(&self, tokens: &Tokens) -> Tensor<3> {
        self.embedding.forward(tokens.with_history())
    }

    /// The residual stream after the layers `range` of whole sequences, for `h [batch, seq, d_model]` before them.
    ///
    /// # Panics
    ///
    /// If tables are split over ranks that begin different passes: see [`Decoder::table_ranks`].
    pub fn evaluate_layers(
        &self,
        range: Range<usize>,
        mut h: Tensor<3>,
        tokens: &Tokens,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let first = range.start;
        if first == 0 {
            self.check_ranks(pass, tokens.ids());
        }
        for (index, layer) in self.layers[range].iter().enumerate() {
            pass.enter_layer(first + index);
            let mut context = Context::new(tokens, pass);
            h = layer.add_before_attention(h, &mut context, &mut []);
            h = layer.frame.attend(h);
            h = layer.add_feed_forward(h, &mut context, &mut []);
        }
        h
    }

    /// Logits `[batch, seq, vocab_size]` for the residual stream `h [batch, seq, d_model]` after the last layer.
    pub fn logits(&self, h: Tensor<3>) -> Tensor<3> {
        self.head.logits(h, &self.embedding)
    }

    /// Mean negative log-likelihood of `targets [batch, seq]` after `ids [batch, seq]` in nats per token, `[1]`, without
    /// gradients; in pieces if the logits exceed [`loss::MAX_LOGITS`].
    pub fn loss(
        &self,
        ids: impl Into<TokenIds>,
        targets: Tensor<2, Int>,
        pass: &mut Pass,
    ) -> Tensor<1> {
        let tokens = self.tokens(ids);
        let h = self.embed(&tokens);
        let h = self.evaluate_layers(0..self.layers.len(), h, &tokens, pass);
        let losses = loss::pieces(h, targets, self.config.vocab_size)
            .into_iter()
            .map(|piece| loss::cross_entropy(self.logits(piece.h), piece.targets) * piece.share);
        match losses.reduce(|sum, loss| sum + loss) {
            Some(loss) => loss,
            None => unreachable!("there is at least one piece"),
        }
    }
}
