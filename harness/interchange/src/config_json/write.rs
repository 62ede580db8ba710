//! From a [`ModelConfig`] to `config.json`.

use architectures::ModelConfig;
use serde_json::{Value, json};

use super::rotary::scaling_json;
use crate::layout::{FeedForwards, Layout};
use crate::weight_type::WeightType;

/// The configuration of `model` for transformers; `None` if the layout is not one of it, or not that of the model.
///
/// # Arguments
/// * `separator`: the token that begins and ends a text.
pub fn write(
    layout: Layout,
    model: &ModelConfig,
    separator: [u32; 2],
    weights: WeightType,
) -> Option<Value> {
    let layers = model.layers().ok()?;
    let decoder = &model.decoder;
    let (class, model_type) = match layout {
        Layout::Llama => ("LlamaForCausalLM", "llama"),
        Layout::Qwen2 => ("Qwen2ForCausalLM", "qwen2"),
        Layout::Mixtral => ("MixtralForCausalLM", "mixtral"),
        Layout::Qwen2Moe => ("Qwen2MoeForCausalLM", "qwen2_moe"),
        Layout::Isoflop => return None,
    };
    let [start, end] = separator;
    let mut config = json!({
        "architectures": [class],
        "model_type": model_type,
        "vocab_size": decoder.vocab_size,
        "hidden_size": decoder.d_model,
        "num_hidden_layers": decoder.n_layers,
        "num_attention_heads": decoder.n_heads,
        "num_key_value_heads": decoder.kv_heads(),
        "head_dim": decoder.head_dim(),
        "hidden_act": "silu",
        "max_position_embeddings": decoder.seq_len,
        "rms_norm_eps": decoder.norm_eps,
        "rope_theta": decoder.rope_theta,
        "rope_scaling": scaling_json(decoder.rope_scaling),
        "tie_word_embeddings": decoder.tie_embeddings,
        "bos_token_id": start,
        "eos_token_id": end,
        "torch_dtype": weights.torch_name(),
        "use_cache": true,
    });
    let found = FeedForwards::of(decoder, &layers)?;
    config["intermediate_size"] = json!(found.hidden);
    if layout == Layout::Mixtral {
        let mixture = found.mixture?;
        config["intermediate_size"] = json!(mixture.d_ff.unwrap_or(decoder.hidden()));
        config["num_local_experts"] = json!(mixture.n_experts);
        config["num_experts_per_tok"] = json!(mixture.top_k);
        config["sliding_window"] = Value::Null;
    }
    if layout == Layout::Qwen2Moe {
        // Under expert choice `top_k` is 1, and evaluation selects the most probable expert.
        let mixture = found.mixture?;
        config["moe_intermediate_size"] = json!(mixture.d_ff.unwrap_or(decoder.hidden()));
        config["num_experts"] = json!(mixture.n_experts);
        config["num_experts_per_tok"] = json!(mixture.top_k);
        config["norm_topk_prob"] = json!(mixture.normalise_weights);
        config["shared_expert_intermediate_size"] = json!(0);
        config["decoder_sparse_step"] = json!(1);
        config["mlp_only_layers"] = json!(found.dense);
        config["qkv_bias"] = json!(decoder.qkv_bias);
    }
    if layout == Layout::Llama {
        config["attention_bias"] = json!(false);
        config["mlp_bias"] = json!(false);
    }
    if matches!(layout, Layout::Qwen2 | Layout::Qwen2Moe) {
        config["use_sliding_window"] = json!(false);
    }
    Some(config)
}
