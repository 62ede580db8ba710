//! Training steps of single blocks, 8 sequences of 256 tokens.

use crate::ours::block;
use crate::row::{Ours, Row, Theirs, Work};

const D_MODEL: usize = 256;

/// The default `d_ff` at this width.
const D_FF: usize = 768;

const KEYS: &str = r#""n_heads": 4, "top_k": 32"#;

pub fn memories() -> Vec<Row> {
    let gated = r#", "gate": true, "shared_values": true"#;
    [512, 1024]
        .map(|n_keys| retrieval("memory", gated, n_keys, 3.0))
        .into()
}

pub fn peers() -> Vec<Row> {
    [512, 1024]
        .map(|n_keys| retrieval("peer", "", n_keys, 4.0))
        .into()
}

pub fn mixtures() -> Vec<Row> {
    [(8, 1), (8, 2), (32, 1), (32, 2)]
        .map(|(experts, top_k)| mixture(experts, top_k))
        .into()
}

/// The only variant of ours.
fn one(config: String) -> Vec<Ours> {
    let build = move || -> Work { block::training_step(&config, D_MODEL) };
    vec![Ours {
        label: "",
        build: Box::new(build),
    }]
}

fn retrieval(kind: &str, options: &str, n_keys: usize, at_least: f64) -> Row {
    let keys = format!(r#""keys": {{"n_keys": {n_keys}, {KEYS}}}"#);
    let worker = format!("{kind} --d-model {D_MODEL} --n-keys {n_keys} --heads 4 --top-k 32");
    let theirs = vec![
        Theirs::new("eager, SparseAdam", &worker),
        Theirs::new("compile, SparseAdam", &format!("{worker} --mode compile")),
        Theirs::new(
            "eager, dense Adam",
            &format!("{worker} --table-gradient dense"),
        ),
    ];
    Row {
        name: format!("{kind}-{n_keys}"),
        shape: format!(
            "2048 tokens, d_model {D_MODEL}, 2^{} slots, 4 heads x 32",
            2 * n_keys.ilog2()
        ),
        ours: one(format!(r#"{{"kind": "{kind}", {keys}{options}}}"#)),
        theirs,
        at_least,
        share_at_least: None,
        bytes: None,
        random_rows: None,
        in_turns: n_keys > 512,
    }
}

fn mixture(experts: usize, top_k: usize) -> Row {
    let worker =
        format!("moe --d-model {D_MODEL} --d-ff {D_FF} --experts {experts} --top-k {top_k}");
    Row {
        name: format!("moe-{experts}-top-{top_k}"),
        shape: format!("2048 tokens, d_model {D_MODEL}, d_ff {D_FF}"),
        ours: one(format!(
            r#"{{"kind": "mixture_of_experts", "n_experts": {experts}, "top_k": {top_k}, "d_ff": {D_FF}}}"#
        )),
        theirs: vec![
            Theirs::new("eager", &worker),
            Theirs::new("compile", &format!("{worker} --mode compile")),
        ],
        at_least: 1.2,
        share_at_least: None,
        bytes: None,
        random_rows: None,
        in_turns: false,
    }
}
