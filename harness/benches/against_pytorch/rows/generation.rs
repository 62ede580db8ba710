//! Greedy generation with cached keys and values.

use serde_json::{Value, json};

use crate::ours::generation::{self, Lengths};
use crate::row::{Ours, Row, Theirs};

const LENGTHS: Lengths = Lengths {
    batch: 64,
    prompt: 32,
    new: 64,
};

const VOCAB: usize = 8192;
const D_MODEL: usize = 256;
const LAYERS: usize = 8;
const HEADS: usize = 4;
const D_FF: usize = 768;

const N_KEYS: usize = 256;
const KEY_HEADS: usize = 4;
const TOP_K: usize = 32;

const EXPERTS: usize = 8;

/// Layer with the block, of those with one.
const MIDDLE: &str = "4";

/// Layers of Memory+.
const CENTRED: &str = "2,4,6";

/// A decoder with each block.
pub fn all() -> Vec<Row> {
    let keys = json!({"n_keys": N_KEYS, "n_heads": KEY_HEADS, "top_k": TOP_K});
    let key_options = format!("--n-keys {N_KEYS} --key-heads {KEY_HEADS} --top-k {TOP_K}");
    let everywhere = |block: Value| json!([{"block": block, "placement": "all"}]);
    let middle = |block: Value| json!([{"block": block, "placement": "middle"}]);
    let slots = format!(
        "2^{} slots, {KEY_HEADS} heads x {TOP_K}",
        2 * N_KEYS.ilog2()
    );
    vec![
        row("dense", "dense", json!([]), ""),
        row(
            "moe",
            &format!("{EXPERTS} experts, top-1"),
            everywhere(json!({"kind": "mixture_of_experts", "n_experts": EXPERTS, "d_ff": D_FF})),
            &format!("--experts {EXPERTS} --experts-per-token 1"),
        ),
        row(
            "peer",
            &format!("one PEER layer, {slots}"),
            middle(json!({"kind": "peer", "keys": keys})),
            &format!("{key_options} --placed {MIDDLE}"),
        ),
        row(
            "memory",
            &format!("one memory layer, {slots}"),
            middle(json!({"kind": "memory", "keys": keys})),
            &format!("{key_options} --placed {MIDDLE}"),
        ),
        row(
            "memory+",
            &format!("three Memory+ layers, {slots}"),
            json!([{
                "block": {"kind": "memory", "keys": keys, "gate": true, "shared_values": true},
                "placement": {"centred": {"count": 3, "stride": 2}},
            }]),
            &format!("{key_options} --placed {CENTRED}"),
        ),
    ]
}

/// # Arguments
/// * `blocks`: of our configuration.
/// * `options`: of PyTorch's side.
fn row(block: &str, description: &str, blocks: Value, options: &str) -> Row {
    let Lengths { batch, prompt, new } = LENGTHS;
    let config = json!({
        "decoder": {
            "vocab_size": VOCAB, "d_model": D_MODEL, "n_layers": LAYERS, "n_heads": HEADS, "d_ff": D_FF,
            "seq_len": prompt + new,
        },
        "blocks": blocks,
    });
    let worker = format!(
        "generate --vocab {VOCAB} --d-model {D_MODEL} --layers {LAYERS} --heads {HEADS} --d-ff {D_FF} --batch {batch} \
         --prompt {prompt} --new {new} --block {block} {options}"
    );
    Row {
        name: format!("generate-{block}"),
        shape: format!(
            "{batch} prompts of {prompt} tokens, {new} new ones; d_model {D_MODEL}, {LAYERS} layers, vocabulary {VOCAB}; \
             {description}"
        ),
        ours: vec![Ours {
            label: "",
            build: Box::new(move || generation::greedy(&config, LENGTHS)),
        }],
        theirs: vec![
            Theirs::new("eager", &worker),
            Theirs::new("compile", &format!("{worker} --mode compile")),
        ],
        at_least: 2.0,
        share_at_least: None,
        bytes: None,
        random_rows: None,
        in_turns: false,
    }
}
