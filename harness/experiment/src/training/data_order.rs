//! Order of the training data: windows of the token stream are shuffled within blocks, and blocks are read whole.

use crate::budget::Tokens;

/// Number of consecutive windows that are shuffled together: large enough to separate neighbouring windows, small
/// enough that a run reads little more of the stream than it trains on.
pub const SHUFFLE_BLOCK: u64 = 256;

/// Tokens of the stream that a run of `tokens` training tokens in windows of `seq_len` may read: whole blocks of
/// windows and one token more, the target of the last position.
pub fn stream_tokens(tokens: Tokens, seq_len: usize) -> Tokens {
    let windows = tokens.div_ceil(seq_len as u64);
    windows.next_multiple_of(SHUFFLE_BLOCK) * seq_len as u64 + 1
}
