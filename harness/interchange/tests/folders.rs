//! Whole folders: what is exported is imported again, and what is not as it should be is an error that names the file.

mod samples;

use std::fs;

use architectures::{Decoder, ModelConfig, NumericFormat, Pass};
use burn::tensor::{Device, Int, Tensor, TensorData};
use interchange::{ImportedModel, Layout, Source, WeightType, export, import};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use samples::{decoder, every_model, tokenizer};

fn logits(decoder: &Decoder) -> Vec<u32> {
    let ids = [1i64, 5, 0, 22, 7, 7, 3, 11, 2, 0, 9, 18];
    let tokens = TensorData::new(ids.to_vec(), [2, 6]);
    let tokens = Tensor::<2, Int>::from_data(tokens, &Device::flex());
    let logits = decoder.forward(tokens, &mut Pass::evaluation());
    logits.into_data().iter::<f32>().map(f32::to_bits).collect()
}

fn exported(model: &ModelConfig, weights: WeightType) -> (tempfile::TempDir, Decoder) {
    let root = tempfile::tempdir().unwrap();
    let decoder = decoder(model);
    let source = Source {
        name: "run",
        model,
        decoder: &decoder,
        tokenizer: &tokenizer(root.path()),
    };
    export(&root.path().join("model"), &source, weights).unwrap();
    (root, decoder)
}

fn imported(root: &tempfile::TempDir) -> ImportedModel {
    import(&root.path().join("model"), &Device::flex()).unwrap()
}

fn rejected(root: &tempfile::TempDir) -> String {
    let error = import(&root.path().join("model"), &Device::flex()).unwrap_err();
    error.to_string()
}

fn dense() -> ModelConfig {
    every_model().swap_remove(0).1
}

#[test]
fn every_model_is_imported_as_it_was_exported() {
    let mut layouts = Vec::new();
    for (name, model) in every_model() {
        let (root, decoder) = exported(&model, WeightType::F32);
        let found = imported(&root);
        assert_eq!(found.model, model, "{name}");
        assert_eq!(logits(&found.decoder), logits(&decoder), "{name}");
        assert_eq!(found.tokenizer.start(), Some(0), "{name}");
        layouts.push(found.layout);
        // By `config.json` alone, as a folder of another program.
        if found.layout.is_of_transformers() {
            fs::remove_file(root.path().join("model/isoflop.json")).unwrap();
            let found = imported(&root);
            assert_eq!(logits(&found.decoder), logits(&decoder), "{name}");
        }
    }
    for layout in [
        Layout::Llama,
        Layout::Qwen2,
        Layout::Mixtral,
        Layout::Qwen2Moe,
        Layout::Isoflop,
    ] {
        assert!(layouts.contains(&layout), "{layout:?}");
    }
}

#[test]
fn tables_in_bf16_are_exported_in_bf16_and_imported_exactly() {
    for (name, mut model) in every_model() {
        model.decoder.numeric_format = NumericFormat::Bf16;
        let (root, decoder) = exported(&model, WeightType::F32);
        let found = imported(&root);
        assert_eq!(found.model, model, "{name}");
        assert_eq!(logits(&found.decoder), logits(&decoder), "{name}");
        let bytes = fs::read(root.path().join("model/model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let halves = tensors.iter().filter(|(_, x)| x.dtype() == Dtype::BF16);
        assert_eq!(halves.count(), decoder.tables().len(), "{name}");
    }
}

#[test]
fn exported_tokenizers_are_the_same_again() {
    let (root, _) = exported(&dense(), WeightType::F32);
    let (source, found) = (tokenizer(root.path()), imported(&root).tokenizer);
    assert_eq!(found.fingerprint(), source.fingerprint());
    assert_eq!(
        found.encode("w3 w4").unwrap(),
        source.encode("w3 w4").unwrap()
    );
    assert_eq!((source.start(), found.end()), (None, 0));
}

#[test]
fn bfloat16_weights_are_rounded_once() {
    let (root, decoder) = exported(&dense(), WeightType::Bf16);
    let rounded = imported(&root);
    assert_ne!(logits(&rounded.decoder), logits(&decoder));
    let source = Source {
        name: "again",
        model: &rounded.model,
        decoder: &rounded.decoder,
        tokenizer: &rounded.tokenizer,
    };
    let again = root.path().join("again");
    export(&again, &source, WeightType::Bf16).unwrap();
    let weights =
        |folder: &str| fs::read(root.path().join(folder).join("model.safetensors")).unwrap();
    assert!(weights("again") == weights("model"));
}

#[test]
fn the_fingerprint_is_that_of_the_content() {
    let (first, _) = exported(&dense(), WeightType::F32);
    let (second, _) = exported(&dense(), WeightType::F32);
    let fingerprint = imported(&first).fingerprint;
    assert_eq!(fingerprint, imported(&second).fingerprint);
    let (rounded, _) = exported(&dense(), WeightType::Bf16);
    assert_ne!(fingerprint, imported(&rounded).fingerprint);
    fs::remove_file(second.path().join("model/isoflop.json")).unwrap();
    let config = second.path().join("model/config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("10000.0", "20000.0")).unwrap();
    assert_ne!(fingerprint, imported(&second).fingerprint);
}

#[test]
fn an_existing_folder_is_not_replaced() {
    let (root, decoder) = exported(&dense(), WeightType::F32);
    let model = dense();
    let source = Source {
        name: "run",
        model: &model,
        decoder: &decoder,
        tokenizer: &tokenizer(root.path()),
    };
    let again = export(&root.path().join("model"), &source, WeightType::F32);
    let message = again.unwrap_err().to_string();
    assert!(
        message.contains("model exists already; give the name"),
        "{message}"
    );
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}

#[test]
fn a_flipped_bit_is_an_error_that_names_the_file() {
    let (root, _) = exported(&dense(), WeightType::F32);
    for name in ["model.safetensors", "config.json", "tokenizer.json"] {
        let path = root.path().join("model").join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let at = flipped.len() - 9;
        flipped[at] ^= 4;
        fs::write(&path, flipped).unwrap();
        let message = rejected(&root);
        assert!(
            message.contains(name) && message.contains("differs from its hash"),
            "{message}"
        );
        fs::write(&path, whole).unwrap();
    }
    imported(&root);
}

#[test]
fn each_flipped_bit_of_the_description_is_an_error_or_changes_nothing() {
    let (root, _) = exported(&dense(), WeightType::F32);
    let path = root.path().join("model/isoflop.json");
    let whole = fs::read(&path).unwrap();
    let fingerprint = imported(&root).fingerprint;
    let mut errors = 0;
    for bit in (0..8 * whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, flipped).unwrap();
        match import(&root.path().join("model"), &Device::flex()) {
            // Space between the object's own members is not covered by the hash.
            Ok(found) => assert_eq!(found.fingerprint, fingerprint),
            Err(error) => {
                errors += 1;
                assert!(error.to_string().contains("isoflop.json"), "{error}");
            }
        }
    }
    assert!(errors > 8 * whole.len() / 7 - 20, "{errors}");
}

/// Changes `config.json` of an exported model without `isoflop.json`, and imports it.
fn with_config(change: impl Fn(&mut serde_json::Value)) -> String {
    let (root, _) = exported(&dense(), WeightType::F32);
    fs::remove_file(root.path().join("model/isoflop.json")).unwrap();
    let path = root.path().join("model/config.json");
    let mut config = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(&path, config.to_string()).unwrap();
    rejected(&root)
}

#[test]
fn tensors_that_are_not_those_of_the_configuration_are_errors() {
    let message = with_config(|config| config["num_hidden_layers"] = 2.into());
    assert!(
        message.contains("model.safetensors has the tensor model.layers.2."),
        "{message}"
    );
    let message = with_config(|config| config["tie_word_embeddings"] = true.into());
    assert!(
        message.contains("has the tensor lm_head.weight, which the model"),
        "{message}"
    );
    let message = with_config(|config| config["intermediate_size"] = 20.into());
    let expected =
        "has the tensor model.layers.0.mlp.down_proj.weight of shape [16, 24], not [16, 20]";
    assert!(message.contains(expected), "{message}");
    // Nothing is allocated for a configuration that the files cannot fill.
    let message = with_config(|config| config["hidden_size"] = 65_536.into());
    assert!(message.contains("head_dim"), "{message}");
    let message = with_config(|config| config["intermediate_size"] = 1_048_576.into());
    assert!(
        message
            .contains("config.json describes a model of 150998864 parameters, and the files have"),
        "{message}"
    );
    let message = with_config(|config| config["vocab_size"] = 22.into());
    assert!(
        message.contains("tokenizer.json has ids up to 22, and the model 22"),
        "{message}"
    );
    let message = with_config(|config| config["eos_token_id"] = 99.into());
    assert!(
        message.contains("tokenizer.json: has no token 99"),
        "{message}"
    );
}

#[test]
fn a_folder_that_is_no_model_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    assert!(rejected(&root).contains("model is no folder"));
    fs::create_dir(root.path().join("model")).unwrap();
    assert!(rejected(&root).contains("config.json"));
}
