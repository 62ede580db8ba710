//! Small models of every block with random weights, and a tokenizer for them.

#[path = "../../../../architectures/tests/models/mod.rs"]
mod models;

use std::fs;
use std::path::Path;

use architectures::{Decoder, HasBuffers, ModelConfig, Site, replace_parameters};
use burn::tensor::{Device, Tensor, TensorData};
use corpora::{EndToken, Tokenizer};

use models::VOCAB;

/// Name and configuration of the models of `architectures`, and of mixtures in every layer.
pub fn every_model() -> Vec<(String, ModelConfig)> {
    let mut models = models::every_model();
    models.push(("mixtral".to_owned(), mixtral()));
    models.push(("mixture beside".to_owned(), mixture_beside()));
    models
}

/// The mixture that Mixtral has: in every layer, with normalised weights.
fn mixtral() -> ModelConfig {
    let json = format!(
        r#"{{"decoder": {{"vocab_size": {VOCAB}, "d_model": 16, "n_layers": 2, "n_heads": 4, "d_ff": 12, "seq_len": 8}},
            "blocks": [{{"block": {{"kind": "mixture_of_experts", "n_experts": 4, "top_k": 2, "normalise_weights": true}},
                "placement": "all"}}]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// A mixture that no layout of `transformers` has.
fn mixture_beside() -> ModelConfig {
    let mut model = mixtral();
    model.blocks[0].site = Site::Beside;
    model
}

/// A decoder whose parameters, tables and buffers are all different, so that none can be in the place of another.
pub fn decoder(model: &ModelConfig) -> Decoder {
    let decoder = Decoder::new(model, 3, &Device::flex()).unwrap();
    let mut count = 0u32;
    let mut next = || {
        count += 1;
        ((count.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5) * 0.9
    };
    let decoder = replace_parameters(decoder, &mut |_, shape| {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
        Some(TensorData::new(values, shape.to_vec()))
    });
    for table in decoder.tables() {
        let shape = [table.rows(), table.width()];
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
        let values = TensorData::new(values, shape);
        table.set_values(Tensor::from_data(values, &Device::flex()));
    }
    for buffer in decoder.buffers() {
        // Smaller than what is added to them, so that tokens select different experts.
        buffer.set_values(buffer.values().iter().map(|_| 0.1 * next()).collect());
    }
    decoder
}

/// A tokenizer of `VOCAB` tokens, words of letters.
pub fn tokenizer(folder: &Path) -> Tokenizer {
    let path = folder.join("source-tokenizer.json");
    let words = (1..VOCAB).map(|id| (format!("w{id}"), id));
    let vocabulary: serde_json::Map<String, serde_json::Value> = [("<|end|>".to_owned(), 0)]
        .into_iter()
        .chain(words)
        .map(|(word, id)| (word, id.into()))
        .collect();
    let json = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null, "decoder": null,
        "added_tokens": [{"id": 0, "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<|end|>"},
    });
    fs::write(&path, json.to_string()).unwrap();
    Tokenizer::from_file(&path, EndToken::Text("<|end|>")).unwrap()
}
