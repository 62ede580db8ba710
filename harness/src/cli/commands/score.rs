//! `isoflop score`: the metrics of a benchmark for a model, or for answers that are given.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use benchmarks::Benchmark;
use benchmarks::answers::{self, Answer};
use benchmarks::judge::{Judge, Metric};
use benchmarks::model::ModelAnswer;
use benchmarks::programs::{self, Verdicts};
use harness::error::Error;
use harness::evaluate::answering::{
    Answering, Question, answers as answers_of, cache_key, questions,
};
use harness::evaluate::benchmark_model::{BenchmarkModel, SEQUENCES_AT_ONCE};
use harness::evaluate::benchmark_scores::{Scores, differences, scores};
use harness::evaluate::model_source::load;
use harness::evaluate::samples::sample_rows;
use harness::record::folders::Folders;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;
use results::Records;
use sandbox::Sandbox;

use super::score_output::{self, Evaluated};
use super::score_programs;
use super::tasks::{read, shots};
use super::worker_threads::start_threads;
use crate::cli::arguments::ScoreOptions;
use crate::cli::output::note;
use crate::cli::progress::items::ItemProgress;

/// Answers with their metrics, by item.
struct Judged {
    name: String,
    metrics: BTreeMap<usize, Vec<Metric>>,
    /// Of programs that were run.
    verdicts: Verdicts,
    /// Of a model.
    answers: BTreeMap<usize, ModelAnswer>,
    seconds: f64,
}

/// Evaluates a model, or judges the answers of a file, and prints the metrics.
///
/// # Errors
/// If the task or the model is unknown, or files cannot be read, used or written.
pub fn score(options: &ScoreOptions) -> Result<Conclusion, Error> {
    let benchmark = read(&options.task, &options.data)?;
    let n_shot = options.data.shots.unwrap_or(benchmark.task.shots.count);
    let interrupt = Interrupt::listen()?;
    let threads = start_threads(&options.compute)?;
    let scoring = Scoring {
        options,
        benchmark: &benchmark,
        sandbox: score_programs::sandbox(&benchmark, options, threads)?,
        questions: match evaluates_a_model(options) {
            true => {
                let shots = shots(&benchmark, &options.data, n_shot)?;
                let limit = options.limit.map(|limit| limit as usize);
                questions(&benchmark, &shots, n_shot, limit)?
            }
            false => Vec::new(),
        },
        interrupt: &interrupt,
    };
    let judged = match (&options.model, &options.answers) {
        (Some(model), _) => scoring.model(model),
        (None, Some(file)) => scoring.file(file),
        (None, None) => return Ok(Conclusion::Complete),
    };
    let judged = match judged {
        Err(_) if interrupt.requested() => return Ok(Conclusion::Interrupted),
        judged => judged?,
    };
    let items: Vec<(&str, Vec<Metric>)> = benchmark
        .items
        .iter()
        .filter_map(|item| {
            let own = judged.metrics.get(&item.doc_id)?;
            Some((item.group.as_str(), own.clone()))
        })
        .collect();
    if items.is_empty() {
        return Err(Error::Argument {
            argument: judged.name,
            problem: "answers no item".to_owned(),
            remedy: "write one line for each item: docs/guide.md, Tasks".to_owned(),
        });
    }
    scoring.note_incomplete(&judged, items.len());
    let mut all = scores(&benchmark, &items, n_shot);
    if let Some(other) = &options.against {
        let others = match Path::new(other) {
            file if file.is_file() => scoring.file(file),
            _ => scoring.model(other),
        };
        let others = match others {
            Err(_) if interrupt.requested() => return Ok(Conclusion::Interrupted),
            others => others?,
        };
        all.extend(differences(&all[0], &judged.metrics, &others.metrics));
    }
    if let (Some(file), Some(sandbox)) = (&options.verdicts, &scoring.sandbox) {
        score_programs::write_verdicts(file, sandbox, &judged.verdicts)?;
    }
    if let Some(file) = &options.samples {
        let (name, questions) = (judged.name.as_str(), scoring.questions.as_slice());
        let task = (&benchmark, n_shot);
        let rows = sample_rows(task, name, questions, &judged.answers, &judged.metrics)?;
        results::write_file(file, &rows)?;
    }
    let scores = Scores {
        scores: all,
        items: benchmark.items.len(),
        answered: items.len(),
        has_groups: benchmark.task.group.is_some(),
    };
    let evaluated = Evaluated {
        name: &judged.name,
        device: &options.compute.device.to_string(),
        seconds: judged.seconds,
    };
    score_output::print_scores(&benchmark, &scores, &evaluated, options)?;
    Ok(Conclusion::Complete)
}

/// Whether a model is evaluated, and not answers of files alone.
fn evaluates_a_model(options: &ScoreOptions) -> bool {
    let other = options.against.as_ref();
    options.model.is_some() || other.is_some_and(|other| !Path::new(other).is_file())
}

struct Scoring<'a> {
    options: &'a ScoreOptions,
    benchmark: &'a Benchmark,
    /// For programs that are run.
    sandbox: Option<Sandbox>,
    /// Of models.
    questions: Vec<Question<'a>>,
    interrupt: &'a Interrupt,
}

impl Scoring<'_> {
    /// The metrics of the answers of `file`.
    fn file(&self, file: &Path) -> Result<Judged, Error> {
        let given = answers::read(file, self.benchmark)?;
        let (metrics, verdicts) = self.metrics(|doc_id| given.get(&doc_id))?;
        Ok(Judged {
            name: format!("--answers {}", file.display()),
            metrics,
            verdicts,
            answers: BTreeMap::new(),
            seconds: 0.0,
        })
    }

    /// The metrics of the answers of a model.
    fn model(&self, argument: &str) -> Result<Judged, Error> {
        let options = self.options;
        let device = options.compute.device.open();
        let scored = load(argument, &options.output, &device)?;
        let mut model = BenchmarkModel {
            decoder: &scored.decoder,
            device: &device,
            tokenizer: &scored.tokenizer,
            start: scored.start,
            space: options
                .max_length
                .map_or(scored.space, |most| most as usize),
            sequences: SEQUENCES_AT_ONCE,
            interrupt: self.interrupt,
        };
        let records = Records::open(Folders::new(&options.output, "").cache())?;
        let key = cache_key(self.benchmark, &model, &scored.weights_hash);
        let mut progress = ItemProgress::new(&scored.name, options.compute.quiet);
        let clock = Instant::now();
        let mut report = |state: &Answering| progress.update(state);
        let cache = (&records, key.as_str());
        let answers = answers_of(
            self.benchmark,
            &self.questions,
            // Without running them they are of use only to be looked at.
            self.sandbox.is_some() || options.samples.is_some(),
            &mut model,
            cache,
            &mut report,
        );
        progress.done();
        let answers = answers?;
        let (metrics, verdicts) =
            self.metrics(|doc_id| answers.get(&doc_id).map(|own| &own.answer))?;
        Ok(Judged {
            name: scored.name,
            metrics,
            verdicts,
            answers,
            seconds: clock.elapsed().as_secs_f64(),
        })
    }

    /// The metrics of each answered item, and the verdicts on its programs if they are run.
    fn metrics<'b>(
        &self,
        answer: impl Fn(usize) -> Option<&'b Answer>,
    ) -> Result<(BTreeMap<usize, Vec<Metric>>, Verdicts), Error> {
        let judge = Judge::new(self.benchmark);
        let answered = || {
            let items = self.benchmark.items.iter();
            items.filter_map(|item| Some((item, answer(item.doc_id)?)))
        };
        let verdicts = match &self.sandbox {
            Some(sandbox) => {
                let quiet = self.options.compute.quiet;
                let (benchmark, interrupt) = (self.benchmark, self.interrupt);
                score_programs::judge(sandbox, benchmark, answered(), interrupt, quiet)?
            }
            None => Verdicts::new(),
        };
        let mut metrics = programs::metrics(&verdicts);
        for (item, answer) in answered() {
            let own = metrics.entry(item.doc_id).or_default();
            own.extend(judge.metrics(item, answer));
        }
        Ok((metrics, verdicts))
    }

    /// Says what the means do not cover.
    fn note_incomplete(&self, judged: &Judged, answered: usize) {
        let all = self.benchmark.items.len();
        if self.options.model.is_none() && answered < all {
            let left_out = all - answered;
            note(format_args!(
                "{left_out} of {all} items have no answer and are left out"
            ));
        }
        let removed = judged
            .answers
            .values()
            .filter(|own| own.removed > 0)
            .count();
        if removed > 0 {
            note(format_args!(
                "{removed} of {answered} prompts are longer than the model reads and lost their start"
            ));
        }
        let cut = judged.answers.values().filter(|own| own.is_cut).count();
        if cut > 0 {
            note(format_args!(
                "{cut} of {answered} generated answers ended at the largest number of tokens"
            ));
        }
    }
}
