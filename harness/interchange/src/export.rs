//! Writes a model as a folder.

use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

use architectures::{
    ConfigError, Decoder, DecoderConfig, EachParameter, ModelConfig, NumericFormat, TablePart,
    ValueTable, for_each_parameter,
};
use burn::module::ParamId;
use burn::tensor::Tensor;
use corpora::Tokenizer;
use safetensors::Dtype;

use crate::error::Error;
use crate::layout::Layout;
use crate::manifest::{self, HashedFile, Manifest};
use crate::names::{Piece, Place, pieces, without_effect};
use crate::tensor_writer::{FILE_BYTES, PlannedTensor, TensorWriter};
use crate::weight_type::WeightType;
use crate::{TOKENIZER, block_tensors, config_json};

/// File with the special tokens, which `AutoTokenizer` of transformers reads beside [`TOKENIZER`].
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// Values of a table copied at a time.
const TABLE_PIECE: usize = 1 << 21;

/// A model to be exported.
pub struct Source<'a> {
    /// What it is, such as the name of a run; recorded in the folder.
    pub name: &'a str,
    /// Its configuration.
    pub model: &'a ModelConfig,
    /// Its weights.
    pub decoder: &'a Decoder,
    /// Its tokenizer.
    pub tokenizer: &'a Tokenizer,
}

/// Writes `source` to the new folder `folder`: in a layout of transformers if one has the model's function, else in that of this
/// project. The folder is written beside and renamed, so that it is never there in part.
///
/// # Errors
/// If `folder` exists, the model is invalid, or files cannot be written.
pub fn export(folder: &Path, source: &Source, weights: WeightType) -> Result<Manifest, Error> {
    if folder.symlink_metadata().is_ok() {
        let remedy = "give the name of a new folder";
        return Err(Error::content(folder, "exists already", remedy));
    }
    let parent = match folder.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    let workplace = tempfile::Builder::new()
        .prefix(".isoflop-export-")
        .tempdir_in(parent)
        .map_err(Error::io("write in", parent))?;
    // A folder within, since temporary ones are readable by their owner alone.
    let written = workplace.path().join("model");
    fs::create_dir(&written).map_err(Error::io("create", &written))?;
    let manifest = write_files(&written, source, weights)?;
    let names = manifest.files.iter().map(|file| file.name.as_str());
    for name in names.chain([manifest::FILE]) {
        flush(written.join(name))?;
    }
    flush(written.clone())?;
    fs::rename(&written, folder).map_err(Error::io("rename", folder))?;
    flush(parent.to_owned())?;
    Ok(manifest)
}

/// Waits until a file or folder is on the disk.
fn flush(path: PathBuf) -> Result<(), Error> {
    File::open(&path)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("flush", &path))
}

fn write_files(folder: &Path, source: &Source, weights: WeightType) -> Result<Manifest, Error> {
    let (model, tokenizer) = (source.model, source.tokenizer);
    let invalid = |error: ConfigError| Error::config(folder)(error);
    let layout = Layout::of(model).map_err(invalid)?;
    let end = tokenizer.end();
    let start = tokenizer.start().unwrap_or(end);
    let mut manifest =
        Manifest::new(layout, weights, (source.name, end), model).map_err(invalid)?;
    let mut files = write_weights(folder, layout, source, weights)?;
    tokenizer.save(&folder.join(TOKENIZER))?;
    files.push(TOKENIZER.to_owned());
    let special = serde_json::json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokenizer.token(start),
        "eos_token": tokenizer.token(end),
        "model_max_length": model.decoder.seq_len,
        "clean_up_tokenization_spaces": false,
    });
    let mut json_files = vec![(TOKENIZER_CONFIG, special)];
    if let Some(config) = config_json::write(layout, model, [start, end], weights) {
        json_files.push((config_json::FILE, config));
    }
    for (name, json) in json_files {
        let path = folder.join(name);
        fs::write(&path, format!("{json:#}\n")).map_err(Error::io("write", &path))?;
        files.push(name.to_owned());
    }
    for name in files {
        manifest.files.push(HashedFile::of(folder, &name)?);
    }
    manifest.write(folder)?;
    Ok(manifest)
}

/// Writes all tensors; returns the names of the files.
fn write_weights(
    folder: &Path,
    layout: Layout,
    source: &Source,
    weights: WeightType,
) -> Result<Vec<String>, Error> {
    let (decoder, config) = (source.decoder, &source.model.decoder);
    let dtype = weights.dtype();
    let planned = |name: String, shape: Vec<usize>, dtype| PlannedTensor { name, shape, dtype };
    let mut plan = Vec::new();
    let mut missing = None;
    for_each_parameter(
        decoder,
        &mut EachPiece(|name: &str, shape: &[usize], _: &dyn Fn() -> Vec<f32>| {
            match pieces(layout, config, name, shape) {
                Some(pieces) => plan.extend(
                    pieces
                        .into_iter()
                        .map(|piece| planned(piece.name, piece.shape, dtype)),
                ),
                None => missing = Some(name.to_owned()),
            }
        }),
    );
    if let Some(name) = missing {
        let problem = format!(
            "has no place for the parameter {name} in the layout {}",
            layout.name()
        );
        return Err(Error::content(
            folder,
            problem,
            "report this as an error of the program",
        ));
    }
    let tables = block_tensors::tables(source.model).map_err(Error::config(folder))?;
    for (name, table) in tables.into_iter().zip(decoder.tables()) {
        // A table in bf16 has no more digits than that.
        let dtype = match table.format() {
            NumericFormat::F32 => dtype,
            NumericFormat::Bf16 => Dtype::BF16,
        };
        plan.push(planned(name, vec![table.rows(), table.width()], dtype));
    }
    let buffers = block_tensors::buffers(source.model, decoder).map_err(Error::config(folder))?;
    for (name, buffer) in &buffers {
        // Not rounded: a few values, whose order decides the routing.
        plan.push(planned(name.clone(), vec![buffer.len()], Dtype::F32));
    }
    let zeros = without_effect(layout, source.model).map_err(Error::config(folder))?;
    let count = |shape: &Vec<usize>| shape.iter().product::<usize>();
    let zero_values: usize = zeros.iter().map(|(_, shape)| count(shape)).sum();
    plan.extend(
        zeros
            .into_iter()
            .map(|(name, shape)| planned(name, shape, dtype)),
    );
    let mut writer = TensorWriter::new(folder, plan, FILE_BYTES);
    write_parameters(&mut writer, decoder, layout, config)?;
    for table in decoder.tables() {
        write_table(&mut writer, table)?;
    }
    for (_, buffer) in &buffers {
        writer.append(&buffer.values())?;
    }
    writer.append(&vec![0.0; zero_values])?;
    writer.finish()
}

fn write_parameters(
    writer: &mut TensorWriter,
    decoder: &Decoder,
    layout: Layout,
    config: &DecoderConfig,
) -> Result<(), Error> {
    let mut result = Ok(());
    let mut each = EachPiece(
        |name: &str, shape: &[usize], values: &dyn Fn() -> Vec<f32>| {
            if result.is_err() {
                return;
            }
            let values = values();
            let pieces = pieces(layout, config, name, shape).unwrap_or_default();
            result =
                pieces
                    .iter()
                    .try_for_each(|piece| match matrix_columns(piece, shape, &values) {
                        Some(transposed) => writer.append(&transposed),
                        None => writer.append(&values),
                    });
        },
    );
    for_each_parameter(decoder, &mut each);
    result
}

/// The values of `piece`, transposed; `None` if it is the whole parameter `[.., rows, columns]`.
fn matrix_columns(piece: &Piece, shape: &[usize], values: &[f32]) -> Option<Vec<f32>> {
    let Place::Columns { matrix, first } = piece.place else {
        return None;
    };
    let columns = *shape.last()?;
    let rows = if shape.len() > 1 {
        shape[shape.len() - 2]
    } else {
        1
    };
    let of_matrix = &values[matrix * rows * columns..][..rows * columns];
    let own: Range<usize> = first..first + piece.shape[0];
    let transposed =
        own.flat_map(|column| (0..rows).map(move |row| of_matrix[row * columns + column]));
    Some(transposed.collect())
}

fn write_table(writer: &mut TensorWriter, table: &ValueTable) -> Result<(), Error> {
    let rows_at_once = (TABLE_PIECE / table.width()).max(1);
    for first in (0..table.rows()).step_by(rows_at_once) {
        let rows = first..table.rows().min(first + rows_at_once);
        let values = table.piece(TablePart::Values, rows, 0..table.width());
        writer.append(&values.unwrap_or_default())?;
    }
    Ok(())
}

/// Calls a function with name, shape and values of each parameter.
struct EachPiece<F>(F);

impl<F: FnMut(&str, &[usize], &dyn Fn() -> Vec<f32>)> EachParameter for EachPiece<F> {
    fn parameter<const D: usize>(&mut self, name: &str, _: ParamId, values: Tensor<D>) {
        let shape = values.dims();
        (self.0)(name, &shape, &|| {
            values.clone().into_data().iter().collect()
        });
    }
}
