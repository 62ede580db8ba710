//! Exports a small model with random weights for every block, for `benches/transformers_logits.py`:
//! `cargo run --release --workspace --example random_models -- FOLDER`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use std::error::Error;
use std::path::PathBuf;

use interchange::{Source, WeightType, export};

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).ok_or("give a new folder")?;
    let root = PathBuf::from(root);
    std::fs::create_dir(&root)?;
    let tokenizer = samples::tokenizer(&root);
    for (name, model) in samples::every_model() {
        let source = Source {
            name: &name,
            model: &model,
            decoder: &samples::decoder(&model),
            tokenizer: &tokenizer,
        };
        let name = name.replace([' ', ','], "_");
        export(&root.join(name), &source, WeightType::F32)?;
    }
    Ok(())
}
