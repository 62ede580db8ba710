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

/// Fine-grained routed experts, which together have the parameters of the others.
const FINE_EXPERTS: usize = 32;
const FINE_TOP_K: usize = 3;
const FINE_D_FF: usize = D_FF / (FINE_TOP_K + 1);

/// Least rows of each of the 16 heads of Engram: as many table elements as 2^16 slots have.
const NGRAM_ROWS: usize = 1 << 17;

/// Layers of Engram, at the same depth as in its publication.
const NGRAM_LAYERS: [usize; 2] = [1, 4];

/// Rows of the table of bigrams: the default of the block.
const BIGRAM_ROWS: usize = 5 * VOCAB;

/// Layer with the block, of those with one.
const MIDDLE: &str = "4";

/// Layers of Memory+ and UltraMemV2.
const CENTRED: &str = "2,4,6";

/// A decoder with each block.
pub fn all() -> Vec<Row> {
    let keys = json!({"n_keys": N_KEYS, "n_heads": KEY_HEADS, "top_k": TOP_K});
    let key_options = format!("--n-keys {N_KEYS} --key-heads {KEY_HEADS} --top-k {TOP_K}");
    let everywhere = |block: Value| json!([{"block": block, "placement": "all"}]);
    let middle = |block: Value| json!([{"block": block, "placement": "middle"}]);
    let centred = json!({"centred": {"count": 3, "stride": 2}});
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
            "deepseek_moe",
            &format!(
                "1 shared and {FINE_EXPERTS} routed experts of width {FINE_D_FF}, top-{FINE_TOP_K}"
            ),
            everywhere(json!({
                "kind": "deepseek_moe", "n_experts": FINE_EXPERTS, "top_k": FINE_TOP_K, "n_shared": 1, "d_ff": FINE_D_FF,
            })),
            &format!(
                "--experts {FINE_EXPERTS} --experts-per-token {FINE_TOP_K} --shared-experts 1 --expert-d-ff {FINE_D_FF}"
            ),
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
                "placement": centred,
            }]),
            &format!("{key_options} --placed {CENTRED}"),
        ),
        row(
            "ultra_mem",
            &format!(
                "three UltraMemV2 layers beside the feed-forward, 2^{} slots each, top-{TOP_K}",
                2 * N_KEYS.ilog2()
            ),
            json!([{
                "block": {"kind": "ultra_mem", "n_keys": N_KEYS, "top_k": TOP_K},
                "placement": centred, "site": "beside",
            }]),
            &format!("--n-keys {N_KEYS} --top-k {TOP_K} --placed {CENTRED}"),
        ),
        row(
            "engram",
            &format!(
                "two Engram layers, 16 heads of at least 2^{} rows each",
                NGRAM_ROWS.ilog2()
            ),
            json!([{
                "block": {"kind": "engram", "n_rows": NGRAM_ROWS},
                "placement": {"layers": NGRAM_LAYERS}, "site": "before_attention",
            }]),
            &format!(
                "--rows {NGRAM_ROWS} --placed {},{}",
                NGRAM_LAYERS[0], NGRAM_LAYERS[1]
            ),
        ),
        row(
            "hashed_bigram",
            &format!("hashed bigrams in all layers, {BIGRAM_ROWS} rows"),
            json!([{
                "block": {"kind": "hashed_bigram", "n_rows": BIGRAM_ROWS},
                "placement": "all", "site": "before_attention",
            }]),
            &format!("--rows {BIGRAM_ROWS}"),
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
