//! Small decoders, one for every block and every option that changes its equations.

use architectures::ModelConfig;

pub const VOCAB: usize = 23;

const KEYS: &str = r#""keys": {"n_keys": 5, "n_heads": 2, "top_k": 3, "key_dim": 8"#;

/// Name and configuration of each.
pub fn every_model() -> Vec<(String, ModelConfig)> {
    let mut models = Vec::new();
    // Name; further keys of the decoder, after a comma; keys of the block without braces; placement, optionally with
    // `, "site": ...` after it. Tables need fewer rows than the reads of 16 tokens, so that some row is read twice.
    let mut add = |name: &str, decoder: &str, block: &str, placement: &str| {
        let json = format!(
            r#"{{"decoder": {{"vocab_size": {VOCAB}, "d_model": 16, "n_layers": 3, "n_heads": 4, "d_ff": 24,
                "seq_len": 8{decoder}}},
                "blocks": [{{"block": {{{block}}}, "placement": {placement}}}]}}"#
        );
        models.push((name.to_owned(), serde_json::from_str(&json).unwrap()));
    };
    let dense = r#""kind": "dense""#;
    add("dense", "", dense, r#""all""#);
    add(
        "dense, grouped heads, tied",
        r#", "n_kv_heads": 2, "tie_embeddings": true"#,
        dense,
        r#""all""#,
    );
    add("dense, biases", r#", "qkv_bias": true"#, dense, r#""all""#);
    add(
        "dense, scaled rotations",
        r#", "rope_scaling": {"kind": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_seq_len": 8}"#,
        dense,
        r#""all""#,
    );
    let moe = |options: &str| {
        format!(r#""kind": "mixture_of_experts", "n_experts": 4, "d_ff": 12{options}"#)
    };
    add("moe top-1", "", &moe(""), r#""all""#);
    add(
        "moe top-2 normalised",
        "",
        &moe(r#", "top_k": 2, "normalise_weights": true"#),
        r#""middle""#,
    );
    add(
        "moe expert choice",
        "",
        &moe(r#", "routing": "expert_choice""#),
        r#""all""#,
    );
    add(
        "peer",
        "",
        &format!(r#""kind": "peer", {KEYS}}}"#),
        r#""middle""#,
    );
    add(
        "peer of the paper",
        "",
        &format!(
            r#""kind": "peer", {KEYS}, "share_keys": true, "qk_norm": true, "score": "sigmoid"}}"#
        ),
        r#"{"layers": [0, 2]}"#,
    );
    add(
        "memory",
        "",
        &format!(r#""kind": "memory", {KEYS}}}"#),
        r#""middle""#,
    );
    add(
        "memory, relu, narrow",
        "",
        &format!(r#""kind": "memory", {KEYS}, "score": "relu"}}, "value_dim": 6"#),
        r#""middle""#,
    );
    add(
        "memory, normalised",
        "",
        &format!(r#""kind": "memory", {KEYS}, "qk_norm": true}}"#),
        r#""middle""#,
    );
    add(
        "memory+",
        "",
        &format!(r#""kind": "memory", {KEYS}}}, "gate": true, "shared_values": true"#),
        r#"{"centred": {"count": 3, "stride": 1}}"#,
    );
    add("mlp", "", r#""kind": "mlp""#, r#""all""#);
    add(
        "mlp, exact",
        "",
        r#""kind": "mlp", "d_ff": 20, "exact_gelu": true"#,
        r#""middle""#,
    );
    let deepseek =
        |options: &str| format!(r#""kind": "deepseek_moe", "n_experts": 5, "d_ff": 8{options}"#);
    add("deepseek_moe", "", &deepseek(r#", "top_k": 2"#), r#""all""#);
    add(
        "deepseek_moe, balance loss",
        "",
        &deepseek(
            r#", "top_k": 2, "n_shared": 2, "normalise_weights": false, "balance_loss": 0.1"#,
        ),
        r#""middle""#,
    );
    add(
        "memory+ beside the feed-forward",
        "",
        &format!(r#""kind": "memory", {KEYS}}}, "gate": true, "shared_values": true"#),
        r#""all", "site": "beside""#,
    );
    add(
        "memory before attention",
        "",
        &format!(r#""kind": "memory", {KEYS}}}"#),
        r#"{"layers": [0, 2]}, "site": "before_attention""#,
    );
    let ultra_mem = r#""kind": "ultra_mem", "n_keys": 5, "top_k": 4, "key_dim": 6, "value_dim": 8, "pre_value_dim": 3"#;
    add("ultra_mem", "", ultra_mem, r#""all", "site": "beside""#);
    add(
        "ultra_mem, one core",
        "",
        &format!(r#"{ultra_mem}, "n_cores": 1, "n_candidates": 3"#),
        r#""middle", "site": "beside""#,
    );
    let engram = r#""kind": "engram", "n_rows": 5, "n_heads": 2, "head_dim": 3"#;
    add(
        "engram",
        "",
        engram,
        r#"{"layers": [1]}, "site": "before_attention""#,
    );
    add(
        "engram, plain gate, no convolution",
        "",
        &format!(r#"{engram}, "sqrt_gate": false, "kernel": 0, "max_order": 2"#),
        r#"{"layers": [1, 2]}, "site": "before_attention""#,
    );
    add(
        "hashed_bigram",
        "",
        r#""kind": "hashed_bigram", "n_rows": 11"#,
        r#""all", "site": "before_attention""#,
    );
    models
}
