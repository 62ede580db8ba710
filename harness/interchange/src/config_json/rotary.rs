//! Rotary frequencies in `config.json`: `rope_theta` and `rope_scaling`, or `rope_parameters` of transformers 5 with both.

use architectures::{Rotary, RotaryScaling};
use serde_json::{Value, json};

use super::keys::Keys;
use crate::error::Error;

/// Base where old files of Llama state none.
const OLD_THETA: f64 = 10_000.0;

/// Reads the frequencies.
///
/// # Arguments
/// * `has_old_files`: the base may be missing.
///
/// # Errors
/// If they are scaled otherwise than linearly or as in Llama 3, or a value is missing or invalid.
pub fn rotary(keys: &mut Keys, has_old_files: bool) -> Result<Rotary, Error> {
    let mut theta = keys.number("rope_theta")?;
    let mut scaling = None;
    for key in ["rope_scaling", "rope_parameters"] {
        let Some(mut options) = keys.object(key)? else {
            continue;
        };
        theta = options.number("rope_theta")?.or(theta);
        // Files of some versions have both.
        let (named, typed) = (options.take("rope_type"), options.take("type"));
        let kind = named.or(typed).unwrap_or(json!("default"));
        scaling = match kind.as_str() {
            Some("default") => None,
            Some("linear") => Some(RotaryScaling::Linear {
                factor: number(&mut options, "factor")?,
            }),
            Some("llama3") => Some(llama3(&mut options)?),
            _ => {
                let problem = format!("= {kind}: only linear and llama3 are supported");
                return Err(options.error("rope_type", problem, "choose another model"));
            }
        };
        options.finish()?;
    }
    if has_old_files {
        theta = theta.or(Some(OLD_THETA));
    }
    Ok(Rotary {
        theta: keys.required("rope_theta", theta)?,
        scaling,
    })
}

fn number(options: &mut Keys, key: &str) -> Result<f64, Error> {
    let value = options.number(key)?;
    options.required(key, value)
}

fn llama3(options: &mut Keys) -> Result<RotaryScaling, Error> {
    let original = options.integer("original_max_position_embeddings")?;
    Ok(RotaryScaling::Llama3 {
        factor: number(options, "factor")?,
        low_freq_factor: number(options, "low_freq_factor")?,
        high_freq_factor: number(options, "high_freq_factor")?,
        original_seq_len: options.required("original_max_position_embeddings", original)?,
    })
}

/// `rope_scaling` for `scaling`.
pub fn scaling_json(scaling: Option<RotaryScaling>) -> Value {
    match scaling {
        None => Value::Null,
        Some(RotaryScaling::Linear { factor }) => {
            json!({"rope_type": "linear", "factor": factor})
        }
        Some(RotaryScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_seq_len,
        }) => json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low_freq_factor,
            "high_freq_factor": high_freq_factor,
            "original_max_position_embeddings": original_seq_len,
        }),
    }
}
