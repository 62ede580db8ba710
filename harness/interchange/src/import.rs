//! Reads a folder as a model.

use std::collections::BTreeMap;
use std::path::Path;

use architectures::{
    Buffer, Decoder, EachParameter, ModelConfig, NumericFormat, ValueTable, for_each_parameter,
    replace_parameters,
};
use burn::module::ParamId;
use burn::tensor::{Device, Tensor, TensorData};
use corpora::Tokenizer;

use crate::block_tensors;
use crate::description::{Description, describe, fingerprint, tokenizer};
use crate::error::Error;
use crate::layout::Layout;
use crate::names::{Piece, Place, pieces, without_effect};
use crate::tensor_reader::{TensorReader, missing};

/// A model of a folder.
#[derive(Debug)]
pub struct ImportedModel {
    /// Arrangement of the folder.
    pub layout: Layout,
    /// Its configuration.
    pub model: ModelConfig,
    /// Its weights, in f32, without autodiff.
    pub decoder: Decoder,
    /// Its tokenizer; [`Tokenizer::start`] is the token that begins a text, if the folder's tokenizer adds one.
    pub tokenizer: Tokenizer,
    /// Hash of the configuration, the tokenizer and the weights, 64 hexadecimal digits.
    pub fingerprint: String,
}

/// Reads the model in `folder`: one that [`crate::export()`] wrote, or one of transformers of type llama, mistral, qwen2 or mixtral.
/// The memory at the peak is one copy of the weights in f32 and one tensor.
///
/// # Errors
/// If a file is missing, damaged or too long, the configuration has an option that the decoder does not have, or the tensors are not
/// those of the configuration.
pub fn import(folder: &Path, device: &Device) -> Result<ImportedModel, Error> {
    let description = describe(folder)?;
    let reader = TensorReader::open(folder)?;
    let model = &description.model;
    let config_path = folder.join(description.file);
    let cost = model.cost().map_err(Error::config(&config_path))?;
    // Before anything is allocated, so that a configuration without its weights needs no memory.
    let parameters = cost.params_dense + cost.params_table;
    if reader.values() < parameters {
        let problem = format!(
            "describes a model of {parameters} parameters, and the files have {}",
            reader.values()
        );
        return Err(Error::content(
            &config_path,
            problem,
            "use the configuration of these weights",
        ));
    }
    let tokenizer = tokenizer(folder, &description)?;
    let decoder = Decoder::new(model, 0, device).map_err(Error::config(&config_path))?;
    let decoder = load(folder, &reader, &description, decoder)?;
    let fingerprint = fingerprint(folder, &reader, &description)?;
    Ok(ImportedModel {
        layout: description.layout,
        model: description.model,
        decoder,
        tokenizer,
        fingerprint,
    })
}

/// Name, shape and tensors of each parameter.
pub(crate) type ParameterPieces = BTreeMap<String, (Vec<usize>, Vec<Piece>)>;

fn load(
    folder: &Path,
    reader: &TensorReader,
    description: &Description,
    decoder: Decoder,
) -> Result<Decoder, Error> {
    let mut specs = NamedShapes(Vec::new());
    for_each_parameter(&decoder, &mut specs);
    let (layout, model) = (description.layout, &description.model);
    let mut parts = ParameterPieces::new();
    for (name, shape) in specs.0 {
        let pieces = pieces(layout, &model.decoder, &name, &shape).ok_or_else(|| {
            let problem = format!(
                "has the layout {}, which has no place for {name}",
                layout.name()
            );
            Error::content(folder, problem, "export the model again")
        })?;
        parts.insert(name, (shape, pieces));
    }
    let tables = block_tensors::tables(model).map_err(Error::config(folder))?;
    let mut expected: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let of_parameters = parts.values().flat_map(|(_, pieces)| pieces);
    expected.extend(of_parameters.map(|piece| (piece.name.clone(), piece.shape.clone())));
    let shapes = decoder
        .tables()
        .into_iter()
        .map(|table| vec![table.rows(), table.width()]);
    expected.extend(tables.iter().cloned().zip(shapes));
    let buffers = block_tensors::buffers(model, &decoder).map_err(Error::config(folder))?;
    let shapes = buffers
        .iter()
        .map(|(name, buffer)| (name.clone(), vec![buffer.len()]));
    expected.extend(shapes);
    expected.extend(without_effect(layout, model).map_err(Error::config(folder))?);
    check_tensors(folder, reader, &expected)?;

    let decoder = load_parameters(reader, &parts, decoder)?;
    for (name, table) in tables.iter().zip(decoder.tables()) {
        read_table(reader, name, table)?;
    }
    for (name, buffer) in block_tensors::buffers(model, &decoder).map_err(Error::config(folder))? {
        read_buffer(reader, &name, buffer)?;
    }
    Ok(decoder)
}

/// Reads the tensor `name`, of the table's shape, into it, or the columns of it that this process has.
pub(crate) fn read_table(
    reader: &TensorReader,
    name: &str,
    table: &ValueTable,
) -> Result<(), Error> {
    let (width, columns) = (table.width(), table.columns());
    // Without updates there are no moments.
    table.restore(0, NumericFormat::default(), |mut memory| {
        reader.read(name, &mut |position, mut piece| {
            let mut position = position;
            while !piece.is_empty() {
                let (row, column) = (position / width, position % width);
                let (values, rest) = piece.split_at(piece.len().min(width - column));
                // Of a table whose columns are split over ranks, those of this rank.
                let own = column.max(columns.start)..(column + values.len()).min(columns.end);
                if own.start < own.end {
                    let first = row * columns.len() + own.start - columns.start;
                    let values = &values[own.start - column..own.end - column];
                    memory.values.write(first, values);
                }
                position += values.len();
                piece = rest;
            }
        })
    })
}

/// Reads the tensor `name`, of the buffer's length, into it.
pub(crate) fn read_buffer(reader: &TensorReader, name: &str, buffer: &Buffer) -> Result<(), Error> {
    let mut values = Vec::new();
    reader.read(name, &mut |_, piece| values.extend_from_slice(piece))?;
    buffer.set_values(values);
    Ok(())
}

/// Fails unless the files have exactly the `expected` tensors.
fn check_tensors(
    folder: &Path,
    reader: &TensorReader,
    expected: &BTreeMap<String, Vec<usize>>,
) -> Result<(), Error> {
    for (name, shape) in expected {
        let (found, file) = reader.find(name).ok_or_else(|| missing(folder, name))?;
        if found != shape {
            let problem = format!("has the tensor {name} of shape {found:?}, not {shape:?}");
            let remedy = "use the configuration of these weights";
            return Err(Error::content(file, problem, remedy));
        }
    }
    // Rotary frequencies that old versions of transformers saved; they follow from the configuration.
    let is_derived = |name: &str| name.ends_with(".rotary_emb.inv_freq");
    let surplus = reader
        .names()
        .find(|name| !expected.contains_key(*name) && !is_derived(name));
    if let Some((name, (_, file))) = surplus.and_then(|name| Some((name, reader.find(name)?))) {
        let problem =
            format!("has the tensor {name}, which the model of the configuration does not have");
        let remedy = "use the configuration of these weights";
        return Err(Error::content(file, problem, remedy));
    }
    Ok(())
}

/// The decoder with the parameters of `parts`.
pub(crate) fn load_parameters(
    reader: &TensorReader,
    parts: &ParameterPieces,
    decoder: Decoder,
) -> Result<Decoder, Error> {
    let mut result = Ok(());
    let decoder = replace_parameters(decoder, &mut |name, shape| {
        let (_, pieces) = parts.get(name)?;
        if result.is_err() {
            return None;
        }
        let mut values = vec![0f32; shape.iter().product()];
        result = pieces
            .iter()
            .try_for_each(|piece| read_piece(reader, piece, shape, &mut values));
        Some(TensorData::new(values, shape.to_vec()))
    });
    result.map(|()| decoder)
}

/// Reads `piece` to its place in the values of a parameter of `shape`.
fn read_piece(
    reader: &TensorReader,
    piece: &Piece,
    shape: &[usize],
    values: &mut [f32],
) -> Result<(), Error> {
    let columns = shape.last().copied().unwrap_or(1);
    let rows = if shape.len() > 1 {
        shape[shape.len() - 2]
    } else {
        1
    };
    reader.read(&piece.name, &mut |position, read| match piece.place {
        Place::Whole => values[position..position + read.len()].copy_from_slice(read),
        Place::Columns { matrix, first } => {
            let of_matrix = &mut values[matrix * rows * columns..][..rows * columns];
            for (at, value) in (position..).zip(read) {
                of_matrix[at % rows * columns + first + at / rows] = *value;
            }
        }
    })
}

/// Collects name and shape of each parameter.
pub(crate) struct NamedShapes(pub Vec<(String, Vec<usize>)>);

impl EachParameter for NamedShapes {
    fn parameter<const D: usize>(&mut self, name: &str, _: ParamId, values: Tensor<D>) {
        self.0.push((name.to_owned(), values.dims().to_vec()));
    }
}
