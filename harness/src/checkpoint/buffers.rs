//! The state of blocks that has no gradient, in one file.

use std::path::Path;

use architectures::{Decoder, HasBuffers};

use super::error::CheckpointError;
use super::tensor_file::{self, FileEntry, Sink, TensorFile, TensorSpec};

/// File of the buffers.
const BUFFERS: &str = "buffers.safetensors";

/// Writes the buffers of `decoder`, if it has any.
///
/// # Errors
/// If the file cannot be written.
pub fn write(folder: &Path, decoder: &Decoder) -> Result<Option<FileEntry>, CheckpointError> {
    let buffers: Vec<Vec<f32>> = decoder.buffers().iter().map(|b| b.values()).collect();
    if buffers.is_empty() {
        return Ok(None);
    }
    let specs = buffers
        .iter()
        .enumerate()
        .map(|(number, values)| TensorSpec::single(format!("buffer.{number}"), vec![values.len()]));
    let specs: Vec<TensorSpec> = specs.collect();
    let write = &mut |at: usize, sink: Sink| sink(&buffers[at]);
    tensor_file::write(folder, BUFFERS.to_owned(), &specs, write).map(Some)
}

/// Loads the buffers in `files` into `decoder`.
///
/// # Errors
/// If the file cannot be read, or its buffers are not those of the decoder.
pub fn read(folder: &Path, files: &[FileEntry], decoder: &Decoder) -> Result<(), CheckpointError> {
    let buffers = decoder.buffers();
    let present = files.iter().any(|file| file.name == BUFFERS);
    let foreign = |reason: &str| CheckpointError::Foreign {
        path: folder.to_owned(),
        reason: reason.to_owned(),
    };
    if present == buffers.is_empty() {
        return Err(foreign("its blocks have another state without gradient"));
    }
    if !present {
        return Ok(());
    }
    let mut file = TensorFile::open(folder, BUFFERS)?;
    for (number, buffer) in buffers.into_iter().enumerate() {
        let values = file.values(&format!("buffer.{number}"))?;
        if values.len() != buffer.len() {
            return Err(foreign("a buffer has another length"));
        }
        buffer.set_values(values);
    }
    Ok(())
}
