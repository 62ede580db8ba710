//! The configuration of a run as text, and the name of the run, a hash of everything that determines it.

use std::borrow::Cow;

use architectures::ModelConfig;
use serde::{Deserialize, Serialize};
use suites::Dataset;

use experiment::plan::Run;
use experiment::sweep_file::DataConfig;
use experiment::training::TrainingConfig;

/// Version of the run format; to be raised whenever an equal configuration would give another run.
const FORMAT: u32 = 4;

/// A run's name: 16 hexadecimal digits.
pub type RunId = String;

/// Everything that determines a run, and its labels and matching, which are columns of its row, so that equal models with
/// different labels or matching are different runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfiguration {
    /// Version of the run format.
    pub format: u32,
    /// Number format of products and tables, which the model's decoder states too if it is not f32.
    pub numeric_format: String,
    /// Label of the size.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// What was held equal between blocks.
    pub matching: String,
    /// Seed of the initial weights and of the data order.
    pub seed: u64,
    /// Optimizer steps.
    pub steps: usize,
    /// Training settings that were searched, and may differ between blocks that are compared; none without `[tune]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tuned: Vec<String>,
    /// Training data and evaluation suites.
    pub data: DataConfig,
    /// The training configuration.
    pub training: TrainingConfig,
    /// The model.
    pub model: ModelConfig,
}

/// The resolved configuration of a run, as TOML.
///
/// # Errors
/// If the configuration cannot be serialised as TOML.
pub fn configuration(run: &Run) -> Result<String, toml::ser::Error> {
    toml::to_string(&RunConfiguration {
        format: FORMAT,
        numeric_format: run.model.decoder.numeric_format.name().to_owned(),
        size: run.label.size.clone(),
        block: run.label.block.clone(),
        matching: run.matching.clone(),
        seed: run.label.seed,
        steps: run.budget.steps,
        tuned: run.tuning.settings.clone(),
        data: run.data.clone(),
        training: run.training.clone(),
        model: run.model.clone(),
    })
}

impl RunConfiguration {
    /// The configuration in the row of a run.
    ///
    /// # Errors
    /// If the text is not a configuration, or one of another run format, of which this program would make another run.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(one_line)?;
        let format = table.get("format").and_then(toml::Value::as_integer);
        if format != Some(i64::from(FORMAT)) {
            let format = format.map_or("no format".to_owned(), |format| format!("format {format}"));
            return Err(format!(
                "has {format}, and this program runs format {FORMAT}"
            ));
        }
        Self::deserialize(table).map_err(one_line)
    }
}

fn one_line(error: toml::de::Error) -> String {
    format!("has an unreadable configuration ({})", error.message())
}

/// The name of the run of this configuration on this data. It depends on the content of source files, by the fingerprint of the data,
/// and not on where they are.
pub fn run_id(configuration: &str, dataset: &Dataset) -> RunId {
    hash([
        &without_paths(configuration),
        &dataset.fingerprint,
        dataset.tokenizer.fingerprint(),
    ])
}

/// The configuration without the paths of corpora and of the tokenizer, by which runs are compared; unchanged if it has none.
pub fn without_paths(configuration: &str) -> Cow<'_, str> {
    // Most have none, and records of thousands of runs are compared.
    if !configuration.contains("path") {
        return configuration.into();
    }
    let Ok(mut table) = configuration.parse::<toml::Table>() else {
        return configuration.into();
    };
    let Some(toml::Value::Table(data)) = table.get_mut("data") else {
        return configuration.into();
    };
    let mut has_paths = false;
    let mut remove = |section: Option<&mut toml::Value>, key: &str| {
        if let Some(toml::Value::Table(section)) = section {
            has_paths |= section.remove(key).is_some();
        }
    };
    remove(data.get_mut("tokenizer"), "path");
    if let Some(toml::Value::Table(corpora)) = data.get_mut("corpora") {
        corpora
            .iter_mut()
            .for_each(|(_, corpus)| remove(Some(corpus), "paths"));
    }
    match has_paths {
        true => table.to_string().into(),
        false => configuration.into(),
    }
}

/// BLAKE3 of the parts, as 16 hexadecimal digits. Each part is preceded by its length, so that moving text between
/// parts changes the hash.
pub(crate) fn hash<const N: usize>(parts: [&str; N]) -> RunId {
    hash_all(parts.into_iter())
}

/// [`hash`] of any number of parts.
pub(crate) fn hash_all<'a>(parts: impl Iterator<Item = &'a str>) -> RunId {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use experiment::plan::Plan;
    use experiment::sweep_file::Sweep;

    fn configurations(change: impl Fn(String) -> String) -> Vec<String> {
        let text = change(experiment::testing::SWEEP.to_owned());
        let plan = Plan::new(Sweep::parse("f.toml", &text).unwrap()).unwrap();
        plan.runs
            .iter()
            .map(|run| configuration(run).unwrap())
            .collect()
    }

    #[test]
    fn configuration_depends_on_what_determines_the_run_only() {
        let base = configurations(|text| text);
        assert_ne!(
            base,
            configurations(|text| text.replace("[sizes.xs]", "[sizes.tiny]"))
        );
        assert_eq!(
            base,
            configurations(|text| text.replace("[blocks.memory]", "[blocks.\"memory\"]\n"))
        );
        for (from, to) in [
            ("seeds = [0]", "seeds = [1]"),
            ("people = 12", "people = 13"),
            ("vocab_size = 400", "vocab_size = 401"),
            ("seq_len = 32", "seq_len = 64"),
            ("batch_size = 4", "batch_size = 4\nwarmup = 0.5"),
            ("batch_size = 4", "batch_size = 4\ntable_moments = \"bf16\""),
            ("seq_len = 32", "seq_len = 32\nnumeric_format = \"bf16\""),
        ] {
            let changed = configurations(|text| text.replace(from, to));
            assert!(base.iter().zip(&changed).all(|(a, b)| a != b), "{from}");
        }
        let changed = configurations(|text| text.replace("top_k = 4", "top_k = 2"));
        assert_eq!(base[0], changed[0]);
        assert_ne!(base[1], changed[1]);
    }

    #[test]
    fn the_default_format_leaves_names_as_they_were_and_another_is_stated() {
        let base = configurations(|text| text);
        let stated = |format: &str, moments: &str| {
            let decoder = format!("seq_len = 32\nnumeric_format = \"{format}\"");
            let training = format!("batch_size = 4\ntable_moments = \"{moments}\"");
            configurations(|text| {
                let text = text.replace("seq_len = 32", &decoder);
                text.replace("batch_size = 4", &training)
            })
        };
        assert_eq!(stated("f32", "f32"), base);
        for text in stated("bf16", "bf16") {
            let table: toml::Table = text.parse().unwrap();
            assert_eq!(table["numeric_format"].as_str(), Some("bf16"));
            let decoder = &table["model"]["decoder"];
            assert_eq!(decoder["numeric_format"].as_str(), Some("bf16"));
            assert_eq!(table["training"]["table_moments"].as_str(), Some("bf16"));
        }
    }

    #[test]
    fn a_configuration_is_valid_toml() {
        for text in configurations(|text| text) {
            let table: toml::Table = text.parse().unwrap();
            assert!(table["model"]["decoder"]["d_model"].is_integer());
        }
    }

    #[test]
    fn a_parsed_configuration_is_written_as_before() {
        for text in configurations(|text| text) {
            let parsed = RunConfiguration::parse(&text).unwrap();
            assert_eq!(toml::to_string(&parsed).unwrap(), text);
        }
    }

    #[test]
    fn names_depend_on_corpora_and_not_on_their_paths() {
        let section = |path: &str, rest: &str| {
            let corpus = format!("\n[corpus.a]\npaths = \"{path}\"\n{rest}\n");
            configurations(|text| text.replace("[suites]", &format!("{corpus}[suites]")))
        };
        let names = |configurations: Vec<String>| -> Vec<String> {
            let name = |text: &String| without_paths(text).into_owned();
            configurations.iter().map(name).collect()
        };
        let base = configurations(|text| text);
        assert_eq!(names(base.clone()), base);
        let first = section("texts/*.txt", "");
        assert!(
            first
                .iter()
                .all(|text| RunConfiguration::parse(text).is_ok())
        );
        assert_ne!(first, section("elsewhere", ""));
        assert_eq!(names(first.clone()), names(section("elsewhere", "")));
        assert_ne!(names(first), names(section("texts/*.txt", "weight = 2")));
    }

    #[test]
    fn another_format_is_an_error() {
        let text = configurations(|text| text)[0].replace("format = 4", "format = 3");
        let error = RunConfiguration::parse(&text).unwrap_err();
        assert_eq!(error, "has format 3, and this program runs format 4");
    }

    #[test]
    fn the_hash_depends_on_the_boundaries_of_parts() {
        assert_ne!(hash(["ab", "c", ""]), hash(["a", "bc", ""]));
        assert_eq!(hash(["", "", ""]).len(), 16);
    }
}
