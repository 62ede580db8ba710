//! What a folder is: its configuration, its tokenizer and its fingerprint.

use std::path::Path;

use architectures::ModelConfig;
use corpora::{EndToken, Tokenizer};
use serde::Deserialize;

use crate::error::Error;
use crate::layout::Layout;
use crate::manifest::{self, HashedFile, Manifest};
use crate::tensor_reader::TensorReader;
use crate::{TOKENIZER, config_json, json_file};

/// What a folder says without its weights being read.
pub struct Description {
    pub layout: Layout,
    pub model: ModelConfig,
    pub end_token: Option<u32>,
    /// The file of the configuration.
    pub file: &'static str,
    /// Hashes of the files, if they are known.
    pub files: Vec<HashedFile>,
}

/// The description of `folder`, by `isoflop.json`, with whose hashes all files are compared, or by `config.json`.
///
/// # Errors
/// If there is neither, or it is invalid.
pub fn describe(folder: &Path) -> Result<Description, Error> {
    if !folder.is_dir() {
        let remedy = "give a folder with config.json, tokenizer.json and safetensors files";
        return Err(Error::content(folder, "is no folder", remedy));
    }
    if let Some(manifest) = Manifest::verified(folder)? {
        return Ok(Description {
            layout: manifest.layout,
            model: manifest.model,
            end_token: Some(manifest.end_token),
            file: manifest::FILE,
            files: manifest.files,
        });
    }
    let path = folder.join(config_json::FILE);
    let config = config_json::read(&path)?;
    Ok(Description {
        layout: config.layout,
        model: config.model,
        end_token: config.end_token,
        file: config_json::FILE,
        files: Vec::new(),
    })
}

/// The tokenizer, whose ids are those of the model.
///
/// # Errors
/// If it cannot be read, has more ids than the model, or its end token is not known.
pub fn tokenizer(folder: &Path, description: &Description) -> Result<Tokenizer, Error> {
    let path = folder.join(TOKENIZER);
    let tokenizer = match description.end_token {
        Some(id) => Tokenizer::from_file(&path, EndToken::Id(id))?,
        None => Tokenizer::from_file(&path, EndToken::Text(&end_text(folder)?))?,
    };
    let (ids, rows) = (tokenizer.vocab_size(), description.model.decoder.vocab_size);
    if ids > rows {
        let problem = format!("has ids up to {}, and the model {rows} token ids", ids - 1);
        return Err(Error::content(
            &path,
            problem,
            "use the tokenizer of the model",
        ));
    }
    Ok(tokenizer)
}

/// `eos_token` of `tokenizer_config.json`, a text or an object with `content`.
fn end_text(folder: &Path) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Special {
        eos_token: Option<serde_json::Value>,
    }
    let path = folder.join("tokenizer_config.json");
    let special: Special = json_file::read(&path)?;
    let token = special.eos_token.unwrap_or_default();
    let text = token.as_str().or_else(|| token["content"].as_str());
    let none = || {
        let remedy = "state the token that ends a text there, or `eos_token_id` in config.json";
        Error::content(&path, "has no `eos_token`", remedy)
    };
    text.map(str::to_owned).ok_or_else(none)
}

/// One hash of configuration, tokenizer and weights.
///
/// # Errors
/// If a file cannot be read.
pub fn fingerprint(
    folder: &Path,
    reader: &TensorReader,
    description: &Description,
) -> Result<String, Error> {
    let model = serde_json::to_string(&description.model)
        .map_err(|error| Error::io("serialise the model of", folder)(error.into()))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{:?} {model}\n", description.layout).as_bytes());
    let weights = reader
        .files()
        .iter()
        .filter_map(|file| file.file_name()?.to_str());
    for name in weights.chain([TOKENIZER]) {
        let known = description.files.iter().find(|file| file.name == name);
        let file = match known {
            Some(file) => file.clone(),
            None => HashedFile::of(folder, name)?,
        };
        hasher.update(format!("{} {}\n", file.name, file.blake3).as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}
