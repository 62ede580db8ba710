//! A whole state in one folder: writing, checking and reading it.

use std::path::Path;
use std::sync::Arc;

use architectures::{Decoder, ModelConfig};
use burn::tensor::Device;
use collectives::{Collectives, OneRank};

use super::error::CheckpointError;
use super::manifest::Manifest;
use super::{dense, tables, tensor_file};
use crate::ranks::order::TablesOrder;
use crate::ranks::table_files::write_tables;
use crate::train::TrainSpec;
use crate::train::dense_adamw::DenseAdamW;
use crate::train::state::TrainingState;

/// Most bytes of one file, as readers elsewhere may not read larger ones.
pub const FILE_BYTES: u64 = 4 << 30;

/// Writes the files and then `manifest` to the empty folder `folder`.
///
/// # Arguments
/// * `optimizer`: that of the dense parameters; without one no moments are written.
/// * `file_bytes`: most bytes of tensors in one file.
///
/// # Errors
/// If a file cannot be written.
pub fn write(
    folder: &Path,
    decoder: &Decoder,
    optimizer: Option<&DenseAdamW>,
    manifest: Manifest,
    file_bytes: u64,
) -> Result<Manifest, CheckpointError> {
    let mut files = dense::write(folder, decoder, optimizer, file_bytes)?;
    let has_moments = optimizer.is_some();
    files.extend(write_tables(
        decoder,
        TablesOrder {
            folder: folder.to_owned(),
            with_moments: has_moments,
            file_bytes,
        },
    )?);
    let table_updates = decoder.tables().into_iter().map(|table| match has_moments {
        true => table.updates(),
        false => 0,
    });
    let manifest = Manifest {
        has_moments,
        dense_updates: optimizer.map_or_else(Default::default, |optimizer| {
            dense::updates(decoder, optimizer)
        }),
        table_updates: table_updates.collect(),
        files,
        ..manifest
    };
    manifest.write(folder)?;
    Ok(manifest)
}

/// Bytes that [`write()`] needs for `decoder`, an upper bound.
pub fn bytes(decoder: &Decoder, with_moments: bool) -> u64 {
    use burn::module::Module;
    let tables = decoder.tables().into_iter();
    let tables: u64 = tables.map(|t| t.rows() as u64 * t.width() as u64).sum();
    let copies = if with_moments { 3 } else { 1 };
    // Headers and the manifest, with room to spare.
    4 * copies * (decoder.num_params() as u64 + tables) + (4 << 20)
}

/// The manifest of `folder`, after every file has been compared with its hash.
///
/// # Errors
/// If a file is missing, damaged, or of another run.
pub fn verify(folder: &Path, run: &str) -> Result<Manifest, CheckpointError> {
    let manifest = Manifest::read(folder, run)?;
    for file in &manifest.files {
        tensor_file::verify(folder, file)?;
    }
    Ok(manifest)
}

/// The training state in `folder`, whose verified manifest is `manifest`.
///
/// # Errors
/// If a file cannot be read, or the state does not fit the model of `spec`.
pub fn read_state(
    folder: &Path,
    manifest: &Manifest,
    spec: &TrainSpec,
) -> Result<TrainingState, CheckpointError> {
    if !manifest.has_moments {
        return Err(CheckpointError::Foreign {
            path: folder.to_owned(),
            reason: "it has no moments".to_owned(),
        });
    }
    let mut state = TrainingState::new(spec)?;
    let optimizer = (&mut state.optimizers.dense, &manifest.dense_updates);
    state.decoder = dense::read(folder, &manifest.files, state.decoder, Some(optimizer))?;
    tables::read(
        folder,
        &manifest.files,
        &state.decoder,
        &manifest.table_updates,
    )?;
    state.progress = manifest.progress.clone();
    Ok(state)
}

/// The decoder of `config` with the weights in `folder`, of a checkpoint or of a trained model, without autodiff.
///
/// # Errors
/// If a file cannot be read, or the weights do not fit `config`.
pub fn read_weights(
    folder: &Path,
    manifest: &Manifest,
    config: &ModelConfig,
    device: &Device,
) -> Result<Decoder, CheckpointError> {
    read_weights_on_ranks(folder, manifest, config, device, &OneRank::shared())
}

/// As [`read_weights`], with tables split over `ranks`; called by all of them.
///
/// # Errors
/// As [`read_weights`], or if the width of a table is not divisible by the number of ranks.
pub fn read_weights_on_ranks(
    folder: &Path,
    manifest: &Manifest,
    config: &ModelConfig,
    device: &Device,
    ranks: &Arc<dyn Collectives>,
) -> Result<Decoder, CheckpointError> {
    let decoder = Decoder::on_ranks(config, 0, device, ranks.clone())?;
    let decoder = dense::read(folder, &manifest.files, decoder, None)?;
    let without_moments = vec![0; manifest.table_updates.len()];
    tables::read(folder, &manifest.files, &decoder, &without_moments)?;
    Ok(decoder)
}

#[cfg(test)]
pub(in crate::checkpoint) mod tests;
