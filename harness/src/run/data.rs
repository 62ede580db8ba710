//! The data of a plan.

use experiment::budget::Tokens;
use experiment::plan::Plan;
use suites::Dataset;

use crate::error::Error;
use crate::record::folders::Folders;

/// The tokenizer, the suites and at least `tokens` training tokens of a plan, from the cache if they are there.
///
/// # Errors
/// If the data cannot be prepared, or if `seq_len` of a decoder is longer than the held-out set or shorter than a
/// question with its answer.
pub fn prepare(plan: &Plan, tokens: Tokens, folders: &Folders) -> Result<Dataset, Error> {
    let data = &plan.sweep.data;
    let dataset = Dataset::prepare(
        &data.suites,
        data.seed,
        data.vocab_size,
        tokens,
        &folders.cache(),
    )?;
    tracing::info!(
        fingerprint = dataset.fingerprint,
        tokens = dataset.train.len(),
        "data prepared"
    );
    check_context_length(plan, &dataset)?;
    Ok(dataset)
}

/// Checks that every question with its answer fits into the context of every decoder of the plan: positions beyond
/// `seq_len` do not occur in training.
fn check_context_length(plan: &Plan, dataset: &Dataset) -> Result<(), Error> {
    let shortest = plan.runs.iter().map(|run| run.model.decoder.seq_len).min();
    let Some(seq_len) = shortest else {
        return Ok(());
    };
    let longest = plan.runs.iter().map(|run| run.model.decoder.seq_len).max();
    if let Some(longest) = longest.filter(|&longest| dataset.held_out.len() <= longest) {
        return Err(Error::Argument {
            argument: format!("`seq_len` = {longest}"),
            problem: format!(
                "exceeds the {} held-out tokens: no validation window fits",
                dataset.held_out.len()
            ),
            remedy: "lower `seq_len`, or enlarge the suites".to_owned(),
        });
    }
    for suite in &dataset.suites {
        for task in suite.tasks() {
            for item in &task.items {
                let text = format!("{}{}", item.prompt, item.expected);
                // One token for the separator before the prompt.
                let tokens = 1 + dataset.tokenizer.encode(&text)?.len();
                if tokens > seq_len {
                    return Err(Error::Argument {
                        argument: format!("`seq_len` = {seq_len}"),
                        problem: format!(
                            "is shorter than a question with its answer: {tokens} tokens ({} {}, {})",
                            suite.name(),
                            task.name,
                            item.id
                        ),
                        remedy: "raise `seq_len`, or raise `suites.vocab_size` so that texts have fewer tokens"
                            .to_owned(),
                    });
                }
            }
        }
    }
    Ok(())
}
