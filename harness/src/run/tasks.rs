//! The published benchmarks of a sweep, and the evaluation of a trained decoder on them.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use benchmarks::judge::{Judge, Metric};
use benchmarks::model::ModelAnswer;
use benchmarks::programs::{self, Verdicts};
use benchmarks::{Benchmark, Item, ItemKind, Task, builtin};
use experiment::sweep_file::TaskConfig;
use results::{EvaluationRow, ItemRow, Records, SHARE_METRICS, ScoreRow, WHOLE_SUITE};
use sandbox::{Policy, Program, ProgramVerdict, Sandbox, SandboxLimits};

use super::identity::hash_all;
use super::interrupt::Interrupt;
use crate::error::Error;
use crate::evaluate::answering::{Question, answers, cache_key, item_hash, questions};
use crate::evaluate::benchmark_model::BenchmarkModel;
use crate::evaluate::benchmark_scores::{Score, scores};

/// A benchmark with the questions that runs are asked.
pub struct LoadedTask {
    benchmark: Benchmark,
    n_shot: usize,
    max_length: Option<usize>,
    /// Places of the items in the evaluated split, with their prompts.
    prompts: Vec<(usize, String)>,
    items_hash: String,
    /// Whether few-shot examples are the evaluated records.
    has_own_examples: bool,
    /// Where answers that are programs are run.
    sandbox: Option<Sandbox>,
}

/// The rows of a run on one benchmark.
pub struct TaskRows {
    /// Scores, of which the suite is the task's name.
    pub scores: Vec<ScoreRow>,
    /// Items.
    pub items: Vec<ItemRow>,
    /// What was evaluated.
    pub evaluation: EvaluationRow,
}

/// The benchmark of this configuration.
///
/// # Errors
/// If its declaration is not known or invalid, or its files cannot be read.
pub fn load(config: &TaskConfig) -> Result<LoadedTask, Error> {
    let invalid = |problem: String, remedy: String| Error::Argument {
        argument: format!("`tasks.{}`", config.name),
        problem,
        remedy,
    };
    let task = match &config.file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
            Task::parse(&path.display().to_string(), &text)?
        }
        None => builtin::find(&config.name).ok_or_else(|| {
            invalid(
                "is no known task".to_owned(),
                "see `isoflop tasks`".to_owned(),
            )
        })?,
    };
    if task.name != config.name {
        let problem = format!("is declared as {}", task.name);
        return Err(invalid(problem, format!("write [tasks.{}]", task.name)));
    }
    if config.run_code && task.program.is_none() {
        let problem = "has `run_code`, and asks for no programs".to_owned();
        return Err(invalid(problem, "remove the key".to_owned()));
    }
    let benchmark = Benchmark::read(task, &config.data, config.skip_bad)?;
    let n_shot = config.shots.unwrap_or(benchmark.task.shots.count);
    let shots = match n_shot {
        0 => benchmarks::items::Shots::default(),
        _ => benchmark.shots(&config.data, config.skip_bad)?,
    };
    let asked = questions(&benchmark, &shots, n_shot, config.limit)?;
    let hashes: Vec<String> = asked.iter().map(item_hash).collect();
    let prompts = asked
        .into_iter()
        .map(|question| (question.item.doc_id, question.prompt))
        .collect();
    Ok(LoadedTask {
        has_own_examples: shots.is_evaluated,
        items_hash: hash_all(hashes.iter().map(String::as_str)),
        sandbox: match config.run_code {
            true => {
                let threads = std::thread::available_parallelism().map_or(1, usize::from);
                let limits = SandboxLimits {
                    threads,
                    ..SandboxLimits::default()
                };
                Some(Sandbox::open(&limits, Policy::Isolated)?)
            }
            false => None,
        },
        benchmark,
        n_shot,
        max_length: config.max_length,
        prompts,
    })
}

/// The benchmarks of these configurations.
///
/// # Errors
/// As [`load`].
pub fn load_all(configs: &[TaskConfig]) -> Result<Vec<LoadedTask>, Error> {
    configs.iter().map(load).collect()
}

impl LoadedTask {
    /// What a user should know of its data.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let name = self.name();
        if let Some(rows) = self.benchmark.other_rows() {
            let own = self.benchmark.items.len();
            notes.push(format!(
                "{name}: {own} records, and the published set has {rows}"
            ));
        }
        if let Some(first) = self.benchmark.skipped.first() {
            let skipped = self.benchmark.skipped.len();
            notes.push(format!(
                "{name}: {skipped} records are left out, the first: {first}"
            ));
        }
        if self.has_own_examples {
            notes.push(format!(
                "{name}: few-shot examples are drawn from the evaluated records, without the item itself"
            ));
        }
        notes
    }

    /// Name of the task.
    pub fn name(&self) -> &str {
        &self.benchmark.task.name
    }

    /// What a run is evaluated on, without the counts that the evaluation gives, with a model that was trained on sequences of `seq_len`
    /// tokens.
    fn evaluation(&self, run: &str, seq_len: usize) -> EvaluationRow {
        let task = &self.benchmark.task;
        EvaluationRow {
            run: run.to_owned(),
            task: task.name.clone(),
            version: u64::from(task.version),
            fingerprint: task.fingerprint(),
            items_hash: self.items_hash.clone(),
            split: task.split.clone(),
            n_shot: self.n_shot as u64,
            max_length: self.max_length.unwrap_or(seq_len) as u64,
            items: self.benchmark.items.len() as u64,
            evaluated: self.prompts.len() as u64,
            prompts_cut: 0,
            answers_cut: 0,
            skipped: self.benchmark.skipped.len() as u64,
            programs_run: self.sandbox.is_some(),
        }
    }

    /// Whether one of the rows states an evaluation on this task with these items and settings, of a model
    /// that was trained on sequences of `seq_len` tokens.
    pub fn is_evaluated(&self, rows: &[EvaluationRow], seq_len: usize) -> bool {
        rows.iter().any(|row| {
            let own = EvaluationRow {
                prompts_cut: row.prompts_cut,
                answers_cut: row.answers_cut,
                ..self.evaluation(&row.run, seq_len)
            };
            own == *row
        })
    }

    /// The rows of `run` on this task.
    ///
    /// # Arguments
    /// * `model`: reads `space` tokens, or as many as the sweep file says for the task.
    /// * `weights`: their hash, under which answers are kept in `kept`.
    ///
    /// # Errors
    /// If the model fails or is interrupted, or answers cannot be read or written.
    pub fn evaluate(
        &self,
        run: &str,
        model: &mut BenchmarkModel,
        weights: &str,
        kept: &Records,
    ) -> Result<TaskRows, Error> {
        let benchmark = &self.benchmark;
        let space = model.space;
        model.space = self.max_length.unwrap_or(space);
        let asked: Vec<Question> = self
            .prompts
            .iter()
            .filter_map(|(doc_id, prompt)| {
                Some(Question {
                    item: benchmark.item(*doc_id)?,
                    prompt: prompt.clone(),
                })
            })
            .collect();
        let key = cache_key(benchmark, model, weights);
        let (programs, cache) = (self.sandbox.is_some(), (kept, key.as_str()));
        let found = answers(benchmark, &asked, programs, model, cache, &mut |_| {});
        model.space = space;
        let found = found?;
        let judge = Judge::new(benchmark);
        let verdicts = self.verdicts(&found, model.interrupt)?;
        let mut judged = programs::metrics(&verdicts);
        let answered: Vec<(&Item, &ModelAnswer)> = asked
            .iter()
            .filter_map(|question| Some((question.item, found.get(&question.item.doc_id)?)))
            .collect();
        for (item, own) in &answered {
            let metrics = judge.metrics(item, &own.answer);
            judged.entry(item.doc_id).or_default().extend(metrics);
        }
        let metrics_of = |item: &Item| judged.get(&item.doc_id).cloned().unwrap_or_default();
        let by_group: Vec<(&str, Vec<Metric>)> = answered
            .iter()
            .map(|(item, _)| (item.group.as_str(), metrics_of(item)))
            .collect();
        let scores = scores(benchmark, &by_group, self.n_shot);
        let items = answered.iter().map(|(item, own)| {
            let row = self.item_row(run, item, own, &metrics_of(item));
            let verdict = verdicts.get(&item.doc_id).and_then(|own| own.first());
            ItemRow {
                detail: verdict.map_or_else(String::new, |verdict| self.recorded(verdict)),
                ..row
            }
        });
        let cut =
            |of: &dyn Fn(&ModelAnswer) -> bool| found.values().filter(|own| of(own)).count() as u64;
        Ok(TaskRows {
            scores: scores
                .iter()
                .map(|score| self.score_row(run, score))
                .collect(),
            // Of several samples an item is neither right nor wrong: such scores are compared over seeds alone.
            items: match benchmark.task.sampling() {
                (1, _) => items.collect(),
                _ => Vec::new(),
            },
            evaluation: EvaluationRow {
                prompts_cut: cut(&|own| own.removed > 0),
                answers_cut: cut(&|own| own.is_cut),
                ..self.evaluation(run, space)
            },
        })
    }

    /// The verdicts on answers that are programs; none if they are not run.
    fn verdicts(
        &self,
        found: &BTreeMap<usize, ModelAnswer>,
        interrupt: &Interrupt,
    ) -> Result<Verdicts, Error> {
        let Some(sandbox) = &self.sandbox else {
            return Ok(Verdicts::new());
        };
        let answers = found
            .iter()
            .filter_map(|(&doc_id, own)| Some((self.benchmark.item(doc_id)?, &own.answer)));
        let run =
            |programs: &[Program]| sandbox.judge_all(programs, &|_| {}, &|| interrupt.requested());
        Ok(programs::verdicts(&self.benchmark, answers, run)?)
    }

    /// A verdict as it may be recorded.
    fn recorded(&self, verdict: &ProgramVerdict) -> String {
        let confinement = self.sandbox.as_ref().map(Sandbox::confinement);
        confinement.map_or_else(String::new, |confinement| confinement.record(verdict))
    }

    fn score_row(&self, run: &str, score: &Score) -> ScoreRow {
        let task = self.name();
        let part = score.task.strip_prefix(&format!("{task}_"));
        ScoreRow {
            run: run.to_owned(),
            suite: task.to_owned(),
            task: part.unwrap_or(WHOLE_SUITE).to_owned(),
            metric: score.metric.clone(),
            status: "scored".to_owned(),
            reason: String::new(),
            value: score.value,
            low: score.ci_low,
            high: score.ci_high,
            n: score.n as u64,
            baseline: score.baseline,
            interval: score.interval.to_owned(),
        }
    }

    fn item_row(&self, run: &str, item: &Item, own: &ModelAnswer, metrics: &[Metric]) -> ItemRow {
        let share = SHARE_METRICS
            .iter()
            .find_map(|share| metrics.iter().find(|(metric, _)| metric == share));
        let reference = own.answer.references.first();
        let (expected, given) = match &item.kind {
            ItemKind::Generate(accepted) => (accepted[0].clone(), own.answer.response.clone()),
            ItemKind::Choose(choices, gold) => {
                let lls = own.answer.lls.as_deref().unwrap_or_default();
                let best = (0..lls.len())
                    .max_by(|&a, &b| lls[a].total_cmp(&lls[b]).then(b.cmp(&a)))
                    .and_then(|best| choices.get(best));
                (choices[gold[0]].clone(), best.cloned())
            }
            ItemKind::Program(reference) => (reference.clone(), own.answer.response.clone()),
        };
        ItemRow {
            run: run.to_owned(),
            suite: self.name().to_owned(),
            task: match item.group.is_empty() {
                true => WHOLE_SUITE.to_owned(),
                false => item.group.clone(),
            },
            item: item.doc_id.to_string(),
            correct: share.is_some_and(|(_, value)| *value == 1.0),
            answer_tokens: reference.map_or(0, |own| own.tokens as u64),
            answer_nll_bits: reference.map_or(f64::NAN, |own| -own.ll / LN_2),
            end_nll_bits: f64::NAN,
            expected,
            given: given.unwrap_or_default().trim().to_owned(),
            detail: String::new(),
        }
    }
}
