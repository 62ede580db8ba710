//! Addresses, reach and decoding of Engram.

use super::*;
use crate::context::{DecodingState, Tokens};
use crate::pass::Pass;
use burn::module::Param;
use burn::tensor::{Device, Distribution};

fn decoder() -> DecoderConfig {
    serde_json::from_str(
        r#"{"vocab_size": 50, "d_model": 8, "n_layers": 1, "n_heads": 2, "seq_len": 32}"#,
    )
    .unwrap()
}

fn build(options: &str) -> Engram {
    let json = format!(r#"{{"n_rows": 40, "n_heads": 2, "head_dim": 4{options}}}"#);
    let config: EngramConfig = serde_json::from_str(&json).unwrap();
    config.build(&mut Builder::new(&decoder(), 3, &Device::flex()))
}

/// With taps that are not zero, as after training.
fn trained(mut engram: Engram) -> Engram {
    if let Some(convolution) = &mut engram.convolution {
        let taps = Tensor::random([4, 8], Distribution::Uniform(0.5, 1.0), &Device::flex());
        convolution.taps = Param::from_tensor(taps);
    }
    engram
}

fn ids(values: &[i64]) -> Tensor<2, Int> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [1, values.len()]),
        &Device::flex(),
    )
}

fn hidden(seq: usize) -> Tensor<3> {
    let data = Init::TruncatedNormal(1.0).draw(5, "h", [1, seq, 8]);
    Tensor::from_data(data, &Device::flex())
}

/// Positions at which two outputs differ.
fn changed(a: Tensor<3>, b: Tensor<3>) -> Vec<usize> {
    let difference = (a - b).abs().sum_dim(2).into_data();
    let difference = difference.iter::<f32>().enumerate();
    difference
        .filter(|(_, d)| *d > 1e-6)
        .map(|(at, _)| at)
        .collect()
}

fn forward(engram: &Engram, h: Tensor<3>, tokens: &[i64]) -> Tensor<3> {
    let tokens = Tokens::whole(ids(tokens));
    engram.forward(h, &mut Context::new(&tokens, &mut Pass::evaluation()))
}

#[test]
fn addresses_equal_those_of_exact_arithmetic() {
    let hash = Hash {
        multipliers: vec![
            183_591_706_730_891_785,
            77_760_725_988_894_555,
            11_809_814_216_390_563,
        ],
        primes: vec![11, 13, 17, 19],
        heads_per_order: 2,
        pad: 2,
    };
    let expected = [[10, 5, 13, 12], [4, 12, 7, 6], [10, 5, 15, 3], [3, 1, 3, 1]];
    let offsets = [0, 11, 24, 41];
    for (position, expected) in expected.iter().enumerate() {
        let mut reads = Vec::new();
        hash.reads_at(&[5, 7, 7, 31], position, &mut reads);
        let reads = reads.iter().zip(offsets);
        let rows: Vec<i64> = reads.map(|((row, _), offset)| row - offset).collect();
        assert_eq!(rows, expected, "position {position}");
    }
}

#[test]
fn heads_have_distinct_primes() {
    let config: EngramConfig = serde_json::from_str(r#"{"n_rows": 40, "n_heads": 4}"#).unwrap();
    assert_eq!(config.primes(), [41, 43, 47, 53, 59, 61, 67, 71]);
}

#[test]
fn a_token_changes_its_n_grams_and_their_convolutions_only() {
    let engram = trained(build(""));
    let before: Vec<i64> = (0..30).map(|t| t * 7 % 50).collect();
    let mut after = before.clone();
    after[10] = 49;
    let changed = changed(
        forward(&engram, hidden(30), &before),
        forward(&engram, hidden(30), &after),
    );
    // The suffix n-grams at 10, 11 and 12, and what the taps three tokens apart read of them.
    assert_eq!(changed, (10..=21).collect::<Vec<_>>());
}

#[test]
fn a_hidden_state_changes_the_gate_of_its_position_only() {
    let engram = trained(build(""));
    let tokens: Vec<i64> = (0..30).map(|t| t * 7 % 50).collect();
    let (h, nudged) = (hidden(30), hidden(30));
    let nudge = Tensor::<3>::ones([1, 1, 8], &Device::flex());
    let nudged = nudged.slice_assign([0..1, 10..11, 0..8], nudge * 3.0);
    let found = changed(
        forward(&engram, h, &tokens),
        forward(&engram, nudged, &tokens),
    );
    assert_eq!(found, [10, 13, 16, 19]);
}

#[test]
fn the_scale_of_the_hidden_state_does_not_matter() {
    let engram = trained(build(""));
    let tokens: Vec<i64> = (0..9).collect();
    let small = forward(&engram, hidden(9), &tokens);
    let large = forward(&engram, hidden(9) * 100.0, &tokens);
    let difference: f32 = (small - large).abs().max().into_scalar();
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn zero_taps_leave_the_gated_value() {
    let tokens: Vec<i64> = (0..9).collect();
    let with = forward(&build(""), hidden(9), &tokens);
    let without = forward(&build(r#", "kernel": 0"#), hidden(9), &tokens);
    assert!(changed(with, without).is_empty());
}

#[test]
fn any_division_of_a_sequence_gives_the_same_output() {
    let engram = trained(build(""));
    let tokens: Vec<i64> = (0..24).map(|t| t * 5 % 50).collect();
    let whole = forward(&engram, hidden(24), &tokens);
    for pieces in [vec![1; 24], vec![10, 1, 13], vec![2, 22]] {
        let (mut state, mut past, mut outputs) = (DecodingState::default(), 0, Vec::new());
        for len in pieces {
            let history = Tokens::after(ids(&tokens[..past + len]), past);
            let mut pass = Pass::evaluation();
            let mut context = Context::new(&history, &mut pass);
            context.decoding = Some(&mut state);
            let h = hidden(24).narrow(1, past, len);
            outputs.push(engram.forward(h, &mut context));
            past += len;
        }
        assert!(changed(whole.clone(), Tensor::cat(outputs, 1)).is_empty());
    }
}
