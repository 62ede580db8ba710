//! One safetensors file of tensors in f32 or bf16, written and read in pieces, so that no tensor is copied as a whole.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use architectures::NumericFormat;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::{Deserialize, Serialize};

use super::element_bytes::{decode, dtype_of, encode, format_of};
use super::error::CheckpointError;

/// Values converted and read at a time.
const PIECE: usize = 1 << 20;
/// Longest header that is read.
const MAX_HEADER_BYTES: u64 = 100 << 20;

/// Name, shape and format of a tensor in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Format of its values.
    pub format: NumericFormat,
}

impl TensorSpec {
    /// A tensor in f32.
    pub fn single(name: String, shape: Vec<usize>) -> Self {
        Self {
            name,
            shape,
            format: NumericFormat::F32,
        }
    }

    /// Bytes of its values.
    pub fn bytes(&self) -> u64 {
        self.format.bytes() * self.shape.iter().map(|&size| size as u64).product::<u64>()
    }
}

/// Name, length and hash of a written file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// File name without folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content, hexadecimal.
    pub blake3: String,
}

/// Receives consecutive values of a tensor.
pub type Sink<'a> = &'a mut dyn FnMut(&[f32]) -> io::Result<()>;

/// Writes `tensors` to the file `name` of `folder` and flushes it to the disk.
///
/// # Arguments
/// * `values`: writes all values of the tensor of a number to the sink, in row-major order.
///
/// # Errors
/// If the file cannot be written.
pub fn write(
    folder: &Path,
    name: String,
    tensors: &[TensorSpec],
    values: &mut dyn FnMut(usize, Sink) -> io::Result<()>,
) -> Result<FileEntry, CheckpointError> {
    let path = folder.join(&name);
    let file = File::create(&path).map_err(CheckpointError::io("create", &path))?;
    let mut writer = Hashing {
        inner: BufWriter::with_capacity(1 << 20, file),
        hasher: blake3::Hasher::new(),
        bytes: 0,
    };
    write_content(&mut writer, tensors, values).map_err(CheckpointError::io("write", &path))?;
    let entry = FileEntry {
        name,
        bytes: writer.bytes,
        blake3: writer.hasher.finalize().to_hex().to_string(),
    };
    let flushed = writer
        .inner
        .into_inner()
        .map_err(|error| error.into_error());
    flushed
        .and_then(|file| file.sync_all())
        .map_err(CheckpointError::io("write", &path))?;
    Ok(entry)
}

fn write_content(
    writer: &mut impl Write,
    tensors: &[TensorSpec],
    values: &mut dyn FnMut(usize, Sink) -> io::Result<()>,
) -> io::Result<()> {
    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = end;
        end += tensor.bytes() as usize;
        let info = TensorInfo {
            dtype: dtype_of(tensor.format),
            shape: tensor.shape.clone(),
            data_offsets: (start, end),
        };
        (tensor.name.clone(), info)
    });
    let metadata = Metadata::new(None, infos.collect()).map_err(io::Error::other)?;
    let mut header = serde_json::to_vec(&metadata)?;
    // The format aligns the values by spaces after the header.
    header.resize(header.len().next_multiple_of(8), b' ');
    writer.write_all(&(header.len() as u64).to_le_bytes())?;
    writer.write_all(&header)?;
    let mut bytes = Vec::new();
    for (number, tensor) in tensors.iter().enumerate() {
        let mut written = 0;
        values(number, &mut |piece: &[f32]| {
            for piece in piece.chunks(PIECE) {
                bytes.clear();
                encode(tensor.format, piece, &mut bytes)?;
                writer.write_all(&bytes)?;
                written += bytes.len() as u64;
            }
            Ok(())
        })?;
        if written != tensor.bytes() {
            let reason = format!("{written} bytes of tensor {} were written", tensor.name);
            return Err(io::Error::other(reason));
        }
    }
    Ok(())
}

/// Writes and hashes.
struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Compares the file of `entry` in `folder` with its length and hash.
///
/// # Errors
/// If it is missing or differs.
pub fn verify(folder: &Path, entry: &FileEntry) -> Result<(), CheckpointError> {
    let path = folder.join(&entry.name);
    let mut file = File::open(&path).map_err(CheckpointError::io("open", &path))?;
    let length = file
        .metadata()
        .map_err(CheckpointError::io("read", &path))?;
    if length.len() != entry.bytes {
        let reason = format!("it has {} bytes instead of {}", length.len(), entry.bytes);
        return Err(CheckpointError::damaged(&path, reason));
    }
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CheckpointError::io("read", &path)(error)),
        };
    }
    match hasher.finalize().to_hex().as_str() == entry.blake3 {
        true => Ok(()),
        false => Err(CheckpointError::damaged(
            &path,
            "its content differs from the hash in state.json",
        )),
    }
}

/// An opened file.
pub struct TensorFile {
    path: PathBuf,
    reader: BufReader<File>,
    /// Offset of the first value in the file.
    start: u64,
    metadata: Metadata,
}

impl TensorFile {
    /// Opens the file `name` of `folder` and reads its header.
    ///
    /// # Errors
    /// If it is no safetensors file of tensors in f32 or bf16, or its length does not match its header.
    pub fn open(folder: &Path, name: &str) -> Result<Self, CheckpointError> {
        let path = folder.join(name);
        let damaged = |reason: &str| CheckpointError::damaged(&path, reason);
        let file = File::open(&path).map_err(CheckpointError::io("open", &path))?;
        let length = file
            .metadata()
            .map_err(CheckpointError::io("read", &path))?;
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut prefix = [0; 8];
        let read = reader.read_exact(&mut prefix);
        read.map_err(|_| damaged("it is shorter than a header"))?;
        let header_bytes = u64::from_le_bytes(prefix);
        if header_bytes > MAX_HEADER_BYTES || header_bytes > length.len() {
            return Err(damaged(
                "its header is longer than the file, or than 100 MiB",
            ));
        }
        let mut header = vec![0; header_bytes as usize];
        let read = reader.read_exact(&mut header);
        read.map_err(|_| damaged("its header is incomplete"))?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| damaged(&format!("its header is invalid ({error})")))?;
        if metadata
            .tensors()
            .values()
            .any(|info| format_of(info.dtype).is_none())
        {
            return Err(damaged("a tensor is in neither f32 nor bf16"));
        }
        let start = 8 + header_bytes;
        if start + metadata.data_len() as u64 != length.len() {
            return Err(damaged("its length does not match its header"));
        }
        Ok(Self {
            path,
            reader,
            start,
            metadata,
        })
    }

    /// The tensors, in the order of the file.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let names = self.metadata.offset_keys().into_iter();
        names
            .filter_map(|name| {
                let info = self.metadata.info(&name)?;
                let (shape, format) = (info.shape.clone(), format_of(info.dtype)?);
                Some(TensorSpec {
                    name,
                    shape,
                    format,
                })
            })
            .collect()
    }

    /// Reads the tensor `name` in pieces.
    ///
    /// # Arguments
    /// * `receive`: called with the position of the first value of each piece and the piece.
    ///
    /// # Errors
    /// If there is no such tensor, or the file cannot be read.
    pub fn read(
        &mut self,
        name: &str,
        receive: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), CheckpointError> {
        let info = self.metadata.info(name);
        let Some((info, format)) = info.and_then(|info| Some((info, format_of(info.dtype)?)))
        else {
            let reason = format!("it has no tensor {name}");
            return Err(CheckpointError::damaged(&self.path, reason));
        };
        let (from, to) = info.data_offsets;
        let failed = |error| CheckpointError::io("read", &self.path)(error);
        let seek = SeekFrom::Start(self.start + from as u64);
        self.reader.seek(seek).map_err(failed)?;
        let size = format.bytes() as usize;
        let (mut position, count) = (0, (to - from) / size);
        let (mut bytes, mut values) = (vec![0; size * PIECE.min(count)], Vec::new());
        while position < count {
            let piece = &mut bytes[..size * PIECE.min(count - position)];
            self.reader.read_exact(piece).map_err(failed)?;
            values.clear();
            decode(format, piece, &mut values);
            receive(position, &values);
            position += values.len();
        }
        Ok(())
    }

    /// All values of the tensor `name`.
    ///
    /// # Errors
    /// As [`TensorFile::read`].
    pub fn values(&mut self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let mut all = Vec::new();
        self.read(name, &mut |_, piece| all.extend_from_slice(piece))?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
