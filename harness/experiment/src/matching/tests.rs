//! Tests of the solver: all knobs, all targets, and errors.

use architectures::ModelConfig;

use super::{Bounds, Knob, Knobs, Side, SolveError, SolveRequest, Target, solve};

/// A decoder of six layers with `block` at `placement`.
fn model(block: &str, placement: &str) -> ModelConfig {
    let decoder = r#"{"vocab_size": 500, "d_model": 64, "n_layers": 6, "n_heads": 2, "seq_len": 64, "d_ff_multiple": 16}"#;
    let placed = format!(r#"{{"block": {block}, "placement": {placement}}}"#);
    serde_json::from_str(&format!(
        r#"{{"decoder": {decoder}, "blocks": [{placed}]}}"#
    ))
    .unwrap()
}

const CENTRED: &str = r#"{"centred": {"count": 1, "stride": 1}}"#;

fn experts(n_experts: usize, d_ff: usize, top_k: usize) -> ModelConfig {
    model(
        &format!(
            r#"{{"kind": "mixture_of_experts", "n_experts": {n_experts}, "d_ff": {d_ff}, "top_k": {top_k}}}"#
        ),
        r#""all""#,
    )
}

fn memory(n_keys: usize, n_heads: usize, top_k: usize) -> ModelConfig {
    model(
        &format!(
            r#"{{"kind": "memory", "keys": {{"n_keys": {n_keys}, "n_heads": {n_heads}, "top_k": {top_k}}}}}"#
        ),
        CENTRED,
    )
}

fn with_knob(mut model: ModelConfig, knob: &str, value: usize) -> ModelConfig {
    let placed = &mut model.blocks[0];
    let knob = Knob::named(placed.block.kind(), knob).unwrap();
    assert!(knob.set(placed, value));
    model
}

fn free(knobs: &[(&str, Bounds)]) -> Knobs {
    let named = knobs
        .iter()
        .map(|(knob, bounds)| ((*knob).to_owned(), *bounds));
    Knobs(named.collect())
}

fn request(equal: Target, tolerance: f64, side: Side, knobs: &[(&str, Bounds)]) -> SolveRequest {
    SolveRequest {
        equal,
        reference: "dense".to_owned(),
        reference_size: None,
        tolerance,
        side,
        knobs: free(knobs),
    }
}

const ANY: Bounds = Bounds {
    at_least: None,
    at_most: None,
    multiple_of: None,
};

#[test]
fn every_knob_is_recovered_from_every_target_that_depends_on_it() {
    use Target::*;
    let cases: [(ModelConfig, &str, usize, &[Target]); 9] = [
        (
            experts(4, 48, 2),
            "n_experts",
            37,
            &[ParamsTotal, ParamsActive, FlopsPerToken],
        ),
        (
            experts(4, 48, 2),
            "d_ff",
            208,
            &[ParamsTotal, ParamsActive, FlopsPerToken],
        ),
        (
            experts(4, 48, 2),
            "top_k",
            3,
            &[ParamsActive, FlopsPerToken],
        ),
        (
            memory(16, 2, 8),
            "n_keys",
            181,
            &[ParamsTotal, ParamsActive, FlopsPerToken],
        ),
        (
            memory(16, 2, 8),
            "top_k",
            11,
            &[ParamsActive, FlopsPerToken, BytesPerToken],
        ),
        (
            memory(16, 2, 8),
            "n_heads",
            5,
            &[ParamsTotal, ParamsActive, FlopsPerToken, BytesPerToken],
        ),
        (
            memory(16, 2, 8),
            "layers",
            5,
            &[ParamsTotal, ParamsActive, FlopsPerToken, BytesPerToken],
        ),
        (
            model(r#"{"kind": "dense"}"#, CENTRED),
            "d_ff",
            96,
            &[ParamsTotal, ParamsActive, FlopsPerToken],
        ),
        (
            model(
                r#"{"kind": "peer", "keys": {"n_keys": 8, "top_k": 4}}"#,
                CENTRED,
            ),
            "n_keys",
            77,
            &[ParamsTotal, ParamsActive, FlopsPerToken],
        ),
    ];
    for (model, knob, value, targets) in cases {
        let expected = with_knob(model.clone(), knob, value);
        for &target in targets {
            let wanted = target.of(&expected.cost().unwrap());
            let request = request(target, 0.0, Side::Nearest, &[(knob, ANY)]);
            let (found, matched) = solve(&model, &request, "it", wanted).unwrap();
            assert_eq!(found, expected, "{knob} for {target}");
            assert_eq!(matched.knobs, format!("{knob} = {value}"));
            assert_eq!((matched.wanted, matched.deviation()), (wanted as f64, 0.0));
        }
    }
}

#[test]
fn two_knobs_are_as_near_as_the_best_of_all_combinations() {
    let bounds = |at_least, at_most, multiple_of| Bounds {
        at_least: Some(at_least),
        at_most: Some(at_most),
        multiple_of: std::num::NonZeroUsize::new(multiple_of),
    };
    let (some, wide) = (bounds(2, 12, 2), bounds(16, 320, 16));
    let start = experts(1, 16, 1);
    for wanted in [150_000, 333_333, 1_000_001] {
        let total = |n_experts, d_ff| experts(n_experts, d_ff, 1).cost().unwrap().params();
        let all = (1..=6).flat_map(|n| (1..=20).map(move |f| (2 * n, 16 * f)));
        let nearest = all
            .map(|(n, f)| total(n, f).abs_diff(wanted))
            .min()
            .unwrap();
        let knobs = [("n_experts", some), ("d_ff", wide)];
        let request = request(Target::ParamsTotal, 0.9, Side::Nearest, &knobs);
        let (found, matched) = solve(&start, &request, "it", wanted).unwrap();
        assert_eq!(found.cost().unwrap().params().abs_diff(wanted), nearest);
        assert_eq!(matched.reached, found.cost().unwrap().params() as f64);
        assert!(matched.knobs.starts_with("n_experts = ") && matched.knobs.contains(", d_ff = "));
    }
}

#[test]
fn solutions_are_on_the_requested_side() {
    let wanted = 300_000;
    let reached = |side| {
        let request = request(Target::ParamsTotal, 0.5, side, &[("n_experts", ANY)]);
        let (model, _) = solve(&experts(1, 32, 1), &request, "it", wanted).unwrap();
        model.cost().unwrap().params()
    };
    let (below, above) = (reached(Side::Below), reached(Side::Above));
    assert!(below < wanted && wanted < above);
    let one =
        experts(2, 32, 1).cost().unwrap().params() - experts(1, 32, 1).cost().unwrap().params();
    assert_eq!(above - below, one);
}

#[test]
fn invalid_models_are_not_solutions() {
    // Eight slots per head require at least eight keys.
    let request_of = |knob| request(Target::ParamsTotal, 1e9, Side::Nearest, &[(knob, ANY)]);
    let (found, _) = solve(&memory(1, 2, 8), &request_of("n_keys"), "it", 1).unwrap();
    assert_eq!(found, memory(8, 2, 8));
    let many = request(Target::BytesPerToken, 1e9, Side::Nearest, &[("top_k", ANY)]);
    let (found, _) = solve(&memory(16, 2, 1), &many, "it", 1 << 40).unwrap();
    assert_eq!(found, memory(16, 2, 16));
    // A centred placement of stride one has at most five of six layers.
    let layers = request(
        Target::BytesPerToken,
        1e9,
        Side::Nearest,
        &[("layers", ANY)],
    );
    let (found, _) = solve(&memory(16, 2, 8), &layers, "it", 1 << 40).unwrap();
    assert_eq!(found, with_knob(memory(16, 2, 8), "layers", 5));
}

#[test]
fn the_error_of_an_unreachable_target_names_the_nearest_value() {
    let wanted = memory(100, 2, 8).cost().unwrap().params();
    let bounds = Bounds {
        at_most: Some(50),
        ..ANY
    };
    let request = request(
        Target::ParamsTotal,
        0.0025,
        Side::Nearest,
        &[("n_keys", bounds)],
    );
    let error = solve(&memory(1, 2, 8), &request, "memory at s", wanted).unwrap_err();
    let nearest = memory(50, 2, 8).cost().unwrap().params();
    assert!(
        matches!(&error, SolveError::Unreachable { nearest: n, .. } if *n == nearest),
        "{error}"
    );
    let message = error.to_string();
    assert!(message.starts_with("cannot bring params_total to 983 k (memory at s) within 0.25 %: the nearest is 499 k (-49.17 %"), "{message}");
    assert!(
        message.contains("with n_keys = 50; raise the tolerance"),
        "{message}"
    );
}

#[test]
fn errors_of_invalid_requests_name_the_reason() {
    let error_of = |knobs: &[(&str, Bounds)], equal, side, wanted| {
        let request = request(equal, 0.01, side, knobs);
        solve(&memory(16, 2, 8), &request, "dense at s", wanted)
            .unwrap_err()
            .to_string()
    };
    let keys = [("n_keys", ANY)];
    let message = error_of(&keys, Target::BytesPerToken, Side::Nearest, 0);
    assert!(
        message.contains("equal bytes_per_token, which is 0 for dense at s"),
        "{message}"
    );
    let message = error_of(&[], Target::ParamsTotal, Side::Nearest, 9);
    assert!(message.contains("has no free knob"), "{message}");
    let message = error_of(&[("n_experts", ANY)], Target::ParamsTotal, Side::Nearest, 9);
    assert!(
        message.contains("n_experts is not a knob of this block"),
        "{message}"
    );
    let message = error_of(&keys, Target::ParamsTotal, Side::Below, 9);
    assert!(
        message.contains("within the bounds at or below the reference"),
        "{message}"
    );
    let narrow = Bounds {
        at_least: Some(2),
        at_most: Some(4),
        ..ANY
    };
    let message = error_of(&[("n_keys", narrow)], Target::ParamsTotal, Side::Nearest, 9);
    assert!(
        message.contains("within the bounds (top_k = 8 exceeds n_keys = 4); widen"),
        "{message}"
    );
    let message = error_of(
        &[("n_keys", ANY), ("top_k", ANY), ("n_heads", ANY)],
        Target::ParamsTotal,
        Side::Nearest,
        9,
    );
    assert!(message.contains("262144 combinations"), "{message}");
}
