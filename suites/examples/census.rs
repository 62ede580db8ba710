//! Prints the number of documents and tokens of one epoch, by suite and type of document, and the tasks of each suite.
//!
//! `cargo run --release -p suites --example census -- 2048` (vocabulary size, 1024 by default)
#![allow(clippy::print_stdout, reason = "an example")]

use std::collections::BTreeMap;
use std::error::Error;

use suites::{Dataset, SuitesConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let vocab_size = std::env::args()
        .nth(1)
        .map_or(Ok(1024), |size| size.parse())?;
    let folder = tempfile::tempdir()?;
    let data = Dataset::prepare(&SuitesConfig::default(), 0, vocab_size, 1, folder.path())?;
    println!(
        "vocabulary {}, one epoch {} tokens",
        data.tokenizer.vocab_size(),
        data.train.len()
    );
    println!("held out {} tokens", data.held_out.len());
    for suite in &data.suites {
        let mut types: BTreeMap<&str, (usize, usize, String)> = BTreeMap::new();
        for document in suite.documents(0) {
            let document_type = match document.get(..2) {
                Some("Q:") => "questions",
                Some("de") if document.starts_with("def ") => "functions",
                _ => "statements",
            };
            let tokens = data.tokenizer.encode(&document)?.len() + 1;
            let entry = types
                .entry(document_type)
                .or_insert_with(|| (0, 0, document));
            entry.0 += 1;
            entry.1 += tokens;
        }
        for (document_type, (documents, tokens, example)) in types {
            let each = tokens as f64 / documents as f64;
            println!(
                "{:12} {document_type:10} {documents:5} documents {tokens:6} tokens {each:5.1} each, as {example:?}",
                suite.name()
            );
        }
        for task in suite.tasks() {
            let baseline = task.baseline.unwrap_or(0.0);
            println!(
                "  task {:14} {:4} of {:5} items, baseline {baseline:.3}",
                task.name,
                task.items.len(),
                task.population
            );
        }
    }
    Ok(())
}
