//! Parameters of a decoder and the tensors of a file that they are made of: one table for each layout of `transformers`.
//!
//! A matrix of ours is `[inputs, outputs]` and contains several of theirs side by side, each stored transposed,
//! `[outputs, inputs]`. Experts of ours are one tensor `[experts, inputs, outputs]`.

use architectures::{BlockConfig, ConfigError, DecoderConfig, ModelConfig};

use crate::layout::Layout;

/// A tensor of a file and its place in a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    /// Its place.
    pub place: Place,
}

/// Where the values of a tensor are in a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// The tensor is the parameter.
    Whole,
    /// The transposed tensor is the columns from `first` on of the matrix `matrix` of the parameter.
    Columns {
        /// Number of the matrix in a stack; 0 for one matrix or a vector.
        matrix: usize,
        /// First column.
        first: usize,
    },
}

/// How a parameter is divided.
#[derive(Clone, Copy)]
enum Division {
    /// One tensor of equal shape.
    Equal,
    /// One transposed tensor.
    Transposed,
    /// Two transposed tensors of equal width.
    Halves,
    /// Queries, keys and values, transposed.
    Heads,
}

use Division::{Equal, Halves, Heads, Transposed};

/// Our name, their names and the division between them; `{layer}` and `{expert}` stand for numbers.
type Rule = (&'static str, &'static [&'static str], Division);

/// What all layouts of `transformers` have.
const DECODER: &[Rule] = &[
    ("embedding.rows", &["model.embed_tokens.weight"], Equal),
    (
        "layers.{layer}.frame.attention_norm.gamma",
        &["model.layers.{layer}.input_layernorm.weight"],
        Equal,
    ),
    (
        "layers.{layer}.frame.attention.qkv.weight",
        &[
            "model.layers.{layer}.self_attn.q_proj.weight",
            "model.layers.{layer}.self_attn.k_proj.weight",
            "model.layers.{layer}.self_attn.v_proj.weight",
        ],
        Heads,
    ),
    (
        "layers.{layer}.frame.attention.qkv.bias",
        &[
            "model.layers.{layer}.self_attn.q_proj.bias",
            "model.layers.{layer}.self_attn.k_proj.bias",
            "model.layers.{layer}.self_attn.v_proj.bias",
        ],
        Heads,
    ),
    (
        "layers.{layer}.frame.attention.output.weight",
        &["model.layers.{layer}.self_attn.o_proj.weight"],
        Transposed,
    ),
    (
        "layers.{layer}.frame.block_norm.gamma",
        &["model.layers.{layer}.post_attention_layernorm.weight"],
        Equal,
    ),
    ("head.norm.gamma", &["model.norm.weight"], Equal),
    ("head.own.weight", &["lm_head.weight"], Transposed),
];

/// Feed-forwards of Llama and Qwen2.
const DENSE: &[Rule] = &[
    (
        "layers.{layer}.block.Dense.gate_up.weight",
        &[
            "model.layers.{layer}.mlp.gate_proj.weight",
            "model.layers.{layer}.mlp.up_proj.weight",
        ],
        Halves,
    ),
    (
        "layers.{layer}.block.Dense.down.weight",
        &["model.layers.{layer}.mlp.down_proj.weight"],
        Transposed,
    ),
];

/// Mixtures of Mixtral.
const MIXTRAL: &[Rule] = &[
    (
        "layers.{layer}.block.MixtureOfExperts.router.weight",
        &["model.layers.{layer}.block_sparse_moe.gate.weight"],
        Transposed,
    ),
    (
        "layers.{layer}.block.MixtureOfExperts.experts.gate_up",
        &[
            "model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight",
            "model.layers.{layer}.block_sparse_moe.experts.{expert}.w3.weight",
        ],
        Halves,
    ),
    (
        "layers.{layer}.block.MixtureOfExperts.experts.down",
        &["model.layers.{layer}.block_sparse_moe.experts.{expert}.w2.weight"],
        Transposed,
    ),
];

/// Mixtures of Qwen2-MoE, beside [`DENSE`].
const QWEN2_MOE: &[Rule] = &[
    (
        "layers.{layer}.block.MixtureOfExperts.router.weight",
        &["model.layers.{layer}.mlp.gate.weight"],
        Transposed,
    ),
    (
        "layers.{layer}.block.MixtureOfExperts.experts.gate_up",
        &[
            "model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight",
            "model.layers.{layer}.mlp.experts.{expert}.up_proj.weight",
        ],
        Halves,
    ),
    (
        "layers.{layer}.block.MixtureOfExperts.experts.down",
        &["model.layers.{layer}.mlp.experts.{expert}.down_proj.weight"],
        Transposed,
    ),
];

/// Tensors, with their shapes, that a layout must have and that have no effect on the function of `model`: the shared experts of
/// Qwen2-MoE, of width 0, and their gates.
///
/// # Errors
/// If the model is invalid.
pub fn without_effect(
    layout: Layout,
    model: &ModelConfig,
) -> Result<Vec<(String, Vec<usize>)>, ConfigError> {
    let mut tensors = Vec::new();
    if layout != Layout::Qwen2Moe {
        return Ok(tensors);
    }
    let d_model = model.decoder.d_model;
    for (number, layer) in model.layers()?.iter().enumerate() {
        if !matches!(layer.feed_forward, BlockConfig::MixtureOfExperts(_)) {
            continue;
        }
        for (name, shape) in [
            ("shared_expert.gate_proj", [0, d_model]),
            ("shared_expert.up_proj", [0, d_model]),
            ("shared_expert.down_proj", [d_model, 0]),
            ("shared_expert_gate", [1, d_model]),
        ] {
            let name = format!("model.layers.{number}.mlp.{name}.weight");
            tensors.push((name, shape.to_vec()));
        }
    }
    Ok(tensors)
}

/// The tensors of the parameter `name [shape]` in `layout`, or `None` if the layout has no place for it.
pub fn pieces(
    layout: Layout,
    decoder: &DecoderConfig,
    name: &str,
    shape: &[usize],
) -> Option<Vec<Piece>> {
    let feed_forwards: &[&[Rule]] = match layout {
        Layout::Llama | Layout::Qwen2 => &[DENSE],
        Layout::Mixtral => &[MIXTRAL],
        Layout::Qwen2Moe => &[DENSE, QWEN2_MOE],
        Layout::Isoflop => {
            return Some(vec![Piece {
                name: without_types(name),
                shape: shape.to_vec(),
                place: Place::Whole,
            }]);
        }
    };
    let mut rules = DECODER
        .iter()
        .chain(feed_forwards.iter().copied().flatten());
    let (layer, theirs, division) = rules
        .find_map(|(ours, theirs, division)| Some((layer_of(ours, name)?, *theirs, *division)))?;
    let columns = *shape.last()?;
    let head = decoder.head_dim();
    let (queries, keys) = (decoder.n_heads * head, decoder.kv_heads() * head);
    let widths = match division {
        Equal => {
            return Some(vec![Piece {
                name: theirs.first()?.replace("{layer}", layer),
                shape: shape.to_vec(),
                place: Place::Whole,
            }]);
        }
        Transposed => vec![columns],
        Halves => vec![columns / 2; 2],
        Heads => vec![queries, keys, keys],
    };
    let matrices = if shape.len() == 3 { shape[0] } else { 1 };
    let mut pieces = Vec::new();
    for matrix in 0..matrices {
        let mut first = 0;
        for (name, &width) in theirs.iter().zip(&widths) {
            let name = name.replace("{layer}", layer);
            let inputs = shape.len().checked_sub(2).map(|at| shape[at]);
            pieces.push(Piece {
                name: name.replace("{expert}", &matrix.to_string()),
                shape: [width].into_iter().chain(inputs).collect(),
                place: Place::Columns { matrix, first },
            });
            first += width;
        }
    }
    Some(pieces)
}

/// The text that stands for `{layer}` in `pattern`, if `name` matches it; empty if the pattern has none.
fn layer_of<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let Some((before, after)) = pattern.split_once("{layer}") else {
        return (pattern == name).then_some("");
    };
    let layer = name.strip_prefix(before)?.strip_suffix(after)?;
    layer
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(layer)
}

/// The name of a parameter without the types of modules, such as `Dense` in `layers.0.block.Dense.down.weight`.
fn without_types(name: &str) -> String {
    let parts = name.split('.');
    let parts = parts.filter(|part| !part.starts_with(|first: char| first.is_ascii_uppercase()));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
