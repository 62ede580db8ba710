//! What a run is, as text, and its name: the hash of everything that determines it.

use serde::Serialize;
use suites::Dataset;

use experiment::plan::{Plan, Run};
use experiment::sweep_file::DataConfig;
use experiment::training::TrainingConfig;

/// Raised when the same configuration would no longer give the same run.
const FORMAT: u32 = 4;

/// What arithmetic is done in.
pub(crate) const NUMERIC_FORMAT: &str = "f32";

/// A run's name: 16 hexadecimal digits.
pub type RunId = String;

/// The resolved configuration of a run, as TOML. Labels and matching are part of it: a row says them, so a row of
/// another label or matching is another run, also where the model is the same.
pub fn configuration(plan: &Plan, run: &Run) -> Result<String, toml::ser::Error> {
    #[derive(Serialize)]
    struct Resolved<'a> {
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
    toml::to_string(&Resolved {
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

/// Each part with its length, so that moving text between parts changes the hash.
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
    fn what_determines_a_run_changes_its_configuration_and_nothing_else_does() {
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
    fn a_configuration_is_toml_that_reads_back() {
        for text in configurations(|text| text) {
            let table: toml::Table = text.parse().unwrap();
            assert!(table["model"]["decoder"]["d_model"].is_integer());
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash(["ab", "c", ""]), hash(["a", "bc", ""]));
        assert_eq!(hash(["", "", ""]).len(), 16);
    }
}
