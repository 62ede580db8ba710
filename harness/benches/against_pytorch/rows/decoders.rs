//! Training steps of whole decoders.

use serde_json::{Value, json};

use crate::ours::decoder::{self, BatchShape};
use crate::row::{Ours, Row, Theirs};

/// A dense decoder and the batch of a step.
struct Size {
    vocab: usize,
    d_model: usize,
    layers: usize,
    heads: usize,
    d_ff: usize,
    batch: BatchShape,
}

/// A decoder of `sweeps/quick.toml`; `heads` and `d_ff` as its sizes have them.
const fn small(d_model: usize, heads: usize, d_ff: usize) -> Size {
    Size {
        vocab: 1024,
        d_model,
        layers: 4,
        heads,
        d_ff,
        batch: BatchShape { batch: 4, seq: 128 },
    }
}

const SMALL: [Size; 4] = [
    small(48, 2, 128),
    small(64, 2, 192),
    small(96, 3, 256),
    small(128, 4, 352),
];

const LARGE: [Size; 2] = [
    Size {
        vocab: 8192,
        d_model: 256,
        layers: 8,
        heads: 4,
        d_ff: 768,
        batch: BatchShape { batch: 8, seq: 256 },
    },
    Size {
        vocab: 32_000,
        d_model: 512,
        layers: 12,
        heads: 8,
        d_ff: 1408,
        batch: BatchShape { batch: 4, seq: 256 },
    },
];

/// Half-keys at which Memory+ costs the FLOPs of the dense decoder of width 64 (`isoflop plan quick`).
const N_KEYS: usize = 144;

/// Dense decoders, small ones first, and the decoder of width 64 with Memory+.
pub fn all() -> Vec<Row> {
    let mut rows: Vec<Row> = SMALL.iter().map(|size| dense(size, 2.0, 2.5)).collect();
    rows.insert(2, memory_plus(&SMALL[1]));
    rows.extend(LARGE.iter().map(|size| dense(size, 1.0, 1.2)));
    rows
}

fn dense(size: &Size, at_least: f64, of_eager: f64) -> Row {
    let worker = worker(size);
    Row {
        name: format!("decoder-{}", size.d_model),
        shape: shape(size),
        ours: ours(size, json!([])),
        theirs: vec![
            Theirs::new("eager", &worker).at_least(of_eager),
            Theirs::new("compile", &format!("{worker} --mode compile")),
        ],
        at_least,
        share_at_least: None,
        bytes: None,
        random_rows: None,
        in_turns: false,
    }
}

fn memory_plus(size: &Size) -> Row {
    let blocks = json!([{
        "block": {"kind": "memory", "keys": {"n_keys": N_KEYS, "n_heads": 4, "top_k": 8}, "gate": true, "shared_values": true},
        "placement": {"centred": {"count": 3, "stride": 1}},
    }]);
    let worker = format!(
        "{} --block memory+ --n-keys {N_KEYS} --key-heads 4 --top-k 8 --placed 1,2,3",
        worker(size)
    );
    let dense = format!("{worker} --table-gradient dense");
    Row {
        name: format!("decoder-{}-memory+", size.d_model),
        shape: format!(
            "{}, three Memory+ layers of {N_KEYS}^2 slots, 4 heads x 8",
            shape(size)
        ),
        ours: ours(size, blocks),
        theirs: vec![
            Theirs::new("eager, SparseAdam", &worker),
            Theirs::new("eager, dense Adam", &dense).at_least(2.5),
            Theirs::new("compile, dense Adam", &format!("{dense} --mode compile")),
        ],
        at_least: 2.0,
        share_at_least: None,
        bytes: None,
        random_rows: None,
        in_turns: false,
    }
}

/// Ours with one micro-batch and with two that are computed in parallel.
fn ours(size: &Size, blocks: Value) -> Vec<Ours> {
    let config = json!({
        "decoder": {
            "vocab_size": size.vocab, "d_model": size.d_model, "n_layers": size.layers, "n_heads": size.heads,
            "d_ff": size.d_ff, "seq_len": size.batch.seq,
        },
        "blocks": blocks,
    });
    let batch = size.batch;
    [("micro_batches 1", 1), ("micro_batches 2", 2)]
        .map(|(label, micro_batches)| {
            let config = config.clone();
            Ours {
                label,
                build: Box::new(move || decoder::training_step(&config, batch, micro_batches)),
            }
        })
        .into()
}

fn shape(size: &Size) -> String {
    let Size {
        vocab,
        d_model,
        layers,
        batch: BatchShape { batch, seq },
        ..
    } = size;
    format!("{batch} x {seq} tokens, d_model {d_model}, {layers} layers, vocabulary {vocab}")
}

fn worker(size: &Size) -> String {
    let Size {
        vocab,
        d_model,
        layers,
        heads,
        d_ff,
        batch: BatchShape { batch, seq },
    } = size;
    format!(
        "decoder --vocab {vocab} --d-model {d_model} --layers {layers} --heads {heads} --d-ff {d_ff} --seq {seq} \
         --batch {batch}"
    )
}
