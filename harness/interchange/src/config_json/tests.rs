use super::read::Imported;
use super::*;
use crate::layout::Layout;
use crate::weight_type::WeightType;
use architectures::ModelConfig;

const LLAMA: &str = r#"{
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 64, "initializer_range": 0.02, "intermediate_size": 172,
    "max_position_embeddings": 128, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
    "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 500000.0,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.40.0", "use_cache": true,
    "vocab_size": 320, "attention_bias": false, "attention_dropout": 0.0
}"#;

fn parsed(text: &str) -> Result<Imported, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    std::fs::write(&path, text).unwrap();
    read(&path).map_err(|error| error.to_string())
}

/// The configuration of Llama with `"key": value` added, or in place of the key.
fn with(key: &str, value: &str) -> Result<Imported, String> {
    let mut json: serde_json::Value = serde_json::from_str(LLAMA).unwrap();
    json[key] = serde_json::from_str(value).unwrap();
    parsed(&json.to_string())
}

#[test]
fn llama_is_read() {
    let found = parsed(LLAMA).unwrap();
    let decoder = &found.model.decoder;
    assert_eq!(found.layout, Layout::Llama);
    assert_eq!(found.end_token, Some(2));
    assert_eq!(
        (decoder.d_model, decoder.hidden(), decoder.kv_heads()),
        (64, 172, 2)
    );
    assert_eq!((decoder.rope_theta, decoder.seq_len), (500_000.0, 128));
    assert_eq!(with("eos_token_id", "[7, 8]").unwrap().end_token, Some(7));
    let five = r#"{"rope_type": "default", "rope_theta": 20000.0}"#;
    let mut json: serde_json::Value = serde_json::from_str(LLAMA).unwrap();
    json.as_object_mut().unwrap().remove("rope_theta");
    json["rope_parameters"] = serde_json::from_str(five).unwrap();
    assert_eq!(
        parsed(&json.to_string()).unwrap().model.decoder.rope_theta,
        20_000.0
    );
}

#[test]
fn every_option_with_another_function_is_an_error_that_names_it() {
    for (key, value) in [
        ("hidden_act", r#""gelu""#),
        ("attention_bias", "true"),
        ("mlp_bias", "true"),
        ("head_dim", "32"),
        ("partial_rotary_factor", "0.5"),
        ("rope_scaling", "8.0"),
        ("layer_types", r#"["linear_attention", "full_attention"]"#),
        ("quantization_config", r#"{"bits": 4}"#),
        ("logit_scale", "0.25"),
        ("hidden_size", "-1"),
        ("hidden_size", "null"),
        ("vocab_size", r#""many""#),
        ("rms_norm_eps", "null"),
        ("eos_token_id", r#""x""#),
    ] {
        let message = with(key, value).unwrap_err();
        assert!(message.contains(&format!("`{key}`")), "{key}: {message}");
        assert!(
            message.contains(FILE) && message.contains("; "),
            "{message}"
        );
    }
    for (scaling, named) in [
        (r#"{"rope_type": "yarn", "factor": 8.0}"#, "rope_type"),
        (
            r#"{"rope_type": "llama3", "factor": 8.0}"#,
            "low_freq_factor",
        ),
        (r#"{"type": "linear"}"#, "factor"),
        (
            r#"{"type": "linear", "factor": 8.0, "attention_factor": 2.0}"#,
            "attention_factor",
        ),
    ] {
        for key in ["rope_scaling", "rope_parameters"] {
            let message = with(key, scaling).unwrap_err();
            assert!(message.contains(&format!("`{key}.{named}`")), "{message}");
        }
    }
    let message = with("model_type", r#""gemma2""#).unwrap_err();
    assert!(
        message.contains("supported are llama, mistral, qwen2, mixtral, qwen2_moe"),
        "{message}"
    );
    let message = with("num_attention_heads", "5").unwrap_err();
    assert!(
        message.contains("describes no valid model: `n_heads`"),
        "{message}"
    );
    assert!(parsed("[1").unwrap_err().contains("is invalid"));
    assert!(parsed(&format!("{}1", "[".repeat(100_000))).is_err());
}

#[test]
fn a_sliding_window_bounds_the_sequence() {
    let mistral = |window: &str| {
        let text = LLAMA.replace(r#""llama""#, r#""mistral""#);
        let text = text.replace(r#""use_cache": true"#, window);
        parsed(&text).unwrap().model.decoder.seq_len
    };
    assert_eq!(mistral(r#""sliding_window": null"#), 128);
    assert_eq!(mistral(r#""sliding_window": 32"#), 32);
    assert_eq!(mistral(r#""sliding_window": 4096"#), 128);
    assert_eq!(
        mistral(r#""sliding_window": 32, "use_sliding_window": false"#),
        128
    );
}

#[test]
fn what_is_written_is_read_as_the_same_model() {
    let decoder =
        r#""vocab_size": 50, "d_model": 16, "n_layers": 2, "n_heads": 4, "d_ff": 24, "seq_len": 8"#;
    let mixture = r#"{"block": {"kind": "mixture_of_experts", "n_experts": 4, "top_k": 2, "normalise_weights": true},
        "placement": "all"}"#;
    let sparse = |options: &str, placement: &str| {
        let block = format!(r#"{{"kind": "mixture_of_experts", "n_experts": 4{options}}}"#);
        format!(r#"{{"block": {block}, "placement": {placement}}}"#)
    };
    for (options, blocks, layout) in [
        ("", "", Layout::Llama),
        (
            r#", "n_kv_heads": 2, "tie_embeddings": true"#,
            "",
            Layout::Llama,
        ),
        (r#", "qkv_bias": true"#, "", Layout::Qwen2),
        (
            r#", "rope_scaling": {"kind": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_seq_len": 4}"#,
            "",
            Layout::Llama,
        ),
        (
            r#", "rope_scaling": {"kind": "linear", "factor": 2.0}"#,
            mixture,
            Layout::Mixtral,
        ),
        ("", mixture, Layout::Mixtral),
        ("", &sparse(r#", "d_ff": 12"#, r#""all""#), Layout::Qwen2Moe),
        (
            r#", "qkv_bias": true"#,
            &sparse(r#", "d_ff": 12, "top_k": 3"#, r#"{"layers": [1]}"#),
            Layout::Qwen2Moe,
        ),
    ] {
        let json = format!(r#"{{"decoder": {{{decoder}{options}}}, "blocks": [{blocks}]}}"#);
        let model: ModelConfig = serde_json::from_str(&json).unwrap();
        assert_eq!(Layout::of(&model).unwrap(), layout);
        let written = write(layout, &model, [3, 4], WeightType::F32).unwrap();
        let found = parsed(&written.to_string()).unwrap();
        let expected = Imported {
            layout,
            model,
            end_token: Some(4),
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn a_model_with_another_block_has_no_layout_of_transformers() {
    let decoder = r#""vocab_size": 50, "d_model": 16, "n_layers": 2, "n_heads": 4, "seq_len": 8"#;
    for block in [
        r#"{"block": {"kind": "mixture_of_experts", "n_experts": 4}, "placement": "all", "site": "beside"}"#,
        r#"{"block": {"kind": "mlp"}, "placement": "middle"}"#,
        r#"{"block": {"kind": "memory", "keys": {"n_keys": 4, "top_k": 2}}, "placement": "middle", "site": "beside"}"#,
        r#"{"block": {"kind": "dense", "d_ff": 12}, "placement": "middle"}"#,
    ] {
        let json = format!(r#"{{"decoder": {{{decoder}}}, "blocks": [{block}]}}"#);
        let model: ModelConfig = serde_json::from_str(&json).unwrap();
        assert_eq!(Layout::of(&model).unwrap(), Layout::Isoflop, "{block}");
        assert!(write(Layout::Isoflop, &model, [0, 0], WeightType::F32).is_none());
    }
}
