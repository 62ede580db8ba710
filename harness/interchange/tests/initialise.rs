//! Parameters of a folder as the initial ones of another model.

mod samples;

use std::path::PathBuf;

use architectures::{Decoder, ModelConfig, Pass};
use burn::tensor::{Device, Int, Tensor, TensorData};
use interchange::{InitialWeights, Initialised, Source, WeightType, export, import, initialise};
use samples::{decoder, every_model, tokenizer};
use tempfile::TempDir;

/// An exported model.
struct Exported {
    root: TempDir,
    decoder: Decoder,
    fingerprint: String,
}

impl Exported {
    fn new(model: &ModelConfig) -> Self {
        let root = tempfile::tempdir().unwrap();
        let decoder = decoder(model);
        let source = Source {
            name: "run",
            model,
            decoder: &decoder,
            tokenizer: &tokenizer(root.path()),
        };
        let folder = root.path().join("model");
        export(&folder, &source, WeightType::F32).unwrap();
        let fingerprint = import(&folder, &Device::flex()).unwrap().fingerprint;
        Self {
            root,
            decoder,
            fingerprint,
        }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("model")
    }

    fn initialise(&self, model: &ModelConfig) -> Result<Initialised, String> {
        self.initialise_with(model, Some(&self.fingerprint[..16]))
    }

    fn initialise_with(
        &self,
        model: &ModelConfig,
        fingerprint: Option<&str>,
    ) -> Result<Initialised, String> {
        let from = InitialWeights {
            folder: &self.folder(),
            fingerprint,
            tokenizer: &tokenizer(self.root.path()),
        };
        let fresh = Decoder::new(model, 7, &Device::flex()).unwrap();
        initialise(fresh, model, &from).map_err(|error| error.to_string())
    }
}

fn model(name: &str) -> ModelConfig {
    let mut models = every_model().into_iter();
    models.find(|(other, _)| other == name).unwrap().1
}

/// `model` with another block, given as JSON.
fn with_block(model: &ModelConfig, block: &str) -> ModelConfig {
    let mut model = model.clone();
    model.blocks.push(serde_json::from_str(block).unwrap());
    model
}

const MEMORY_BESIDE: &str = r#"{"block": {"kind": "memory", "keys": {"n_keys": 5, "n_heads": 2, "top_k": 3, "key_dim": 8}},
    "placement": "middle", "site": "beside"}"#;
const MEMORY_INSTEAD: &str = r#"{"block": {"kind": "memory", "keys": {"n_keys": 5, "n_heads": 2, "top_k": 3, "key_dim": 8}},
    "placement": "middle"}"#;

fn logits(decoder: &Decoder) -> Vec<u32> {
    let tokens = TensorData::new(vec![1i64, 5, 0, 22, 7, 7], [1, 6]);
    let tokens = Tensor::<2, Int>::from_data(tokens, &Device::flex());
    let logits = decoder.forward(tokens, &mut Pass::evaluation());
    logits.into_data().iter::<f32>().map(f32::to_bits).collect()
}

#[test]
fn a_dense_decoder_with_a_memory_of_zeros_beside_it_has_its_function() {
    for name in [
        "dense",
        "dense, grouped heads, tied",
        "mlp",
        "deepseek_moe",
        "memory+",
    ] {
        let source = model(name);
        let exported = Exported::new(&source);
        let extended = with_block(&source, MEMORY_BESIDE);
        let found = exported.initialise(&extended).unwrap();
        let of_source = source.cost().unwrap();
        assert_eq!(
            found.taken,
            of_source.params_dense + of_source.params_table,
            "{name}"
        );
        let cost = extended.cost().unwrap();
        assert_eq!(
            found.parameters,
            cost.params_dense + cost.params_table,
            "{name}"
        );
        assert_ne!(logits(&found.decoder), logits(&exported.decoder), "{name}");
        for table in found.decoder.tables() {
            // The new one, which is of the model's width and not shared.
            if [table.rows(), table.width()] == [25, 16] && name != "memory+" {
                table.set_values(table.values().zeros_like());
            }
        }
        if name != "memory+" {
            assert_eq!(logits(&found.decoder), logits(&exported.decoder), "{name}");
        }
        assert_eq!(found.fingerprint, exported.fingerprint);
    }
}

#[test]
fn a_block_of_another_kind_is_initialised_as_usual() {
    let (dense, mlp) = (model("dense"), model("mlp"));
    let exported = Exported::new(&dense);
    let memory = with_block(&dense, MEMORY_INSTEAD);
    let found = exported.initialise(&memory).unwrap();
    let one_dense = 3 * 16 * 24;
    assert_eq!(found.taken, dense.cost().unwrap().params_dense - one_dense);

    // `down.weight` has equal names and shapes in both, in the layout without the types of blocks.
    let mlp_source = Exported::new(&mlp);
    let dense_of_equal_width: ModelConfig = {
        let mut model = dense.clone();
        model.decoder.d_ff = Some(64);
        model
    };
    let found = mlp_source.initialise(&dense_of_equal_width).unwrap();
    let decoder_alone = dense.cost().unwrap().params_dense - 3 * one_dense;
    assert_eq!(found.taken, decoder_alone);
}

#[test]
fn what_does_not_fit_is_an_error_that_says_what() {
    let dense = model("dense");
    let exported = Exported::new(&dense);
    let message = exported
        .initialise_with(&dense, Some("0123456789abcdef"))
        .unwrap_err();
    let expected = format!("has the fingerprint {}, not", &exported.fingerprint[..16]);
    assert!(message.contains(&expected), "{message}");
    let message = exported
        .initialise_with(&dense, Some(&exported.fingerprint[..15]))
        .unwrap_err();
    assert!(message.contains(&expected), "{message}");
    let message = exported.initialise_with(&dense, None).unwrap_err();
    assert!(
        message.contains("which is not stated; write `fingerprint = "),
        "{message}"
    );
    for (key, change) in [
        (
            "n_kv_heads",
            (|model| model.decoder.n_kv_heads = Some(2)) as fn(&mut ModelConfig),
        ),
        ("rope_theta", |model| model.decoder.rope_theta = 5e5),
        ("qkv_bias", |model| model.decoder.qkv_bias = true),
        ("n_layers", |model| model.decoder.n_layers = 4),
        ("tie_embeddings", |model| {
            model.decoder.tie_embeddings = true
        }),
    ] {
        let mut other = dense.clone();
        other.blocks.clear();
        change(&mut other);
        let message = exported.initialise(&other).unwrap_err();
        assert!(
            message.contains(&format!("model has {key} = ")),
            "{message}"
        );
    }
    let path = exported.folder().join("tokenizer.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("w21", "v21")).unwrap();
    std::fs::remove_file(exported.folder().join("isoflop.json")).unwrap();
    let other = import(&exported.folder(), &Device::flex())
        .unwrap()
        .fingerprint;
    let message = exported.initialise_with(&dense, Some(&other)).unwrap_err();
    assert!(message.contains("has another tokenizer"), "{message}");
}
