//! Takes the parameters of a model in a folder as the initial ones of another model, such as that of a dense decoder with memories
//! in some layers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use architectures::{Decoder, DecoderConfig, ModelConfig, for_each_parameter};
use corpora::Tokenizer;
use serde_json::Value;

use crate::block_tensors;
use crate::description::{Description, describe, fingerprint, tokenizer};
use crate::error::Error;
use crate::import::{NamedShapes, ParameterPieces, load_parameters, read_buffer, read_table};
use crate::layout::Layout;
use crate::names::pieces;
use crate::tensor_reader::{TensorReader, missing};

/// Hexadecimal digits of a fingerprint that identify it.
const FINGERPRINT_DIGITS: usize = 16;

/// The source of initial parameters.
pub struct InitialWeights<'a> {
    /// The folder of a model, as of [`crate::import()`].
    pub folder: &'a Path,
    /// The first digits of its fingerprint, at least 16; without them it is an error that states them.
    pub fingerprint: Option<&'a str>,
    /// The tokenizer of the model that is initialised, which must be that of the folder.
    pub tokenizer: &'a Tokenizer,
}

/// A decoder with parameters of another model.
#[derive(Debug)]
pub struct Initialised {
    /// The decoder.
    pub decoder: Decoder,
    /// Fingerprint of the source, 64 hexadecimal digits.
    pub fingerprint: String,
    /// Parameters that were taken, those of value tables included.
    pub taken: u64,
    /// All parameters of the decoder.
    pub parameters: u64,
}

/// Replaces those parameters of `decoder`, of the configuration `model`, that the source has too: of the same name, the same shape
/// and the same kind of block.
///
/// # Errors
/// If the folder is invalid or has another fingerprint or tokenizer, or its decoder has other dimensions.
pub fn initialise(
    decoder: Decoder,
    model: &ModelConfig,
    from: &InitialWeights,
) -> Result<Initialised, Error> {
    let folder = from.folder;
    let source = describe(folder)?;
    let reader = TensorReader::open(folder)?;
    let fingerprint = fingerprint(folder, &reader, &source)?;
    let given = from.fingerprint.unwrap_or_default();
    if given.len() < FINGERPRINT_DIGITS || !fingerprint.starts_with(given) {
        let own = &fingerprint[..FINGERPRINT_DIGITS];
        let problem = match from.fingerprint {
            Some(given) => format!("has the fingerprint {own}, not {given}"),
            None => format!("has the fingerprint {own}, which is not stated"),
        };
        let remedy = format!("write `fingerprint = \"{own}\"` if this is the intended model");
        return Err(Error::content(folder, problem, remedy));
    }
    if tokenizer(folder, &source)?.fingerprint() != from.tokenizer.fingerprint() {
        let problem = "has another tokenizer than the model that is initialised";
        let remedy = "train with the tokenizer of the folder: other token ids have other meanings";
        return Err(Error::content(folder, problem, remedy));
    }
    check_dimensions(folder, &source.model.decoder, &model.decoder)?;

    let is_common = common_blocks(folder, &source, model)?;
    let parts = common_parameters(&decoder, (folder, &source), model, &reader, &is_common)?;
    let count = |shape: &[usize]| shape.iter().product::<usize>() as u64;
    let mut taken = parts.values().map(|(shape, _)| count(shape)).sum::<u64>();
    let decoder = load_parameters(&reader, &parts, decoder)?;
    if source.layout == Layout::Isoflop {
        let tables = block_tensors::tables(model).map_err(Error::config(folder))?;
        for (name, table) in tables.iter().zip(decoder.tables()) {
            let shape = [table.rows(), table.width()];
            let found = reader.find(name).is_some_and(|(found, _)| *found == shape);
            if found && (is_common(name) || name.starts_with("shared.")) {
                read_table(&reader, name, table)?;
                taken += count(&shape);
            }
        }
        for (name, buffer) in
            block_tensors::buffers(model, &decoder).map_err(Error::config(folder))?
        {
            let shape = [buffer.len()];
            if is_common(&name) && reader.find(&name).is_some_and(|(found, _)| *found == shape) {
                read_buffer(&reader, &name, buffer)?;
            }
        }
    }
    let cost = model.cost().map_err(Error::config(folder))?;
    Ok(Initialised {
        decoder,
        fingerprint,
        taken,
        parameters: cost.params_dense + cost.params_table,
    })
}

/// Fails if a dimension differs that all parameters depend on, or that gives equal parameters another function.
fn check_dimensions(
    folder: &Path,
    source: &DecoderConfig,
    own: &DecoderConfig,
) -> Result<(), Error> {
    let dimensions = |decoder: &DecoderConfig| -> [(&'static str, Value); 10] {
        [
            ("vocab_size", decoder.vocab_size.into()),
            ("d_model", decoder.d_model.into()),
            ("n_layers", decoder.n_layers.into()),
            ("n_heads", decoder.n_heads.into()),
            ("n_kv_heads", decoder.kv_heads().into()),
            ("rope_theta", decoder.rope_theta.into()),
            (
                "rope_scaling",
                serde_json::to_value(decoder.rope_scaling).unwrap_or_default(),
            ),
            ("norm_eps", decoder.norm_eps.into()),
            ("tie_embeddings", decoder.tie_embeddings.into()),
            ("qkv_bias", decoder.qkv_bias.into()),
        ]
    };
    let pairs = dimensions(source).into_iter().zip(dimensions(own));
    let mut differing = pairs.filter(|(source, own)| source != own);
    let Some(((key, source), (_, own))) = differing.next() else {
        return Ok(());
    };
    let problem = format!("has {key} = {source}, and the model that is initialised {own}");
    Err(Error::content(
        folder,
        problem,
        format!("set `{key}` to {source}"),
    ))
}

/// Whether a tensor in the layout of this project belongs to no block, or to one of the same kind in both models. The names of the
/// layout do not contain the kinds of blocks.
fn common_blocks(
    folder: &Path,
    source: &Description,
    model: &ModelConfig,
) -> Result<impl Fn(&str) -> bool, Error> {
    let kinds = |model: &ModelConfig| -> Result<BTreeMap<String, &'static str>, Error> {
        let blocks = block_tensors::blocks(model).map_err(Error::config(folder))?;
        let kinds = blocks
            .into_iter()
            .map(|block| (block.prefix + ".", block.block.kind()));
        Ok(kinds.collect())
    };
    let (source, own) = (kinds(&source.model)?, kinds(model)?);
    let differing: BTreeSet<String> = own
        .into_iter()
        .filter(|(prefix, kind)| source.get(prefix) != Some(kind))
        .map(|(prefix, _)| prefix)
        .collect();
    Ok(move |name: &str| !differing.iter().any(|prefix| name.starts_with(prefix)))
}

/// The parameters of `decoder` whose tensors the source has; of those outside blocks, all.
fn common_parameters(
    decoder: &Decoder,
    (folder, source): (&Path, &Description),
    model: &ModelConfig,
    reader: &TensorReader,
    is_common: &impl Fn(&str) -> bool,
) -> Result<ParameterPieces, Error> {
    let mut specs = NamedShapes(Vec::new());
    for_each_parameter(decoder, &mut specs);
    let mut parts = ParameterPieces::new();
    for (name, shape) in specs.0 {
        let Some(pieces) = pieces(source.layout, &model.decoder, &name, &shape) else {
            continue;
        };
        let lacking = pieces.iter().find(|piece| {
            let found = reader.find(&piece.name);
            found.is_none_or(|(found, _)| *found != piece.shape)
                || (source.layout == Layout::Isoflop && !is_common(&piece.name))
        });
        let is_of_block = [".block.", ".beside.", ".before_attention."]
            .iter()
            .any(|part| name.contains(part));
        match lacking {
            None => {
                parts.insert(name, (shape, pieces));
            }
            // The dimensions are equal, so that the files are not those of the configuration.
            Some(piece) if !is_of_block => return Err(missing(folder, &piece.name)),
            Some(_) => {}
        }
    }
    Ok(parts)
}
