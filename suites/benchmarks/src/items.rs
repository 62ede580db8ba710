//! What a model is asked: the items of a benchmark with their prompts, choices and accepted answers.

use std::path::PathBuf;

use rand::Rng;
use serde_json::Value as Json;

use crate::error::BenchmarkError;
use crate::expressions::Expressions;
use crate::records::{self, Records};
use crate::task::Task;
use crate::text::cut;

/// A benchmark with its records.
pub struct Benchmark {
    /// Its declaration.
    pub task: Task,
    /// The items, by place in the evaluated split; places of records that were left out are missing.
    pub items: Vec<Item>,
    /// Files that were read.
    pub files: Vec<PathBuf>,
    /// Messages of records that were left out.
    pub skipped: Vec<String>,
    expressions: Expressions,
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Place in the evaluated split, from 0.
    pub doc_id: usize,
    /// The record.
    pub record: Json,
    /// What precedes few-shot examples.
    pub description: String,
    /// The question.
    pub text: String,
    /// The group; empty without groups.
    pub group: String,
    /// What is asked.
    pub kind: ItemKind,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// A text, with the accepted ones.
    Generate(Vec<String>),
    /// One of these texts; the places of the right ones.
    Choose(Vec<String>, Vec<usize>),
    /// A program, with the reference solution.
    Program(String),
}

impl Benchmark {
    /// Reads the records of `task` at `paths`.
    ///
    /// # Arguments
    /// * `skips`: whether records that cannot be used are left out and reported, instead of an error.
    ///
    /// # Errors
    /// If no file is found, or a file or a record cannot be read.
    pub fn read(task: Task, paths: &[PathBuf], skips: bool) -> Result<Self, BenchmarkError> {
        let expressions = Expressions::new(&task)?;
        let files = records::find(&task.name, &task.source, paths)?;
        let Records {
            records,
            places,
            mut skipped,
            ..
        } = records::read(&files, &task.source, skips)?;
        let mut items = Vec::with_capacity(records.len());
        // A record that is left out keeps its place, so that answers from elsewhere belong to the same items.
        let mut doc_id = 0;
        for (record, (file, line)) in records.into_iter().zip(places) {
            if record.is_null() {
                doc_id += 1;
                continue;
            }
            match item(&task, &expressions, doc_id, record) {
                Ok(Some(item)) => {
                    items.push(item);
                    doc_id += 1;
                }
                Ok(None) => {}
                Err(problem) => {
                    let error = BenchmarkError::Line {
                        file: files[file].clone(),
                        line,
                        problem,
                        remedy: "correct it, or leave it out with --skip-bad".to_owned(),
                    };
                    if !skips {
                        return Err(error);
                    }
                    skipped.push(error.to_string());
                    doc_id += 1;
                }
            }
        }
        if items.is_empty() {
            return Err(BenchmarkError::Files {
                task: task.name.clone(),
                problem: "its files have no usable record".to_owned(),
                remedy: "give the evaluated split with --data".to_owned(),
            });
        }
        Ok(Self {
            task,
            items,
            files,
            skipped,
            expressions,
        })
    }

    /// The few-shot examples at `paths`, or those of the evaluated file if it is the only one there is.
    ///
    /// # Errors
    /// As [`Benchmark::read`].
    pub fn shots(&self, paths: &[PathBuf], skips: bool) -> Result<Shots, BenchmarkError> {
        let mut source = self.task.shot_source();
        if source.files.is_empty() {
            return Ok(Shots::default());
        }
        // A file that was given is that of the evaluated records: examples are looked for beside it.
        let folders: Vec<PathBuf> = paths
            .iter()
            .map(|path| match path.is_dir() {
                true => path.clone(),
                false => path.parent().map(PathBuf::from).unwrap_or_default(),
            })
            .collect();
        let files = records::find(&self.task.name, &source, &folders)?;
        if files == self.files {
            source.labels.clone_from(&self.task.source.labels);
        }
        let found = records::read(&files, &source, skips)?;
        let mut pool = Vec::new();
        for record in found.records.into_iter().filter(|record| !record.is_null()) {
            let place = pool.len();
            let failed = |problem: String| BenchmarkError::Files {
                task: self.task.name.clone(),
                problem: format!("few-shot example {}: {problem}", place + 1),
                remedy: "correct or remove its record".to_owned(),
            };
            let keeps = "shots.keep";
            if self.expressions.has(keeps)
                && !self.expressions.truth(keeps, &record).map_err(failed)?
            {
                continue;
            }
            let example = item_of(&self.task, &self.expressions, place, record).map_err(failed)?;
            pool.push(Example {
                answer: self.shot_answer(&example).map_err(failed)?,
                group: example.group,
                text: example.text,
            });
        }
        Ok(Shots {
            pool,
            is_evaluated: files == self.files,
        })
    }

    fn shot_answer(&self, item: &Item) -> Result<String, String> {
        match &item.kind {
            ItemKind::Generate(accepted) => Ok(accepted[0].clone()),
            ItemKind::Choose(choices, gold) => Ok(choices[gold[0]].clone()),
            ItemKind::Program(_) if self.expressions.has("program.shot") => {
                self.expressions.render("program.shot", &item.record)
            }
            ItemKind::Program(reference) => Ok(reference.clone()),
        }
    }

    /// The item at this place of the evaluated split; none if there is none, or it was left out.
    pub fn item(&self, doc_id: usize) -> Option<&Item> {
        let place = self.items.binary_search_by_key(&doc_id, |item| item.doc_id);
        place.ok().map(|place| &self.items[place])
    }

    /// The prompt of an item with `n` examples: description, examples, question.
    ///
    /// # Errors
    /// If there are fewer examples.
    pub fn prompt(&self, item: &Item, shots: &Shots, n: usize) -> Result<String, BenchmarkError> {
        let task = &self.task;
        let chosen = shots
            .choose(task, item, n)
            .ok_or_else(|| BenchmarkError::Files {
                task: task.name.clone(),
                problem: format!(
                    "has fewer than {n} few-shot examples for item {}",
                    item.doc_id
                ),
                remedy: format!(
                    "give {} with --data, or fewer --shots",
                    task.shots.files.join(", ")
                ),
            })?;
        let mut prompt = item.description.clone();
        for example in chosen {
            prompt.push_str(&example.text);
            prompt.push_str(&task.target_delimiter);
            prompt.push_str(&example.answer);
            prompt.push_str(&task.shot_delimiter);
        }
        Ok(prompt + &item.text)
    }

    /// The published number of records, if it is known and another one was read.
    pub fn other_rows(&self) -> Option<usize> {
        self.task.rows.filter(|rows| *rows != self.items.len())
    }

    /// The program that is run for an answer, cut before the first stop text, with its tests.
    ///
    /// # Errors
    /// If the task has no program, or a field is missing.
    pub fn program(&self, item: &Item, response: &str) -> Result<sandbox::Program, String> {
        let Some(program) = &self.task.program else {
            return Err("the task has no [program]".to_owned());
        };
        let mut record = item.record.clone();
        if let Json::Object(object) = &mut record {
            let response = cut(response, &program.stop);
            object.insert("response".to_owned(), Json::String(response.to_owned()));
        }
        let render = |key: &str| self.expressions.render(key, &record);
        Ok(sandbox::Program {
            source: render("program.source")?,
            prelude: render("program.prelude")?,
            names: self.expressions.texts("program.names", &record)?,
            tests: render("program.tests")?,
            seconds: Some(program.seconds),
        })
    }
}

/// Few-shot examples.
#[derive(Clone, Debug, Default)]
pub struct Shots {
    pool: Vec<Example>,
    /// Whether they are the evaluated records.
    pub is_evaluated: bool,
}

#[derive(Clone, Debug)]
struct Example {
    group: String,
    text: String,
    answer: String,
}

/// Seed of the draws of examples.
const SHOT_SEED: u64 = 1234;

impl Shots {
    /// The examples of an item: the first of its group, or drawn by (task, item), never the item itself.
    fn choose(&self, task: &Task, item: &Item, n: usize) -> Option<Vec<&Example>> {
        let is_other = |example: &&Example| example.text != item.text;
        let chosen: Vec<&Example> = if task.shots.first {
            let own = self.pool.iter().filter(is_other);
            own.filter(|example| example.group == item.group)
                .take(n)
                .collect()
        } else {
            let mut order: Vec<&Example> = self.pool.iter().filter(is_other).collect();
            let mut random = random::stream(SHOT_SEED, &task.name, item.doc_id as u64);
            let mut groups: Vec<&str> = vec![&item.group];
            let mut chosen = Vec::new();
            while chosen.len() < n && !order.is_empty() {
                let example = order.swap_remove(random.random_range(0..order.len()));
                if task.shots.other_groups {
                    if groups.contains(&example.group.as_str()) {
                        continue;
                    }
                    groups.push(&example.group);
                }
                chosen.push(example);
            }
            chosen
        };
        (chosen.len() == n).then_some(chosen)
    }
}

fn item(
    task: &Task,
    expressions: &Expressions,
    doc_id: usize,
    record: Json,
) -> Result<Option<Item>, String> {
    if expressions.has("source.keep") && !expressions.truth("source.keep", &record)? {
        return Ok(None);
    }
    item_of(task, expressions, doc_id, record).map(Some)
}

fn item_of(
    task: &Task,
    expressions: &Expressions,
    doc_id: usize,
    record: Json,
) -> Result<Item, String> {
    let kind = if task.generate.is_some() {
        let accepted = expressions.texts("generate.answers", &record)?;
        if accepted.is_empty() {
            return Err("has no accepted answer".to_owned());
        }
        ItemKind::Generate(accepted)
    } else if let Some(choose) = &task.choose {
        let choices = expressions.texts("choose.choices", &record)?;
        if choices.is_empty() || choices.iter().any(String::is_empty) {
            return Err("has no choices, or an empty one".to_owned());
        }
        let gold = match choose.all_gold {
            true => (0..choices.len()).collect(),
            false => vec![expressions.number("choose.gold", &record)?],
        };
        if let Some(outside) = gold.iter().find(|place| **place >= choices.len()) {
            return Err(format!(
                "has the right choice {outside} of {}",
                choices.len()
            ));
        }
        ItemKind::Choose(choices, gold)
    } else {
        let reference = expressions.texts("program.reference", &record)?;
        ItemKind::Program(reference.concat())
    };
    let description = expressions.render("description", &record)?;
    let text = expressions.render("text", &record)?;
    let group = match expressions.has("group") {
        true => expressions.texts("group", &record)?.concat(),
        false => String::new(),
    };
    Ok(Item {
        doc_id,
        description,
        text,
        group,
        kind,
        record,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_left_out_keeps_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "{\"q\": \"a\", \"a\": \"1\"}\nbroken\n{\"q\": \"b\"}\n{\"q\": \"c\", \"a\": \"3\"}\n";
        std::fs::write(folder.path().join("a.jsonl"), text).unwrap();
        let declaration = "name = \"mine\"\nversion = 1\nsplit = \"test\"\nsource.files = [\"a.jsonl\"]\n\
                           text = \"{{ q }}\"\n[generate]\nanswers = \"a\"\n";
        let task = Task::parse("mine", declaration).unwrap();
        let read = |skips| Benchmark::read(task.clone(), &[folder.path().to_owned()], skips);
        assert!(read(false).is_err());
        let benchmark = read(true).unwrap();
        assert!(
            benchmark.skipped[1].contains("a.jsonl:3: "),
            "{:?}",
            benchmark.skipped
        );
        let places: Vec<usize> = benchmark.items.iter().map(|item| item.doc_id).collect();
        assert_eq!((places, benchmark.skipped.len()), (vec![0, 3], 2));
        assert_eq!(benchmark.item(3).unwrap().text, "c");
        assert!(benchmark.item(1).is_none() && benchmark.item(4).is_none());
    }
}
