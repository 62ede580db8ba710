//! The keys of a JSON object, each of which is to be taken.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::Error;

/// Keys that have no effect on what a trained model computes, or repeat what the files say.
const WITHOUT_EFFECT: &[&str] = &[
    "_attn_implementation_autoset",
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "bos_token_id",
    "dtype",
    "initializer_range",
    "model_type",
    "output_router_logits",
    "pad_token_id",
    // Divides matrix products into parts with equal results.
    "pretraining_tp",
    "router_aux_loss_coef",
    // Noise of training.
    "router_jitter_noise",
    "torch_dtype",
    "transformers_version",
    "unk_token_id",
    "use_cache",
];

/// The keys of one object that are not taken yet.
pub struct Keys {
    path: PathBuf,
    /// What precedes a key in messages: the key of the object that has it, with a dot.
    prefix: String,
    map: Map<String, Value>,
}

impl Keys {
    /// The keys of `map`, which is in the file `path`.
    pub fn new(path: &Path, map: Map<String, Value>) -> Self {
        Self {
            path: path.to_owned(),
            prefix: String::new(),
            map,
        }
    }

    /// Takes a key whose value is an object; `None` if it is missing or null.
    pub fn object(&mut self, key: &str) -> Result<Option<Self>, Error> {
        let map = self.typed(key, "an object or null", |value| value.as_object().cloned())?;
        Ok(map.map(|map| Self {
            path: self.path.clone(),
            prefix: format!("{key}."),
            map,
        }))
    }

    /// An error of the key `key`.
    pub fn error(&self, key: &str, problem: impl AsRef<str>, remedy: impl Into<String>) -> Error {
        Error::content(
            &self.path,
            format!("has `{}{key}` {}", self.prefix, problem.as_ref()),
            remedy,
        )
    }

    /// Takes a key; `None` if it is missing or null.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &mut self,
        key: &str,
        expected: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let problem = || {
            self.error(
                key,
                format!("= {}", brief(&value)),
                format!("it must be {expected}"),
            )
        };
        convert(&value).map(Some).ok_or_else(problem)
    }

    /// Takes an integer.
    pub fn integer(&mut self, key: &str) -> Result<Option<usize>, Error> {
        self.typed(key, "an integer of 0 or more", |value| {
            value.as_u64().and_then(|value| value.try_into().ok())
        })
    }

    /// Takes a number.
    pub fn number(&mut self, key: &str) -> Result<Option<f64>, Error> {
        self.typed(key, "a number", Value::as_f64)
    }

    /// Takes a boolean.
    pub fn boolean(&mut self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// `value` of `key`, or an error if there is none.
    pub fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        let missing = || {
            Error::content(
                &self.path,
                format!("has no `{}{key}`", self.prefix),
                "add it: its default differs between versions",
            )
        };
        value.ok_or_else(missing)
    }

    /// Takes `key`, which must be missing, null or one of `allowed`.
    pub fn only(&mut self, key: &str, allowed: &[Value], function: &str) -> Result<(), Error> {
        match self.take(key) {
            Some(value) if !allowed.contains(&value) => {
                let problem = format!("= {}: {function}", brief(&value));
                Err(self.error(key, problem, "choose a model without it"))
            }
            _ => Ok(()),
        }
    }

    /// Fails if a key is left that may change the function.
    pub fn finish(self) -> Result<(), Error> {
        let left = self
            .map
            .iter()
            .find(|(key, value)| !value.is_null() && !WITHOUT_EFFECT.contains(&key.as_str()));
        let Some((key, value)) = left else {
            return Ok(());
        };
        let problem = format!("= {}, which is not supported", brief(value));
        let remedy = "remove it from the file if it does not change what the model computes";
        Err(self.error(key, problem, remedy))
    }
}

/// The beginning of a value's text.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
