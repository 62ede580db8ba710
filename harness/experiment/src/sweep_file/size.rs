//! `[sizes.LABEL]`: a decoder, its budgets, and its overrides of blocks and training.

use architectures::DecoderConfig;

use super::block_sizes::includes_size;
use super::budgets::budgets;
use super::error::FileError;
use super::model_variant::model_variant;
use super::read::read;
use super::solve::UnsolvedVariant;
use super::suggest::suggest;
use super::sweep::{DataConfig, Size};
use super::tree::{LocatedEntry, LocatedNode, LocatedTable};
use crate::training::TrainingConfig;

/// The size of the section `label`, once for each of its budgets, and its variants with knobs to solve for, which have
/// placeholder values; `own` is the section's table.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn size(
    file: &str,
    root: &LocatedTable,
    data: &DataConfig,
    label: &LocatedEntry,
    mut own: LocatedTable,
) -> Result<(Vec<Size>, Vec<UnsolvedVariant>), FileError> {
    let budgets = budgets(file, &label.key, &mut own)?;
    let (blocks, overrides) = (root.section("blocks"), own.section("blocks"));
    check_overrides(file, &overrides, &blocks)?;
    own.take("blocks");
    let training_table = root.section("training").merged(own.section("training"));
    own.take("training");
    let (decoder_table, decoder) = decoder(file, root, data, own)?;
    let training: TrainingConfig = read(file, &training_table)?;
    training
        .check()
        .map_err(|error| FileError::config(file, &[&training_table], error))?;
    let sizes = root.section("sizes");
    let sizes: Vec<&str> = sizes.entries.iter().map(|size| size.key.as_str()).collect();
    let (mut variants, mut unsolved) = (Vec::new(), Vec::new());
    for (block, mut table) in blocks.labelled(file)? {
        if includes_size(file, &mut table, &label.key, &sizes)? {
            let table = table.merged(overrides.section(&block.key));
            let (variant, solve) =
                model_variant(file, &decoder, &decoder_table, &block.key, table)?;
            for (size, _) in &budgets {
                unsolved.extend(solve.clone().map(|solve| UnsolvedVariant {
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
    Ok((sizes.collect(), unsolved))
}

/// The decoder of `[decoder]` merged with `own`, and its table; the vocabulary size defaults to that of the tokenizer.
fn decoder(
    file: &str,
    root: &LocatedTable,
    data: &DataConfig,
    own: LocatedTable,
) -> Result<(LocatedTable, DecoderConfig), FileError> {
    let (path, position) = (own.path.clone(), own.position);
    let merged = root.section("decoder").merged(own);
    let mut table = LocatedTable {
        path,
        position,
        ..merged
    };
    if table.get("vocab_size").is_none() {
        table.entries.push(vocab_size(root, data));
    }
    let decoder: DecoderConfig = read(file, &table)?;
    decoder
        .check()
        .map_err(|error| FileError::config(file, &[&table], error))?;
    if decoder.vocab_size < data.vocab_size {
        let problem = format!(
            "= {} is smaller than the tokenizer's vocabulary of {}",
            decoder.vocab_size, data.vocab_size
        );
        let remedy = "omit it, or write suites.vocab_size or more";
        return Err(FileError::of(file, &table, "vocab_size", problem, remedy));
    }
    Ok((table, decoder))
}

/// The entry of the tokenizer's vocabulary size, which may follow from a file.
fn vocab_size(root: &LocatedTable, data: &DataConfig) -> LocatedEntry {
    let section = |name: &str| root.section(name).take("vocab_size");
    let given = section("suites").or_else(|| section("tokenizer"));
    given.unwrap_or_else(|| LocatedEntry {
        key: "vocab_size".to_owned(),
        path: "tokenizer.path".to_owned(),
        position: root.section("tokenizer").position,
        node: LocatedNode::Value(toml::Value::Integer(data.vocab_size as i64)),
    })
}

/// Checks that every block that a size overrides exists.
fn check_overrides(
    file: &str,
    overrides: &LocatedTable,
    blocks: &LocatedTable,
) -> Result<(), FileError> {
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
            "overrides an unknown block",
            suggest(&entry.key, &known),
        ))
    })
}
