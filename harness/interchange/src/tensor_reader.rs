//! The tensors of a folder: `model.safetensors`, or the files that `model.safetensors.index.json` lists. Headers are checked when a
//! folder is opened; values are read in pieces.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::Deserialize;

use crate::error::Error;
use crate::json_file;
use crate::weight_type;

/// File of a model in one file.
pub const SINGLE: &str = "model.safetensors";
/// List of the tensors of a model in several files.
pub const INDEX: &str = "model.safetensors.index.json";
/// Longest header that is read, as in the reference implementation.
const MAX_HEADER_BYTES: u64 = 100 << 20;
/// Bytes read at a time.
const PIECE_BYTES: usize = 4 << 20;

/// A tensor in a file.
#[derive(Clone, Debug)]
struct Entry {
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Offset of the first byte in the file.
    start: u64,
    bytes: usize,
}

/// The tensors of a folder by name.
#[derive(Debug)]
pub struct TensorReader {
    files: Vec<PathBuf>,
    tensors: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl TensorReader {
    /// Reads the headers of all files.
    ///
    /// # Errors
    /// If files are missing, are no safetensors files, have values of other formats than f32, bf16 and f16, or differ from the
    /// index.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let (single, index) = (folder.join(SINGLE), folder.join(INDEX));
        let mut reader = Self {
            files: Vec::new(),
            tensors: BTreeMap::new(),
        };
        if single.is_file() {
            reader.add(single)?;
            return Ok(reader);
        }
        if !index.is_file() {
            return Err(Error::content(
                folder,
                format!("has neither {SINGLE} nor {INDEX}"),
                "save the model with safetensors: pickled weights are not read",
            ));
        }
        let listed: Index = json_file::read(&index)?;
        let names: BTreeSet<&String> = listed.weight_map.values().collect();
        for name in names {
            let is_plain = !name.contains(['/', '\\']) && !name.starts_with('.');
            if !is_plain {
                let problem = format!("names the file {name:?}, which is not in its folder");
                return Err(Error::content(&index, problem, "use plain file names"));
            }
            reader.add(folder.join(name))?;
        }
        for (tensor, name) in &listed.weight_map {
            let found = reader
                .tensors
                .get(tensor)
                .map(|entry| &reader.files[entry.file]);
            if found != Some(&folder.join(name)) {
                let problem = format!("says that {tensor} is in {name}, which does not have it");
                return Err(Error::content(&index, problem, "save the model again"));
            }
        }
        Ok(reader)
    }

    /// Adds the tensors of the file `path`.
    fn add(&mut self, path: PathBuf) -> Result<(), Error> {
        let damaged =
            |problem: String| Error::content(&path, problem, "copy or save the file again");
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        let length = file.metadata().map_err(Error::io("read", &path))?.len();
        let mut reader = BufReader::new(file);
        let mut prefix = [0; 8];
        if reader.read_exact(&mut prefix).is_err() {
            return Err(damaged("is shorter than a safetensors header".to_owned()));
        }
        let header_bytes = u64::from_le_bytes(prefix);
        if header_bytes > MAX_HEADER_BYTES || header_bytes > length - 8 {
            let problem =
                format!("has a header of {header_bytes} bytes, longer than the file or 100 MiB");
            return Err(damaged(problem));
        }
        let mut header = vec![0; header_bytes as usize];
        reader
            .read_exact(&mut header)
            .map_err(Error::io("read", &path))?;
        // Deserialization checks that offsets are consecutive and fit shapes and formats.
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| damaged(format!("has an invalid header ({error})")))?;
        let start = 8 + header_bytes;
        let expected = start.saturating_add(metadata.data_len() as u64);
        if expected != length {
            let problem = format!("has {length} bytes, and {expected} by its header");
            return Err(damaged(problem));
        }
        let number = self.files.len();
        for (name, info) in metadata.tensors() {
            if weight_type::bytes_of_value(info.dtype).is_none() {
                let problem = format!("has the tensor {name} in {}", info.dtype);
                let remedy = "convert the weights to f32, bf16 or f16";
                return Err(Error::content(&path, problem, remedy));
            }
            let (from, to) = info.data_offsets;
            let entry = Entry {
                file: number,
                dtype: info.dtype,
                shape: info.shape.clone(),
                start: start + from as u64,
                bytes: to - from,
            };
            if self.tensors.insert(name.clone(), entry).is_some() {
                let problem = format!("has the tensor {name}, which another file has too");
                return Err(damaged(problem));
            }
        }
        self.files.push(path);
        Ok(())
    }

    /// Names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The files, in the order in which they were read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The shape of the tensor `name` and the file that has it.
    pub fn find(&self, name: &str) -> Option<(&[usize], &Path)> {
        let entry = self.tensors.get(name)?;
        Some((&entry.shape, &self.files[entry.file]))
    }

    /// Number of values in all tensors.
    pub fn values(&self) -> u64 {
        let count = |entry: &Entry| {
            let width = weight_type::bytes_of_value(entry.dtype).unwrap_or(1);
            (entry.bytes / width) as u64
        };
        self.tensors.values().map(count).sum()
    }

    /// Reads the tensor `name` in pieces, as f32.
    ///
    /// # Arguments
    /// * `receive`: called with the position of the first value of each piece and the piece.
    ///
    /// # Errors
    /// If there is no such tensor, or its file cannot be read.
    pub fn read(&self, name: &str, receive: &mut dyn FnMut(usize, &[f32])) -> Result<(), Error> {
        let Some(entry) = self.tensors.get(name) else {
            let folder = self.files.first().and_then(|file| file.parent());
            return Err(missing(folder.unwrap_or(Path::new(".")), name));
        };
        let path = &self.files[entry.file];
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        file.seek(SeekFrom::Start(entry.start))
            .map_err(Error::io("read", path))?;
        let mut bytes = vec![0; entry.bytes.min(PIECE_BYTES)];
        let (mut values, mut position, mut left) = (Vec::new(), 0, entry.bytes);
        while left > 0 {
            let piece = &mut bytes[..left.min(PIECE_BYTES)];
            file.read_exact(piece).map_err(Error::io("read", path))?;
            left -= piece.len();
            values.clear();
            weight_type::decode(entry.dtype, piece, &mut values);
            receive(position, &values);
            position += values.len();
        }
        Ok(())
    }
}

/// The error of a tensor that `folder` does not have.
pub(crate) fn missing(folder: &Path, name: &str) -> Error {
    Error::content(
        folder,
        format!("has no tensor {name}"),
        "check that all files are there and that the configuration is that of the weights",
    )
}

#[cfg(test)]
mod tests;
