//! The data of the runs of a plan, prepared when the first run needs them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use corpora::{Observer, TokenizerConfig};
use experiment::budget::Tokens;
use experiment::plan::{Plan, Run};
use experiment::sweep_file::{DataConfig, Matching, TOKENS_PER_PERSON_TOLERANCE};
use suites::{Dataset, Mixture, SuiteError};

use crate::error::Error;
use crate::record::folders::Folders;

/// The data of all runs of a plan: runs with equal configurations of their data share them.
pub struct Datasets {
    cache: PathBuf,
    matching: Matching,
    needs: Vec<Need>,
    prepared: Mutex<Vec<(DataConfig, Arc<Dataset>)>>,
}

/// What the runs that share data require of them.
struct Need {
    data: DataConfig,
    tokens: Tokens,
    shortest: usize,
    longest: usize,
}

/// Whether the training tokens are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// All tokens that the runs may read.
    Training,
    /// The suites and the tokenizer alone.
    Evaluation,
}

impl Datasets {
    /// The data of `plan`, of which nothing is prepared yet.
    pub fn new(plan: &Plan, purpose: Purpose, folders: &Folders) -> Self {
        let mut needs: Vec<Need> = Vec::new();
        for run in plan.runs.iter().chain(&plan.further) {
            let tokens = match purpose {
                Purpose::Training => run.stream_tokens(),
                Purpose::Evaluation => 1,
            };
            let seq_len = run.model.decoder.seq_len;
            match needs.iter_mut().find(|need| need.data == run.data) {
                Some(need) => {
                    need.tokens = need.tokens.max(tokens);
                    need.shortest = need.shortest.min(seq_len);
                    need.longest = need.longest.max(seq_len);
                }
                None => needs.push(Need {
                    data: run.data.clone(),
                    tokens,
                    shortest: seq_len,
                    longest: seq_len,
                }),
            }
        }
        Self {
            cache: folders.cache(),
            matching: plan.sweep.matching,
            needs,
            prepared: Mutex::default(),
        }
    }

    /// Data that are prepared already, those of one run.
    pub fn of_one(run: &Run, dataset: Dataset) -> Self {
        Self {
            cache: PathBuf::new(),
            matching: Matching::Tokens,
            needs: Vec::new(),
            prepared: Mutex::new(vec![(run.data.clone(), Arc::new(dataset))]),
        }
    }

    /// As [`Datasets::prepare`], without progress.
    ///
    /// # Errors
    /// As [`Datasets::prepare`].
    ///
    /// # Panics
    /// As [`Datasets::prepare`].
    pub fn of(&self, run: &Run) -> Result<Arc<Dataset>, Error> {
        self.prepare(run, &mut |_| ControlFlow::Continue(()))
    }

    /// The tokenizer, the suites and the tokens of `run`, from the cache if they are there.
    ///
    /// # Errors
    /// If the data cannot be prepared, if `seq_len` of a decoder is longer than the held-out set or shorter than a question with its
    /// answer, or if `match.tokens_per_person` is not that of the corpus.
    ///
    /// # Panics
    /// If `run` is not of the plan.
    pub fn prepare(&self, run: &Run, observer: Observer) -> Result<Arc<Dataset>, Error> {
        // A poisoned lock has whole entries: each is pushed in one piece.
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, dataset)) = prepared.iter().find(|(data, _)| *data == run.data) {
            return Ok(dataset.clone());
        }
        let need = self.needs.iter().find(|need| need.data == run.data);
        let Some(need) = need else {
            panic!("{} has data of another plan", run.label)
        };
        let dataset = Arc::new(self.make(need, observer)?);
        prepared.push((need.data.clone(), dataset.clone()));
        Ok(dataset)
    }

    fn make(&self, need: &Need, observer: Observer) -> Result<Dataset, Error> {
        let data = &need.data;
        let dataset = dataset(data, need.tokens, &self.cache, observer)?;
        tracing::info!(
            fingerprint = dataset.fingerprint,
            tokens = dataset.train.len(),
            "data prepared"
        );
        check_context_length(need, &dataset)?;
        if let (Matching::Facts(facts), Some(people)) = (self.matching, data.suites.people()) {
            check_tokens_per_person(
                facts.tokens_per_person,
                dataset.epoch_tokens as f64 / people as f64,
            )?;
        }
        Ok(dataset)
    }
}

/// The data of a configuration with at least `min_tokens` training tokens, from the cache if they are there.
///
/// # Errors
/// If they cannot be prepared, or the observer ends the preparation.
pub fn dataset(
    data: &DataConfig,
    min_tokens: Tokens,
    cache: &Path,
    observer: Observer,
) -> Result<Dataset, SuiteError> {
    if !data.is_mixture() {
        return Dataset::prepare(&data.suites, data.seed, data.vocab_size, min_tokens, cache);
    }
    let tokenizer = data.tokenizer.clone().unwrap_or_default();
    Dataset::prepare_mixture(&mixture(data, &tokenizer), min_tokens, cache, observer)
}

/// The mixture of a configuration.
pub fn mixture<'a>(data: &'a DataConfig, tokenizer: &'a TokenizerConfig) -> Mixture<'a> {
    Mixture {
        suites: &data.suites,
        suites_weight: data.suites_weight.unwrap_or(1.0),
        corpora: &data.corpora,
        tokenizer,
        vocab_size: data.vocab_size,
        seed: data.seed,
    }
}

/// # Errors
/// If the number of the sweep file differs from that of the corpus by more than the tolerance.
fn check_tokens_per_person(given: f64, actual: f64) -> Result<(), Error> {
    if (given / actual - 1.0).abs() <= TOKENS_PER_PERSON_TOLERANCE {
        return Ok(());
    }
    Err(Error::Argument {
        argument: format!("`match.tokens_per_person` = {given}"),
        problem: format!(
            "is not that of the corpus, {actual:.1}, so that exposures would be others than `match.exposures`"
        ),
        remedy: format!("write {actual:.1}"),
    })
}

/// Checks that every question with its answer fits into the context of every decoder of the plan: positions beyond
/// `seq_len` do not occur in training.
fn check_context_length(need: &Need, dataset: &Dataset) -> Result<(), Error> {
    let (seq_len, longest) = (need.shortest, need.longest);
    if dataset.held_out.len() <= longest {
        return Err(Error::Argument {
            argument: format!("`seq_len` = {longest}"),
            problem: format!(
                "exceeds the {} held-out tokens: no validation window fits",
                dataset.held_out.len()
            ),
            remedy: "lower `seq_len`, enlarge the suites, or raise `held_out` of the corpora"
                .to_owned(),
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
