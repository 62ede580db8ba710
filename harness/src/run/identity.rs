//! The configuration of a run as text, and the name of the run, a hash of everything that determines it.

use serde::Serialize;
use suites::Dataset;

use experiment::plan::{Plan, Run};
use experiment::sweep_file::DataConfig;
use experiment::training::TrainingConfig;

/// Version of the run format; to be raised whenever an equal configuration would give another run.
const FORMAT: u32 = 4;

/// Number format of the arithmetic.
pub(crate) const NUMERIC_FORMAT: &str = "f32";

/// A run's name: 16 hexadecimal digits.
pub type RunId = String;

/// The resolved configuration of a run, as TOML. It includes the labels and the matching, which are columns of a run's
/// row, so that equal models with different labels or matching are different runs.
///
/// # Errors
/// If the configuration cannot be serialised as TOML.
pub fn configuration(plan: &Plan, run: &Run) -> Result<String, toml::ser::Error> {
    #[derive(Serialize)]
    struct RunConfiguration<'a> {
        format: u32,
        numeric_format: &'static str,
        size: &'a str,
        block: &'a str,
        matching: String,
        seed: u64,
        steps: usize,
        data: &'a DataConfig,
        training: &'a TrainingConfig,
        model: &'a architectures::ModelConfig,
    }
    toml::to_string(&RunConfiguration {
        format: FORMAT,
        numeric_format: NUMERIC_FORMAT,
        size: &run.label.size,
        block: &run.label.block,
        matching: plan.sweep.matching.to_string(),
        seed: run.label.seed,
        steps: run.budget.steps,
        data: &plan.sweep.data,
        training: &run.training,
        model: &run.model,
    })
}

/// The name of the run of this configuration on this data.
pub fn run_id(configuration: &str, dataset: &Dataset) -> RunId {
    hash([
        configuration,
        &dataset.fingerprint,
        dataset.tokenizer.fingerprint(),
    ])
}

/// BLAKE3 of the parts, as 16 hexadecimal digits. Each part is preceded by its length, so that moving text between
/// parts changes the hash.
pub(crate) fn hash<const N: usize>(parts: [&str; N]) -> RunId {
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
    use experiment::sweep_file::Sweep;

    fn configurations(change: impl Fn(String) -> String) -> Vec<String> {
        let text = change(experiment::testing::SWEEP.to_owned());
        let plan = Plan::new(Sweep::parse("f.toml", &text).unwrap()).unwrap();
        plan.runs
            .iter()
            .map(|run| configuration(&plan, run).unwrap())
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
        ] {
            let changed = configurations(|text| text.replace(from, to));
            assert!(base.iter().zip(&changed).all(|(a, b)| a != b), "{from}");
        }
        let changed = configurations(|text| text.replace("top_k = 4", "top_k = 2"));
        assert_eq!(base[0], changed[0]);
        assert_ne!(base[1], changed[1]);
    }

    #[test]
    fn a_configuration_is_valid_toml() {
        for text in configurations(|text| text) {
            let table: toml::Table = text.parse().unwrap();
            assert!(table["model"]["decoder"]["d_model"].is_integer());
        }
    }

    #[test]
    fn the_hash_depends_on_the_boundaries_of_parts() {
        assert_ne!(hash(["ab", "c", ""]), hash(["a", "bc", ""]));
        assert_eq!(hash(["", "", ""]).len(), 16);
    }
}
