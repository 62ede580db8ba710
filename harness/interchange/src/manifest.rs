//! `isoflop.json`: what an exported folder contains.
//!
//! The file is one JSON object with the description and the BLAKE3 hash of its text, so that a changed description is recognised
//! too.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use architectures::ModelConfig;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::block_tensors::{self, LayerTensors};
use crate::error::Error;
use crate::json_file;
use crate::layout::Layout;
use crate::weight_type::WeightType;

/// Name of the file.
pub const FILE: &str = "isoflop.json";
/// Version of the folder.
const FORMAT: u32 = 1;

/// The description of an exported folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the folder.
    pub format: u32,
    /// Arrangement of the tensors.
    pub layout: Layout,
    /// Number format of the weights.
    pub weights: WeightType,
    /// The exported model, such as the name of a run.
    pub source: String,
    /// Id of the token that ends a text.
    pub end_token: u32,
    /// The model.
    pub model: ModelConfig,
    /// The blocks of each layer and their tensors; only in the layout of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<LayerTensors>>,
    /// Every other file of the folder.
    pub files: Vec<HashedFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashed {
    blake3: String,
    description: Box<RawValue>,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// A file and its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashedFile {
    /// File name without folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content, hexadecimal.
    pub blake3: String,
}

impl HashedFile {
    /// The file `name` of `folder`, as it is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(folder: &Path, name: &str) -> Result<Self, Error> {
        let path = folder.join(name);
        let mut file = File::open(&path).map_err(Error::io("open", &path))?;
        let (mut hasher, mut bytes, mut buffer) = (blake3::Hasher::new(), 0, vec![0; 1 << 20]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    bytes += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &path)(error)),
            }
        }
        Ok(Self {
            name: name.to_owned(),
            bytes,
            blake3: hasher.finalize().to_hex().to_string(),
        })
    }
}

impl Manifest {
    /// A description without files.
    ///
    /// # Errors
    /// If the model is invalid.
    pub fn new(
        layout: Layout,
        weights: WeightType,
        (source, end_token): (&str, u32),
        model: &ModelConfig,
    ) -> Result<Self, architectures::ConfigError> {
        let layers = match layout.is_of_transformers() {
            true => None,
            false => Some(block_tensors::layers(model)?),
        };
        Ok(Self {
            format: FORMAT,
            layout,
            weights,
            source: source.to_owned(),
            end_token,
            model: model.clone(),
            layers,
            files: Vec::new(),
        })
    }

    /// Writes the description to `folder`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE);
        let description = serde_json::to_string_pretty(self)
            .map_err(|error| Error::io("write", &path)(error.into()))?;
        let hash = blake3::hash(description.as_bytes()).to_hex();
        let text = format!("{{\"blake3\": \"{hash}\",\n\"description\": {description}}}\n");
        fs::write(&path, text).map_err(Error::io("write", &path))
    }

    /// Reads the description of `folder` and compares every file with its hash; `None` if the folder has no description.
    ///
    /// # Errors
    /// If the description is invalid or of another version, or a file is missing or was changed.
    pub fn verified(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let hashed: Hashed = json_file::read(&path)?;
        let text = hashed.description.get();
        let invalid = |problem: String| Error::content(&path, problem, "export the model again");
        if blake3::hash(text.as_bytes()).to_hex().as_str() != hashed.blake3 {
            return Err(invalid("differs from its own hash".to_owned()));
        }
        let unreadable = |error: serde_json::Error| invalid(format!("is invalid: {error}"));
        let version: Version = serde_json::from_str(text).map_err(unreadable)?;
        if version.format != FORMAT {
            return Err(invalid(format!(
                "has format {}, not {FORMAT}",
                version.format
            )));
        }
        let manifest: Self = serde_json::from_str(text).map_err(unreadable)?;
        for file in &manifest.files {
            let is_plain = !file.name.contains(['/', '\\']) && !file.name.starts_with('.');
            if !is_plain {
                let problem = format!("names the file {:?}, which is not in its folder", file.name);
                return Err(invalid(problem));
            }
            if HashedFile::of(folder, &file.name)? != *file {
                let problem = format!("differs from its hash in {FILE}");
                let remedy = match manifest.layout.is_of_transformers() {
                    true => format!(
                        "export the model again, or delete {FILE} if the change is intended"
                    ),
                    false => "export the model again".to_owned(),
                };
                return Err(Error::content(&folder.join(&file.name), problem, remedy));
            }
        }
        Ok(Some(manifest))
    }
}
