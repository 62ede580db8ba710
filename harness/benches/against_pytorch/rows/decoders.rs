//! Training steps of a whole decoder.

use crate::ours::decoder;
use crate::row::{Ours, Row, Theirs};

const CONFIG: &str = r#"{"decoder": {"vocab_size": 8192, "d_model": 256, "n_layers": 8, "n_heads": 4, "d_ff": 768,
    "seq_len": 256}, "blocks": []}"#;

const WORKER: &str =
    "decoder --vocab 8192 --d-model 256 --layers 8 --heads 4 --d-ff 768 --seq 256 --batch 8";

/// A dense decoder; ours also with two parallel micro-batches.
pub fn dense() -> Row {
    let ours = |label, micro_batches| Ours {
        label,
        build: Box::new(move || decoder::training_step(CONFIG, micro_batches)),
    };
    Row {
        name: "decoder".to_owned(),
        shape: "8 x 256 tokens, d_model 256, 8 layers, vocabulary 8192".to_owned(),
        ours: vec![ours("micro_batches 1", 1), ours("micro_batches 2", 2)],
        theirs: vec![
            Theirs::new("eager", WORKER),
            Theirs::new("compile", &format!("{WORKER} --mode compile")),
        ],
        at_least: 1.0,
        share_at_least: None,
        bytes: None,
    }
}
