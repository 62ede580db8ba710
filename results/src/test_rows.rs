//! Made-up rows for the tests of this crate.

use crate::RunRow;

/// A finished run with positive finite numbers where fits and gains require them. Tests set the fields that they are about
/// by struct update, so that a new column needs a value here alone.
pub fn finished_run(block: &str, seed: u64, val_loss: f64) -> RunRow {
    RunRow {
        run: String::new(),
        sweep: String::new(),
        size: String::new(),
        block: block.into(),
        block_kind: blocks_of(block).0.into(),
        block_options: blocks_of(block).1.into(),
        seed,
        status: "finished".into(),
        reason: String::new(),
        matching: String::new(),
        target_flops: 1e15,
        train_flops: 1.001e15,
        tokens: 5_000_000,
        epoch_tokens: 1_000_000,
        epochs: 5.0,
        steps: 0,
        d_model: 0,
        n_layers: 0,
        params_dense: 0,
        params_table: 0,
        params_active: 2_000_000,
        params_total: 9_000_000,
        forward_matmul_flops: 3e6,
        forward_attention_flops: 0.0,
        forward_lookup_flops: 0.0,
        bytes_gathered: 0.0,
        train_loss: 0.0,
        val_loss,
        val_tokens: 0,
        tokens_per_s: 0.0,
        flop_per_s: 0.0,
        numeric_format: Default::default(),
        flop_convention: String::new(),
        peak_memory_bytes: 0,
        train_wall_s: 0.0,
        eval_wall_s: 0.0,
        table_bytes: 0,
        commit: String::new(),
        dirty: false,
        version: String::new(),
        config: String::new(),
        data_fingerprint: String::new(),
        tokenizer_fingerprint: String::new(),
        device: String::new(),
        threads: 0,
        instruction_set: String::new(),
        processor: String::new(),
        lock_file: String::new(),
        weights_hash: String::new(),
        resumes: 0,
        skipped_steps: 0,
        started: String::new(),
        command: String::new(),
    }
}

/// Kind and options of the blocks that tests give this label.
pub fn blocks_of(label: &str) -> (&'static str, &'static str) {
    match label {
        "dense" => (
            "dense",
            r#"[{"block": {"kind": "dense"}, "placement": "all"}]"#,
        ),
        "peer" => (
            "peer",
            r#"[{"block": {"kind": "peer", "keys": {}}, "placement": "middle"}]"#,
        ),
        "memory" => (
            "memory",
            r#"[{"block": {"kind": "memory", "gate": false, "shared_values": false}, "placement": "middle"}]"#,
        ),
        label if label.starts_with("memory+") => (
            "memory",
            r#"[{"block": {"kind": "memory", "gate": true, "shared_values": true}, "placement": "all"}]"#,
        ),
        label if label.starts_with("moe") => (
            "mixture_of_experts",
            r#"[{"block": {"kind": "mixture_of_experts"}, "placement": "all"}]"#,
        ),
        _ => (
            "other",
            r#"[{"block": {"kind": "other"}, "placement": "all"}]"#,
        ),
    }
}
