//! How much of the token stream a run reads: windows are shuffled within blocks, and blocks are read whole.

use crate::budget::Tokens;

/// Windows of the stream that are shuffled among themselves: large enough to separate neighbours, small enough that a run
/// reads hardly more of the stream than it trains on.
pub const SHUFFLE_BLOCK: u64 = 256;

/// Tokens of the stream that a run of `tokens` training tokens in windows of `seq_len` may read: whole blocks of windows,
/// and the target of the last window's last token.
pub fn stream_tokens(tokens: Tokens, seq_len: usize) -> Tokens {
    let windows = tokens.div_ceil(seq_len as u64);
    windows.next_multiple_of(SHUFFLE_BLOCK) * seq_len as u64 + 1
}
