//! Estimate of the bytes that a pass moves, if intermediate results stay in the cache and table rows are never cached.
//!
//! ```text
//! forward = 4 ( R + G + B )
//! step    = 4 ( 2 R + 8 P + 2 G + 6 U + 2 B )
//! ```
//!
//! for a pass of `T` tokens, with elements of 4 bytes. Table elements in bf16 have 2, in `G` and in the values of `U`; weights,
//! moments, inputs and outputs are counted in f32, which they are outside products.
//!
//! - `P`: dense parameters.
//! - `R`: dense parameters read by a product, once per pass, including all experts of a mixture; for an embedding the
//!   `T` rows looked up.
//! - `G`: table elements gathered, counted once per lookup.
//! - `U = min(G, table)`: table elements updated, which assumes distinct rows in all lookups.
//! - `B = T (d_in + d_out)`: elements of input and output; the output of the head are its logits.
//!
//! A step reads weights and rows a second time for the gradient of its input, moves gradients of input and output,
//! writes the dense gradient and reads it in the update, and reads and writes weights or rows and two moments.

use architectures::{DecoderConfig, Part};

use super::phase::Phase;

/// Bytes of one f32.
const F32: u64 = 4;

/// Estimate of the bytes that a pass of `tokens` tokens moves.
pub fn bytes(part: &Part, decoder: &DecoderConfig, phase: Phase, tokens: u64) -> u64 {
    let cost = part.cost(decoder);
    let (d_model, vocab) = (decoder.d_model as u64, decoder.vocab_size as u64);
    let params = cost.params_dense;
    let element = decoder.numeric_format.bytes();
    let gathered = tokens * cost.bytes_gathered / element;
    let updated = gathered.min(cost.params_table);
    let (read, passed) = match part {
        Part::Embedding => (tokens * d_model, tokens * d_model),
        Part::Head => (params, tokens * (d_model + vocab)),
        Part::Layer | Part::Norm | Part::Block(_) => (params, tokens * 2 * d_model),
    };
    match phase {
        Phase::Forward => F32 * (read + passed) + element * gathered,
        Phase::Step => {
            let dense = F32 * (2 * read + 8 * params + 2 * passed);
            dense + element * (2 * gathered + 2 * updated) + 4 * F32 * updated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder() -> DecoderConfig {
        serde_json::from_str(
            r#"{"vocab_size": 100, "d_model": 16, "n_layers": 2, "n_heads": 2, "seq_len": 8, "d_ff": 32}"#,
        )
        .unwrap()
    }

    fn block(json: &str) -> Part {
        Part::Block(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn dense_weights_are_read_once_per_pass_for_any_number_of_tokens() {
        let dense = block(r#"{"kind": "dense"}"#);
        let params = 3 * 16 * 32;
        for tokens in [1, 7] {
            let forward = bytes(&dense, &decoder(), Phase::Forward, tokens);
            assert_eq!(forward, 4 * (params + tokens * 32));
            let step = bytes(&dense, &decoder(), Phase::Step, tokens);
            assert_eq!(step, 4 * (10 * params + tokens * 64));
        }
    }

    #[test]
    fn rows_are_read_once_per_lookup_and_updated_at_most_once() {
        let memory = block(
            r#"{"kind": "memory", "keys": {"n_keys": 4, "n_heads": 1, "top_k": 2, "key_dim": 2}}"#,
        );
        // 16 rows of 16, two read by a token; query and bias 16 x 2 + 2, half-keys 4 x 2.
        let params = 34 + 8;
        let forward = |tokens: u64| 4 * (params + tokens * 2 * 16 + tokens * 32);
        let step = |tokens: u64, updated: u64| {
            4 * (10 * params + 2 * tokens * 2 * 16 + 6 * updated * 16 + 2 * tokens * 32)
        };
        for (tokens, updated) in [(3, 6), (100, 16)] {
            let found = |phase| bytes(&memory, &decoder(), phase, tokens);
            assert_eq!(found(Phase::Forward), forward(tokens));
            assert_eq!(found(Phase::Step), step(tokens, updated));
        }
    }

    #[test]
    fn rows_in_bf16_have_half_the_bytes_and_their_moments_do_not() {
        let memory = block(
            r#"{"kind": "memory", "keys": {"n_keys": 4, "n_heads": 1, "top_k": 2, "key_dim": 2}}"#,
        );
        let half = DecoderConfig {
            numeric_format: architectures::NumericFormat::Bf16,
            ..decoder()
        };
        let saved = |phase| bytes(&memory, &decoder(), phase, 3) - bytes(&memory, &half, phase, 3);
        let gathered = 3 * 2 * 16;
        assert_eq!(saved(Phase::Forward), 2 * gathered);
        assert_eq!(saved(Phase::Step), 2 * (2 * gathered + 2 * gathered));
    }

    #[test]
    fn an_embedding_is_read_by_row_and_all_rows_are_updated() {
        let found = |phase| bytes(&Part::Embedding, &decoder(), phase, 3);
        assert_eq!(found(Phase::Forward), 4 * 2 * 3 * 16);
        assert_eq!(found(Phase::Step), 4 * (4 * 3 * 16 + 8 * 100 * 16));
    }
}
