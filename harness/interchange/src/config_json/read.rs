//! From `config.json` to a [`ModelConfig`].

use std::path::Path;

use architectures::mixture_of_experts::MixtureOfExpertsConfig;
use architectures::{
    BlockConfig, DecoderConfig, ModelConfig, NumericFormat, PlacedBlock, Placement, Rotary, Site,
};
use serde_json::{Map, Value, json};

use super::keys::Keys;
use super::rotary::rotary;
use crate::error::Error;
use crate::json_file;
use crate::layout::Layout;

/// A configuration of transformers.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The arrangement of the tensors.
    pub layout: Layout,
    /// The model that has the same function.
    pub model: ModelConfig,
    /// The token that ends a text; the first, if the file lists several.
    pub end_token: Option<u32>,
}

/// What differs between the supported types of models.
struct ModelType {
    name: &'static str,
    layout: Layout,
    /// Key and value heads and the rotary base may be missing, as in files of the first Llama.
    has_old_files: bool,
}

const MODEL_TYPES: &[ModelType] = &[
    ModelType {
        name: "llama",
        layout: Layout::Llama,
        has_old_files: true,
    },
    ModelType {
        name: "mistral",
        layout: Layout::Llama,
        has_old_files: false,
    },
    ModelType {
        name: "qwen2",
        layout: Layout::Qwen2,
        has_old_files: false,
    },
    ModelType {
        name: "mixtral",
        layout: Layout::Mixtral,
        has_old_files: false,
    },
    ModelType {
        name: "qwen2_moe",
        layout: Layout::Qwen2Moe,
        has_old_files: false,
    },
];

/// Reads the configuration in the file `path`.
///
/// # Errors
/// If it is no configuration of a supported type, or has an option whose function the decoder does not have.
pub fn read(path: &Path) -> Result<Imported, Error> {
    let map: Map<String, Value> = json_file::read(path)?;
    let name = map
        .get("model_type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let supported: Vec<&str> = MODEL_TYPES.iter().map(|model| model.name).collect();
    let Some(model_type) = MODEL_TYPES.iter().find(|model| model.name == name) else {
        let problem = format!("has `model_type` = {name:?}");
        let remedy = format!("supported are {}", supported.join(", "));
        return Err(Error::content(path, problem, remedy));
    };
    let mut keys = Keys::new(path, map);
    let end_token = end_token(&mut keys)?;
    let decoder = decoder(&mut keys, model_type)?;
    let blocks = match model_type.layout {
        Layout::Mixtral => vec![mixtral(&mut keys)?],
        Layout::Qwen2Moe => vec![qwen2_moe(&mut keys, decoder.n_layers)?],
        _ => Vec::new(),
    };
    keys.finish()?;
    let model = ModelConfig { decoder, blocks };
    model.layers().map_err(Error::config(path))?;
    Ok(Imported {
        layout: model_type.layout,
        model,
        end_token,
    })
}

fn decoder(keys: &mut Keys, model_type: &ModelType) -> Result<DecoderConfig, Error> {
    let d_model = required(keys, "hidden_size")?;
    let n_heads = required(keys, "num_attention_heads")?;
    let n_kv_heads = match keys.integer("num_key_value_heads")? {
        None if model_type.has_old_files => n_heads,
        given => keys.required("num_key_value_heads", given)?,
    };
    if let Some(head_dim) = keys.integer("head_dim")?
        && head_dim.checked_mul(n_heads) != Some(d_model)
    {
        let problem = format!("= {head_dim}, which is not `hidden_size` / `num_attention_heads`");
        return Err(keys.error(
            "head_dim",
            problem,
            "choose a model with heads of that width",
        ));
    }
    keys.only(
        "hidden_act",
        &[json!("silu"), json!("swish")],
        "only SiLU is supported",
    )?;
    keys.only(
        "attention_bias",
        &[json!(false)],
        "biases of all four projections are not supported",
    )?;
    keys.only(
        "mlp_bias",
        &[json!(false)],
        "biases of the feed-forward are not supported",
    )?;
    keys.only(
        "partial_rotary_factor",
        &[json!(1.0), json!(1)],
        "all of a head is rotated",
    )?;
    let norm_eps = keys.number("rms_norm_eps")?;
    let Rotary { theta, scaling } = rotary(keys, model_type.has_old_files)?;
    Ok(DecoderConfig {
        vocab_size: required(keys, "vocab_size")?,
        d_model,
        n_layers: required(keys, "num_hidden_layers")?,
        n_heads,
        n_kv_heads: (n_kv_heads != n_heads).then_some(n_kv_heads),
        d_ff: Some(required(keys, "intermediate_size")?),
        d_ff_multiple: 256,
        rope_theta: theta,
        rope_scaling: scaling,
        seq_len: longest_sequence(keys)?,
        norm_eps: keys.required("rms_norm_eps", norm_eps)?,
        tie_embeddings: keys.boolean("tie_word_embeddings")?.unwrap_or(false),
        qkv_bias: match model_type.layout {
            Layout::Qwen2 => true,
            Layout::Qwen2Moe => {
                let bias = keys.boolean("qkv_bias")?;
                keys.required("qkv_bias", bias)?
            }
            _ => false,
        },
        // Files have the weights; in which format products are computed is up to the program that reads them.
        numeric_format: NumericFormat::F32,
    })
}

/// `max_position_embeddings`, or the sliding window if that is shorter: within the window, the function is that of full attention.
fn longest_sequence(keys: &mut Keys) -> Result<usize, Error> {
    let positions = keys.integer("max_position_embeddings")?;
    let positions = keys.required("max_position_embeddings", positions)?;
    // Qwen2 states a window, and that it is not used.
    let is_used = keys.boolean("use_sliding_window")?.unwrap_or(true);
    let window = keys.integer("sliding_window")?.filter(|_| is_used);
    keys.take("max_window_layers");
    if let Some(types) = keys.take("layer_types") {
        let known = [json!("full_attention"), json!("sliding_attention")];
        let all_known = types
            .as_array()
            .is_some_and(|types| types.iter().all(|t| known.contains(t)));
        if !all_known {
            let problem = "with another type than full or sliding attention";
            return Err(keys.error("layer_types", problem, "choose a model without it"));
        }
    }
    Ok(window.map_or(positions, |window| window.min(positions)))
}

fn required(keys: &mut Keys, key: &str) -> Result<usize, Error> {
    let value = keys.integer(key)?;
    keys.required(key, value)
}

fn mixtral(keys: &mut Keys) -> Result<PlacedBlock, Error> {
    let n_experts = required(keys, "num_local_experts")?;
    let top_k = required(keys, "num_experts_per_tok")?;
    let options = json!({"n_experts": n_experts, "top_k": top_k, "normalise_weights": true});
    mixture(keys, options, Placement::All)
}

/// The mixture of every layer that is not in `mlp_only_layers`.
fn qwen2_moe(keys: &mut Keys, n_layers: usize) -> Result<PlacedBlock, Error> {
    let shared = "only models without a shared expert are supported";
    keys.only("shared_expert_intermediate_size", &[json!(0)], shared)?;
    keys.only(
        "decoder_sparse_step",
        &[json!(1)],
        "list dense layers in `mlp_only_layers`",
    )?;
    let normalised = keys.boolean("norm_topk_prob")?;
    let options = json!({
        "n_experts": required(keys, "num_experts")?,
        "top_k": required(keys, "num_experts_per_tok")?,
        "d_ff": required(keys, "moe_intermediate_size")?,
        "normalise_weights": keys.required("norm_topk_prob", normalised)?,
    });
    let dense = keys.take("mlp_only_layers").unwrap_or(json!([]));
    let dense: Vec<usize> = serde_json::from_value(dense)
        .map_err(|_| keys.error("mlp_only_layers", "that is no list of layers", "correct it"))?;
    let sparse = (0..n_layers).filter(|layer| !dense.contains(layer));
    let placement = match dense.is_empty() {
        true => Placement::All,
        false => Placement::Layers(sparse.collect()),
    };
    mixture(keys, options, placement)
}

fn mixture(keys: &Keys, options: Value, placement: Placement) -> Result<PlacedBlock, Error> {
    let mixture: MixtureOfExpertsConfig = serde_json::from_value(options)
        .map_err(|error| keys.error("num_experts_per_tok", error.to_string(), "correct it"))?;
    Ok(PlacedBlock {
        block: BlockConfig::MixtureOfExperts(mixture),
        placement,
        site: Site::FeedForward,
    })
}

/// `eos_token_id`, a number or a list.
fn end_token(keys: &mut Keys) -> Result<Option<u32>, Error> {
    let Some(value) = keys.take("eos_token_id") else {
        return Ok(None);
    };
    let first = match &value {
        Value::Array(ids) => ids.first(),
        value => Some(value),
    };
    let id = first
        .and_then(Value::as_u64)
        .and_then(|id| u32::try_from(id).ok());
    let invalid = || {
        keys.error(
            "eos_token_id",
            "that is no token id",
            "give the id of a token",
        )
    };
    id.map(Some).ok_or_else(invalid)
}
