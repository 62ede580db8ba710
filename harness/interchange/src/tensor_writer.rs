//! Writes the tensors of a model in a fixed order to one safetensors file, or to several with an index, as transformers reads them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::error::Error;
use crate::tensor_reader::{INDEX, SINGLE};
use crate::weight_type::{bytes_of_value, encode};

/// Most bytes of tensors in one file; a larger tensor has a file of its own.
pub const FILE_BYTES: usize = 4 << 30;
/// Values converted at a time.
const PIECE: usize = 1 << 20;

/// A tensor that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTensor {
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its number format.
    pub dtype: Dtype,
}

impl PlannedTensor {
    fn values(&self) -> usize {
        self.shape.iter().product()
    }

    fn bytes(&self) -> usize {
        self.values() * bytes_of_value(self.dtype).unwrap_or(4)
    }
}

/// A writer of planned tensors.
pub struct TensorWriter {
    folder: PathBuf,
    /// The tensors of each file.
    files: Vec<Vec<PlannedTensor>>,
    /// The file being written, the number of the tensor in it, and the values of that tensor so far.
    open: Option<BufWriter<File>>,
    position: (usize, usize, usize),
    bytes: Vec<u8>,
}

impl TensorWriter {
    /// A writer to the empty folder `folder`; nothing is written yet.
    ///
    /// # Arguments
    /// * `file_bytes`: most bytes of tensors in one file.
    pub fn new(folder: &Path, plan: Vec<PlannedTensor>, file_bytes: usize) -> Self {
        let mut files: Vec<Vec<PlannedTensor>> = Vec::new();
        let mut bytes = 0;
        for tensor in plan {
            match files.last_mut() {
                Some(file) if bytes + tensor.bytes() <= file_bytes => {
                    bytes += tensor.bytes();
                    file.push(tensor);
                }
                _ => {
                    bytes = tensor.bytes();
                    files.push(vec![tensor]);
                }
            }
        }
        Self {
            folder: folder.to_owned(),
            files,
            open: None,
            position: (0, 0, 0),
            bytes: Vec::new(),
        }
    }

    fn name(&self, file: usize) -> String {
        match self.files.len() {
            1 => SINGLE.to_owned(),
            // The names of transformers, which count from 1.
            count => format!("model-{:05}-of-{count:05}.safetensors", file + 1),
        }
    }

    /// Appends the next values, of the planned tensors in their order.
    ///
    /// # Errors
    /// If a file cannot be written, or there are more values than planned.
    pub fn append(&mut self, mut values: &[f32]) -> Result<(), Error> {
        self.pass_complete()?;
        while !values.is_empty() {
            let (file, number, written) = self.position;
            let path = self.folder.join(self.name(file));
            let Some(tensor) = self.files.get(file).and_then(|file| file.get(number)) else {
                let reason = io::Error::other("more values than its tensors have");
                return Err(Error::io("write", &path)(reason));
            };
            let (dtype, count) = (tensor.dtype, tensor.values());
            let piece;
            (piece, values) = values.split_at(values.len().min(count - written).min(PIECE));
            self.bytes.clear();
            encode(dtype, piece, &mut self.bytes);
            if let Some(open) = &mut self.open {
                open.write_all(&self.bytes)
                    .map_err(Error::io("write", &path))?;
            }
            self.position.2 += piece.len();
            self.pass_complete()?;
        }
        Ok(())
    }

    /// Goes on to the next tensor that lacks values; tensors without values are complete from the beginning.
    fn pass_complete(&mut self) -> Result<(), Error> {
        let (mut file, mut number, mut written) = self.position;
        while let Some(tensors) = self.files.get(file) {
            let path = self.folder.join(self.name(file));
            if self.open.is_none() {
                self.open = Some(begin(&path, tensors)?);
            }
            match tensors.get(number) {
                Some(tensor) if written < tensor.values() => break,
                Some(_) => (number, written) = (number + 1, 0),
                None => {
                    self.end(&path)?;
                    (file, number) = (file + 1, 0);
                }
            }
        }
        self.position = (file, number, written);
        Ok(())
    }

    fn end(&mut self, path: &Path) -> Result<(), Error> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let file = open.into_inner().map_err(|error| error.into_error());
        file.and_then(|file| file.sync_all())
            .map_err(Error::io("write", path))
    }

    /// Writes the index, if there are several files; returns the names of all files.
    ///
    /// # Errors
    /// If values are missing, or the index cannot be written.
    pub fn finish(mut self) -> Result<Vec<String>, Error> {
        self.pass_complete()?;
        let mut names: Vec<String> = (0..self.files.len()).map(|file| self.name(file)).collect();
        if self.position.0 != self.files.len() {
            let reason = io::Error::other("values of a tensor are missing");
            return Err(Error::io(
                "write",
                &self.folder.join(self.name(self.position.0)),
            )(reason));
        }
        if self.files.len() > 1 {
            let mut map = BTreeMap::new();
            for (tensors, file) in self.files.iter().zip(&names) {
                map.extend(tensors.iter().map(|tensor| (&tensor.name, file)));
            }
            let total: usize = self.files.iter().flatten().map(PlannedTensor::bytes).sum();
            let index = serde_json::json!({"metadata": {"total_size": total}, "weight_map": map});
            let path = self.folder.join(INDEX);
            std::fs::write(&path, format!("{index:#}\n")).map_err(Error::io("write", &path))?;
            names.push(INDEX.to_owned());
        }
        Ok(names)
    }
}

/// Creates the file `path` with the header of `tensors`.
fn begin(path: &Path, tensors: &[PlannedTensor]) -> Result<BufWriter<File>, Error> {
    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = end;
        end += tensor.bytes();
        let info = TensorInfo {
            dtype: tensor.dtype,
            shape: tensor.shape.clone(),
            data_offsets: (start, end),
        };
        (tensor.name.clone(), info)
    });
    let write = || {
        // transformers reads only files that say that they are of PyTorch's layout.
        let about = [("format".to_owned(), "pt".to_owned())];
        let metadata = Metadata::new(Some(about.into_iter().collect()), infos.collect())
            .map_err(io::Error::other)?;
        let mut header = serde_json::to_vec(&metadata)?;
        // The format aligns the values by spaces after the header.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        Ok(file)
    };
    write().map_err(Error::io("write", path))
}
