//! `[sizes.NAME]`: a decoder, its budgets, and what it changes of the blocks and the training.

use architectures::DecoderConfig;

use super::block_sizes::includes_size;
use super::budgets::budgets;
use super::error::FileError;
use super::model_variant::model_variant;
use super::read::read;
use super::solve::Pending;
use super::suggest::suggest;
use super::sweep::{Data, Size};
use super::tree::{Entry, Table};
use crate::training::TrainingConfig;

/// Reads and checks the size of this label, once for each of its budgets; `own` is its table. Blocks with knobs to be solved for come
/// back with placeholders in them.
pub fn size(
    file: &str,
    root: &Table,
    data: &Data,
    label: &Entry,
    mut own: Table,
) -> Result<(Vec<Size>, Vec<Pending>), FileError> {
    let budgets = budgets(file, &label.key, &mut own)?;
    let (blocks, overrides) = (root.section("blocks"), own.section("blocks"));
    known_overrides(file, &overrides, &blocks)?;
    own.take("blocks");
    let training_table = root.section("training").merged(own.section("training"));
    own.take("training");
    let (decoder_table, decoder) = decoder(file, root, data, own)?;
    let training: TrainingConfig = read(file, &training_table)?;
    training
        .check()
        .map_err(|error| FileError::shape(file, &[&training_table], error))?;
    let sizes = root.section("sizes");
    let sizes: Vec<&str> = sizes.entries.iter().map(|size| size.key.as_str()).collect();
    let (mut variants, mut pending) = (Vec::new(), Vec::new());
    for (block, mut table) in blocks.labelled(file)? {
        if includes_size(file, &mut table, &label.key, &sizes)? {
            let table = table.merged(overrides.section(&block.key));
            let (variant, solve) =
                model_variant(file, &decoder, &decoder_table, &block.key, table)?;
            for (size, _) in &budgets {
                pending.extend(solve.clone().map(|solve| Pending {
                    size: size.clone(),
                    block: block.key.clone(),
                    solve,
                }));
            }
            variants.push(variant);
        } else if let Some(unknown) = overrides.get(&block.key) {
            let remedy = format!(
                "remove it, or add \"{}\" to `sizes` of the block",
                label.key
            );
            let problem = "overrides a block that is not at this size";
            return Err(FileError::at(file, unknown, problem, remedy));
        }
    }
    if variants.is_empty() {
        let remedy = "remove the size, or add it to `sizes` of a block";
        return Err(FileError::at(file, label, "has no block", remedy));
    }
    let sizes = budgets.into_iter().map(|(name, budget)| Size {
        name,
        decoder: decoder.clone(),
        budget,
        training: training.clone(),
        variants: variants.clone(),
    });
    Ok((sizes.collect(), pending))
}

/// `own` over `[decoder]`, with the tokenizer's vocabulary unless another is given.
fn decoder(
    file: &str,
    root: &Table,
    data: &Data,
    own: Table,
) -> Result<(Table, DecoderConfig), FileError> {
    let (path, line) = (own.path.clone(), own.line);
    let merged = root.section("decoder").merged(own);
    let mut table = Table {
        path,
        line,
        ..merged
    };
    if table.get("vocab_size").is_none() {
        table
            .entries
            .extend(root.section("suites").take("vocab_size"));
    }
    let decoder: DecoderConfig = read(file, &table)?;
    decoder
        .check()
        .map_err(|error| FileError::shape(file, &[&table], error))?;
    if decoder.vocab_size < data.vocab_size {
        let problem = format!(
            "= {} cannot hold the tokenizer's {} tokens",
            decoder.vocab_size, data.vocab_size
        );
        let remedy = "leave it out, or write suites.vocab_size or more";
        return Err(FileError::of(file, &table, "vocab_size", problem, remedy));
    }
    Ok((table, decoder))
}

/// A size cannot override a block that is not there.
fn known_overrides(file: &str, overrides: &Table, blocks: &Table) -> Result<(), FileError> {
    let known: Vec<&str> = blocks
        .entries
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    let unknown = overrides
        .entries
        .iter()
        .find(|entry| !known.contains(&entry.key.as_str()));
    unknown.map_or(Ok(()), |entry| {
        Err(FileError::at(
            file,
            entry,
            "overrides no block",
            suggest(&entry.key, &known),
        ))
    })
}
