//! Declarations of tasks.

use serde::Deserialize;

use crate::error::BenchmarkError;
use crate::expressions::Expressions;

/// A benchmark as it is declared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Name.
    pub name: String,
    /// Version of the prompt and the metrics; of lm-evaluation-harness where it has the task.
    pub version: u32,
    /// What the evaluated records are called.
    pub split: String,
    /// Published number of records.
    pub rows: Option<usize>,
    /// Files of the evaluated records.
    pub source: Source,
    /// Files and choice of few-shot examples.
    #[serde(default)]
    pub shots: Shots,
    /// Template before the first example, of the item's record.
    #[serde(default)]
    pub description: String,
    /// Template of a question.
    pub text: String,
    /// Between a question and its answer.
    #[serde(default = "space")]
    pub target_delimiter: String,
    /// After each few-shot example.
    #[serde(default = "blank_line")]
    pub shot_delimiter: String,
    /// Expression of the group of a record; none where there are no groups.
    pub group: Option<String>,
    /// Whether the mean over groups is reported beside that over items.
    #[serde(default, rename = "macro")]
    pub macro_mean: bool,
    /// A question that is answered by text.
    pub generate: Option<Generate>,
    /// A question with choices, of which the log-likelihoods are compared.
    pub choose: Option<Choose>,
    /// A question that is answered by a program.
    pub program: Option<Program>,
}

/// Files of records.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Names of files, with `*`, of which those that are found are read.
    #[serde(default)]
    pub files: Vec<String>,
    /// Names of the columns of CSV without a header.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Separator of columns; a comma if absent, a tab in files that end in `.tsv`.
    pub separator: Option<char>,
    /// A file beside with one label a line, which becomes the field `label`.
    pub labels: Option<String>,
    /// Expression of the records that are kept.
    pub keep: Option<String>,
}

/// Files and choice of few-shot examples.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shots {
    /// As in [`Source`].
    #[serde(default)]
    pub files: Vec<String>,
    /// As in [`Source`].
    #[serde(default)]
    pub columns: Vec<String>,
    /// As in [`Source`].
    pub separator: Option<char>,
    /// As in [`Source`].
    pub labels: Option<String>,
    /// As in [`Source`].
    pub keep: Option<String>,
    /// Whether they are the first of their group in file order, instead of drawn.
    #[serde(default)]
    pub first: bool,
    /// Whether they are drawn from other groups than the item's, at most one of each, so that they show the form and not the answers.
    #[serde(default)]
    pub other_groups: bool,
    /// Number where none is requested.
    #[serde(default)]
    pub count: usize,
}

/// A question that is answered by text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Expression of the accepted answers: a text or a list of texts.
    pub answers: String,
    /// Texts before which an answer is cut.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Largest number of tokens of an answer.
    #[serde(default = "max_tokens")]
    pub max_tokens: usize,
    /// How answers are compared by `exact_match`.
    #[serde(default)]
    pub exact_match: ExactMatch,
    /// The normalisation of `em` and `f1`; neither is reported if absent.
    pub overlap: Option<Overlap>,
    /// Whether `contains` is reported: an accepted answer is part of the given one.
    #[serde(default)]
    pub contains: bool,
}

/// What is ignored where two answers are compared, in this order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExactMatch {
    /// Regular expressions whose matches are deleted.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Case.
    #[serde(default)]
    pub ignore_case: bool,
    /// The 32 punctuation characters of ASCII.
    #[serde(default)]
    pub ignore_punctuation: bool,
}

/// A normalisation of answers before tokens are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// That of SQuAD 1.1.
    Squad,
    /// That of TriviaQA.
    Triviaqa,
    /// That of SQuAD, where `yes`, `no` and `noanswer` match themselves alone.
    Hotpotqa,
}

/// A question with choices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// Expression of the choices: a list of texts.
    pub choices: String,
    /// Expression of the position of the right one, from 0.
    #[serde(default)]
    pub gold: String,
    /// Whether all choices are right: the question is whether one of them is greedy.
    #[serde(default)]
    pub all_gold: bool,
    /// Metrics reported: `acc`, `acc_norm`, `exact_match`.
    pub metrics: Vec<String>,
}

/// A question that is answered by a program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Expression of the reference solution.
    pub reference: String,
    /// Template of a few-shot example's answer; the reference if absent.
    pub shot: Option<String>,
    /// Template of the program that is run, with the answer as `response`.
    pub source: String,
    /// Template of trusted code that runs before the tests, in their process: definitions that they use.
    #[serde(default)]
    pub prelude: String,
    /// Expression of the names that the tests take from the program: a text or a list of texts.
    pub names: String,
    /// Template of the tests, Python that ends without an exception if they pass.
    pub tests: String,
    /// Texts before which an answer is cut.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Largest number of tokens of an answer.
    #[serde(default = "max_tokens")]
    pub max_tokens: usize,
    /// Answers of a model to each item, for `pass@k`.
    #[serde(default = "one")]
    pub samples: usize,
    /// How they are drawn; the most probable tokens if absent.
    pub sampling: Option<Sampling>,
    /// Seconds that the program may take.
    pub seconds: u64,
    /// Name of the filter, as in lm-evaluation-harness.
    #[serde(default = "none")]
    pub filter: String,
    /// Name of `pass@` in the results of lm-evaluation-harness, before its number.
    #[serde(default = "pass_at")]
    pub exported: String,
}

/// How the tokens of an answer are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Divisor of the logits, above 0.
    pub temperature: f64,
    /// The most probable tokens whose probabilities sum to this are drawn from (Holtzman et al. 2020); above 0, at most 1.
    #[serde(default = "all")]
    pub top_p: f64,
}

fn one() -> usize {
    1
}

fn all() -> f64 {
    1.0
}

fn space() -> String {
    " ".to_owned()
}

fn blank_line() -> String {
    "\n\n".to_owned()
}

fn none() -> String {
    "none".to_owned()
}

fn pass_at() -> String {
    "pass@".to_owned()
}

fn max_tokens() -> usize {
    256
}

impl Program {
    fn check(&self) -> Result<(), String> {
        if !(1..=MAX_SAMPLES).contains(&self.samples) {
            let samples = self.samples;
            return Err(format!(
                "`program.samples` = {samples} is not from 1 to {MAX_SAMPLES}"
            ));
        }
        if !(1..=MAX_SECONDS).contains(&self.seconds) {
            let seconds = self.seconds;
            return Err(format!(
                "`program.seconds` = {seconds} is not from 1 to {MAX_SECONDS}"
            ));
        }
        match self.sampling {
            None if self.samples > 1 => {
                Err("`program.sampling` is missing, and all samples would be the same".to_owned())
            }
            Some(Sampling { temperature, .. })
                if !(temperature > 0.0 && temperature.is_finite()) =>
            {
                Err(format!(
                    "`program.sampling.temperature` = {temperature} is not above 0"
                ))
            }
            Some(Sampling { top_p, .. }) if !(top_p > 0.0 && top_p <= 1.0) => Err(format!(
                "`program.sampling.top_p` = {top_p} is not above 0 and at most 1"
            )),
            _ => Ok(()),
        }
    }
}

/// Most seconds of a program.
const MAX_SECONDS: u64 = 86_400;

/// Most answers to an item.
const MAX_SAMPLES: usize = 1024;

impl Task {
    /// The task declared by `text`, of which messages speak as `name`.
    ///
    /// # Errors
    /// If it is not TOML, a key is unknown or missing, not exactly one kind of question is declared, or a template, expression or regular
    /// expression is invalid.
    pub fn parse(name: &str, text: &str) -> Result<Self, BenchmarkError> {
        let invalid = |problem: String, remedy: &str| BenchmarkError::Task {
            task: name.to_owned(),
            problem,
            remedy: remedy.to_owned(),
        };
        let task: Self = toml::from_str(text).map_err(|error| {
            let lines: Vec<&str> = error.message().lines().collect();
            invalid(
                lines.join(" "),
                "correct the declaration: docs/guide.md, Tasks",
            )
        })?;
        let kinds = [
            task.generate.is_some(),
            task.choose.is_some(),
            task.program.is_some(),
        ];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            let problem = "declares not exactly one of [generate], [choose] and [program]";
            return Err(invalid(problem.to_owned(), "leave one of them"));
        }
        if task.source.files.is_empty() {
            let problem = "`source.files` is empty";
            return Err(invalid(
                problem.to_owned(),
                "name the files of the evaluated records",
            ));
        }
        if let Some(choose) = &task.choose {
            if choose.gold.is_empty() && !choose.all_gold {
                let problem = "`choose.gold` is missing";
                return Err(invalid(problem.to_owned(), "write it, or all_gold = true"));
            }
            let known = ["acc", "acc_norm", "exact_match"];
            if let Some(unknown) = choose
                .metrics
                .iter()
                .find(|metric| !known.contains(&metric.as_str()))
            {
                let problem = format!("`choose.metrics` has the unknown \"{unknown}\"");
                return Err(invalid(problem, "choose from acc, acc_norm, exact_match"));
            }
        }
        if let Some(choose) = &task.choose
            && choose.all_gold != choose.metrics.contains(&"exact_match".to_owned())
        {
            let problem =
                "`choose.metrics` has `exact_match` without `all_gold`, or `all_gold` without it";
            let remedy =
                "write both: with `all_gold` the question is whether one of the choices is greedy";
            return Err(invalid(problem.to_owned(), remedy));
        }
        if let Some(program) = &task.program {
            program
                .check()
                .map_err(|problem| invalid(problem, "correct the section"))?;
        }
        Expressions::new(&task)?;
        Ok(task)
    }

    /// Stop texts and the largest number of tokens, of questions that are answered by text or a program.
    pub fn generation(&self) -> Option<(&[String], usize)> {
        let generate = self.generate.as_ref();
        let generate = generate.map(|generate| (generate.stop.as_slice(), generate.max_tokens));
        let program = self.program.as_ref();
        generate.or(program.map(|program| (program.stop.as_slice(), program.max_tokens)))
    }

    /// Answers of a model to each item, and how they are drawn; the most probable tokens if that is `None`.
    pub fn sampling(&self) -> (usize, Option<Sampling>) {
        let program = self.program.as_ref();
        program.map_or((1, None), |program| (program.samples, program.sampling))
    }

    /// BLAKE3 of everything that determines prompts and verdicts.
    pub fn fingerprint(&self) -> String {
        blake3::hash(format!("{self:?}").as_bytes()).to_hex()[..16].to_owned()
    }

    /// Files of few-shot examples.
    pub(crate) fn shot_source(&self) -> Source {
        let shots = &self.shots;
        let inherits = shots.columns.is_empty();
        Source {
            files: shots.files.clone(),
            columns: if inherits {
                self.source.columns.clone()
            } else {
                shots.columns.clone()
            },
            separator: shots.separator.or(self.source.separator),
            labels: shots.labels.clone(),
            keep: shots.keep.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
