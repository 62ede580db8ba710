//! How often a run is trained on the facts of its suites.

use experiment::budget::TrainingBudget;
use experiment::training::{SHUFFLE_BLOCK, stream_tokens};
use results::ExposureRow;
use suites::Dataset;

/// The rows of the run `id` with this budget in windows of `seq_len` tokens, by the length of the first epoch.
///
/// Windows are shuffled within blocks, so that of the last block any window may be left out: bounds are those of the whole blocks
/// and of all blocks. A document that crosses windows counts as one.
pub fn exposure_rows(
    id: &str,
    budget: &TrainingBudget,
    seq_len: usize,
    dataset: &Dataset,
) -> Vec<ExposureRow> {
    let epochs = |tokens: u64| {
        tokens as f64 * dataset.suite_share / dataset.suite_epoch_tokens.max(1) as f64
    };
    let block = SHUFFLE_BLOCK * seq_len as u64;
    let least = epochs(budget.tokens / block * block).floor();
    let most = epochs(stream_tokens(budget.tokens, seq_len)).ceil();
    let suites = dataset.suites.iter();
    let groups = suites.flat_map(|suite| {
        let name = suite.name();
        suite
            .exposures()
            .into_iter()
            .map(move |group| (name, group))
    });
    groups
        .map(|(suite, group)| ExposureRow {
            run: id.to_owned(),
            suite: suite.to_owned(),
            split: group.split.to_owned(),
            form: group.form.to_owned(),
            facts: group.facts as u64,
            mean: group.per_epoch * epochs(budget.tokens),
            least: group.equal.then_some(group.per_epoch * least),
            most: group.equal.then_some(group.per_epoch * most),
        })
        .collect()
}
