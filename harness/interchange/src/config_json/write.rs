//! From a [`ModelConfig`] to `config.json`.

use architectures::ModelConfig;
use serde_json::{Value, json};

use crate::layout::{Layout, dense_hidden, mixture};
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
        "tie_word_embeddings": decoder.tie_embeddings,
        "bos_token_id": start,
        "eos_token_id": end,
        "torch_dtype": weights.torch_name(),
        "use_cache": true,
    });
    match layout {
        Layout::Mixtral => {
            let mixture = mixture(&layers)?;
            config["intermediate_size"] = json!(mixture.d_ff.unwrap_or(decoder.hidden()));
            config["num_local_experts"] = json!(mixture.n_experts);
            config["num_experts_per_tok"] = json!(mixture.top_k);
            config["sliding_window"] = Value::Null;
        }
        _ => config["intermediate_size"] = json!(dense_hidden(decoder, &layers)?),
    }
    if layout == Layout::Llama {
        config["attention_bias"] = json!(false);
        config["mlp_bias"] = json!(false);
    }
    if layout == Layout::Qwen2 {
        config["use_sliding_window"] = json!(false);
    }
    Some(config)
}
