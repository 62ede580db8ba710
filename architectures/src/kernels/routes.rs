//! The assignments of tokens to experts, sorted by expert, in tensors on the device.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::IntTensor;
use burn::backend::{Autodiff, Backend, ExtensionType, TensorMetadata};

/// The assignments of tokens to experts. An assignment is one (token, expert) pair and one row of the matrix that the
/// experts read and write. Assignments are numbered token by token, rows are sorted by expert.
#[derive(ExtensionType)]
pub struct Routes<B: Backend> {
    /// The token of each row, `[rows]`.
    pub source_tokens: IntTensor<B>,
    /// The assignment of each row, `[rows]`.
    pub assignments: IntTensor<B>,
    /// The row of each assignment, `[rows]`.
    pub rows: IntTensor<B>,
    /// First assignment of each token, and after them the number of assignments, `[tokens + 1]`.
    pub token_offsets: IntTensor<B>,
    /// First row of each expert, and after them the number of rows, `[n_experts + 1]`.
    pub expert_offsets: IntTensor<B>,
}

impl<B: Backend> Routes<B> {
    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.token_offsets.shape()[0] - 1
    }

    /// Number of rows, which is that of assignments.
    pub fn count(&self) -> usize {
        self.rows.shape()[0]
    }
}

impl<B: Backend, C: CheckpointStrategy> Routes<Autodiff<B, C>> {
    /// The same tensors, which have no gradient.
    pub(super) fn inner(self) -> Routes<B> {
        Routes {
            source_tokens: self.source_tokens,
            assignments: self.assignments,
            rows: self.rows,
            token_offsets: self.token_offsets,
            expert_offsets: self.expert_offsets,
        }
    }
}

// Derived, they would require the same of the backend.
impl<B: Backend> Clone for Routes<B> {
    fn clone(&self) -> Self {
        Self {
            source_tokens: self.source_tokens.clone(),
            assignments: self.assignments.clone(),
            rows: self.rows.clone(),
            token_offsets: self.token_offsets.clone(),
            expert_offsets: self.expert_offsets.clone(),
        }
    }
}

impl<B: Backend> std::fmt::Debug for Routes<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes")
            .field("tokens", &self.tokens())
            .field("rows", &self.count())
            .finish_non_exhaustive()
    }
}
