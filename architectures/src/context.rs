//! The inputs of a block beside the hidden states: token ids with their history, the pass, and its decoding state.

use std::sync::OnceLock;

use burn::tensor::{Int, Tensor};

use crate::host_copy;
use crate::pass::Pass;
use crate::token_ids::TokenIds;

/// The token ids of one forward pass and those before them.
pub struct Tokens {
    /// `[batch, past + seq]`
    ids: TokenIds,
    past: usize,
    /// Of ids that are known on the device alone.
    copied: OnceLock<Vec<i64>>,
}

impl Tokens {
    /// Whole sequences `[batch, seq]`.
    pub fn whole(ids: impl Into<TokenIds>) -> Self {
        Self::after(ids, 0)
    }

    /// Sequences `[batch, past + seq]`, of which the first `past` tokens belong to earlier passes.
    pub fn after(ids: impl Into<TokenIds>, past: usize) -> Self {
        Self {
            ids: ids.into(),
            past,
            copied: OnceLock::new(),
        }
    }

    /// The ids of this pass with those before them, `[batch, past + seq]`.
    pub fn with_history(&self) -> Tensor<2, Int> {
        self.ids.on_device()
    }

    /// [`Tokens::with_history`], and on the host where it is known there.
    pub(crate) fn ids(&self) -> &TokenIds {
        &self.ids
    }

    /// Number of tokens before this pass.
    pub fn past(&self) -> usize {
        self.past
    }

    /// [`Tokens::with_history`] on the host, row by row; copied from the device at the first call unless the caller had them on the host.
    pub fn on_host(&self) -> &[i64] {
        let copy = || host_copy::integers(self.ids.on_device());
        match self.ids.on_host() {
            Some(ids) => ids,
            None => self.copied.get_or_init(copy),
        }
    }
}

/// The state of one block in the cached decoding of a sequence, such as the tail of a convolution; empty before the first
/// token.
#[derive(Clone, Debug, Default)]
pub struct DecodingState(pub Option<Tensor<3>>);

/// The inputs of a block beside the hidden states.
pub struct Context<'a> {
    /// Token ids with their history.
    pub tokens: &'a Tokens,
    /// The forward pass.
    pub pass: &'a mut Pass,
    /// The block's decoding state; `None` outside cached decoding.
    pub decoding: Option<&'a mut DecodingState>,
}

impl<'a> Context<'a> {
    /// The context of a block in a pass over whole sequences.
    pub fn new(tokens: &'a Tokens, pass: &'a mut Pass) -> Self {
        Self {
            tokens,
            pass,
            decoding: None,
        }
    }

    /// The context of one block, with its decoding state.
    pub(crate) fn of_block<'b>(
        &'b mut self,
        decoding: Option<&'b mut DecodingState>,
    ) -> Context<'b> {
        Context {
            tokens: self.tokens,
            pass: self.pass,
            decoding,
        }
    }
}
