//! Dense parameters by name, their moments, and buffers, in files of bounded size.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use architectures::{Decoder, EachParameter, for_each_parameter, replace_parameters};
use burn::module::ParamId;
use burn::tensor::{Tensor, TensorData};

use super::buffers;
use super::error::CheckpointError;
use super::parameters::parameters;
use super::tensor_file::{self, FileEntry, Sink, TensorFile, TensorSpec};
use crate::ranks::gathered;
use crate::train::dense_adamw::{DenseAdamW, Moments};

/// What is written of each parameter.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Values,
    Mean,
    Square,
}

/// Writes one tensor of one parameter.
struct WriteOne<'a, 'b> {
    optimizer: Option<&'a DenseAdamW>,
    name: &'a str,
    kind: Kind,
    sink: Sink<'b>,
    written: io::Result<()>,
}

impl EachParameter for WriteOne<'_, '_> {
    fn parameter<const D: usize>(&mut self, name: &str, id: ParamId, values: Tensor<D>) {
        if name != self.name {
            return;
        }
        let moments = |values: &Tensor<D>| gathered::moments(self.optimizer?, (name, id), values);
        let tensor = match self.kind {
            Kind::Values => Some(values),
            Kind::Mean => moments(&values).map(|moments| moments.mean),
            Kind::Square => moments(&values).map(|moments| moments.square),
        };
        self.written = match tensor {
            Some(tensor) => {
                let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
                (self.sink)(&values)
            }
            None => Err(io::Error::other(format!("{name} has no moments"))),
        };
    }
}

/// Numbers of updates of the parameters that have moments.
struct Updates<'a> {
    optimizer: &'a DenseAdamW,
    updates: BTreeMap<String, u64>,
}

impl EachParameter for Updates<'_> {
    fn parameter<const D: usize>(&mut self, name: &str, id: ParamId, _: Tensor<D>) {
        if let Some(updates) = self.optimizer.updates::<D>(id) {
            self.updates.insert(name.to_owned(), updates);
        }
    }
}

/// Number of updates of each parameter that has moments in `optimizer`.
pub fn updates(decoder: &Decoder, optimizer: &DenseAdamW) -> BTreeMap<String, u64> {
    let mut each = Updates {
        optimizer,
        updates: BTreeMap::new(),
    };
    for_each_parameter(decoder, &mut each);
    each.updates
}

/// Groups of consecutive tensors of at most `most` bytes together; a larger tensor is a group of its own.
fn groups(tensors: Vec<TensorSpec>, most: u64) -> Vec<Vec<TensorSpec>> {
    let mut groups: Vec<Vec<TensorSpec>> = Vec::new();
    let mut bytes = 0;
    for tensor in tensors {
        match groups.last_mut() {
            Some(group) if bytes + tensor.bytes() <= most => {
                bytes += tensor.bytes();
                group.push(tensor);
            }
            _ => {
                bytes = tensor.bytes();
                groups.push(vec![tensor]);
            }
        }
    }
    groups
}

/// Writes the parameters of `decoder`, with their moments if `optimizer` is given, and its buffers.
///
/// # Errors
/// If a file cannot be written.
pub fn write(
    folder: &Path,
    decoder: &Decoder,
    optimizer: Option<&DenseAdamW>,
    file_bytes: u64,
) -> Result<Vec<FileEntry>, CheckpointError> {
    let mut files = Vec::new();
    let write = |stem: &str, number, group: &[TensorSpec], tensors: &[(Kind, &str)]| {
        let name = format!("{stem}-{number}.safetensors");
        tensor_file::write(folder, name, group, &mut |at, sink| {
            let (kind, name) = tensors[at];
            let mut one = WriteOne {
                optimizer,
                name,
                kind,
                sink,
                written: Err(io::Error::other(format!("there is no parameter {name}"))),
            };
            for_each_parameter(decoder, &mut one);
            one.written
        })
    };
    let all = parameters(decoder);
    for (number, group) in groups(all.clone(), file_bytes).iter().enumerate() {
        let tensors: Vec<_> = group
            .iter()
            .map(|t| (Kind::Values, t.name.as_str()))
            .collect();
        files.push(write("dense", number, group, &tensors)?);
    }
    if let Some(optimizer) = optimizer {
        let updates = updates(decoder, optimizer);
        let moved = all
            .into_iter()
            .filter(|tensor| updates.contains_key(&tensor.name));
        // Half the size, since each tensor is written as mean and as square.
        for (number, group) in groups(moved.collect(), file_bytes / 2).iter().enumerate() {
            let (mut specs, mut tensors) = (Vec::new(), Vec::new());
            for tensor in group {
                for (prefix, kind) in [("mean", Kind::Mean), ("square", Kind::Square)] {
                    let name = format!("{prefix}.{}", tensor.name);
                    specs.push(TensorSpec::single(name, tensor.shape.clone()));
                    tensors.push((kind, tensor.name.as_str()));
                }
            }
            files.push(write("moments", number, &specs, &tensors)?);
        }
    }
    files.extend(buffers::write(folder, decoder)?);
    Ok(files)
}

/// Restores the moments of one file.
struct LoadMoments<'a> {
    optimizer: &'a mut DenseAdamW,
    updates: &'a BTreeMap<String, u64>,
    values: HashMap<String, TensorData>,
}

impl EachParameter for LoadMoments<'_> {
    fn parameter<const D: usize>(&mut self, name: &str, id: ParamId, values: Tensor<D>) {
        let device = values.device().inner();
        let mean = self.values.remove(&format!("mean.{name}"));
        let square = self.values.remove(&format!("square.{name}"));
        if let (Some(mean), Some(square), Some(&updates)) = (mean, square, self.updates.get(name)) {
            let moments = Moments {
                updates,
                mean: Tensor::<D>::from_data(mean, &device),
                square: Tensor::<D>::from_data(square, &device),
            };
            self.optimizer.restore(id, moments);
        }
    }
}

/// Loads the parameters and buffers in `files` into `decoder`, and the moments into `optimizer`, if one is given.
///
/// # Errors
/// If a file cannot be read, or its tensors are not those of the decoder.
pub fn read(
    folder: &Path,
    files: &[FileEntry],
    mut decoder: Decoder,
    optimizer: Option<(&mut DenseAdamW, &BTreeMap<String, u64>)>,
) -> Result<Decoder, CheckpointError> {
    let foreign = |reason: String| CheckpointError::Foreign {
        path: folder.to_owned(),
        reason,
    };
    let parameters = parameters(&decoder);
    let stem = |prefix: &'static str| {
        files
            .iter()
            .map(|file| file.name.as_str())
            .filter(move |name| name.starts_with(prefix))
    };
    let mut missing: HashMap<String, Vec<usize>> = parameters
        .iter()
        .map(|spec| (spec.name.clone(), spec.shape.clone()))
        .collect();
    for name in stem("dense-") {
        let mut values = read_all(folder, name)?;
        for (tensor, data) in &values {
            if missing.remove(tensor).as_deref() != Some(&data.shape()[..]) {
                let shape = data.shape();
                return Err(foreign(format!(
                    "the model has no parameter {tensor} {shape:?}"
                )));
            }
        }
        decoder = replace_parameters(decoder, &mut |name, _| values.remove(name));
    }
    if let Some(tensor) = missing.keys().min() {
        return Err(foreign(format!("it has no parameter {tensor}")));
    }
    if let Some((optimizer, updates)) = optimizer {
        for name in stem("moments-") {
            let mut each = LoadMoments {
                optimizer: &mut *optimizer,
                updates,
                values: read_all(folder, name)?,
            };
            for_each_parameter(&decoder, &mut each);
            if let Some(tensor) = each.values.keys().min() {
                return Err(foreign(format!("the model has no parameter for {tensor}")));
            }
        }
        if self::updates(&decoder, optimizer) != *updates {
            return Err(foreign("moments of a parameter are missing".to_owned()));
        }
    }
    buffers::read(folder, files, &decoder)?;
    Ok(decoder)
}

/// All tensors of a file by name.
fn read_all(folder: &Path, name: &str) -> Result<HashMap<String, TensorData>, CheckpointError> {
    let mut file = TensorFile::open(folder, name)?;
    let mut all = HashMap::new();
    for spec in file.tensors() {
        let values = file.values(&spec.name)?;
        all.insert(spec.name, TensorData::new(values, spec.shape));
    }
    Ok(all)
}
