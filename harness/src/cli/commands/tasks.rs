//! `isoflop tasks`.

use benchmarks::items::Shots;
use benchmarks::{Benchmark, ItemKind, Task, builtin};
use harness::error::Error;
use harness::run::conclusion::Conclusion;

use super::terminal_table::terminal_table;
use crate::cli::arguments::{TaskCommand, TaskData, TasksOptions};
use crate::cli::output::{note, print};

/// Prompts that `tasks show` prints.
const SHOWN: usize = 3;

/// Lists the embedded tasks with their files, or prints the first prompts of one.
///
/// # Errors
/// If the task is unknown or invalid, or its files cannot be read.
pub fn tasks(options: &TasksOptions) -> Result<Conclusion, Error> {
    match &options.command {
        None => list(),
        Some(TaskCommand::Show(show)) => show_prompts(&show.name, &show.data),
    }
}

fn list() -> Result<Conclusion, Error> {
    let rows = builtin::names().filter_map(builtin::find).map(|task| {
        let asks = if task.generate.is_some() {
            "text"
        } else if task.choose.is_some() {
            "choices"
        } else {
            "program"
        };
        vec![
            task.name.clone(),
            asks.to_owned(),
            task.split.clone(),
            task.source.files.join(", "),
            task.shots.files.join(", "),
            task.rows.map_or("?".to_owned(), |rows| rows.to_string()),
        ]
    });
    let header = ["task", "answer", "split", "files", "few-shot files", "rows"];
    print(terminal_table(&header, 5, rows.collect()))?;
    Ok(Conclusion::Complete)
}

fn show_prompts(name: &str, data: &TaskData) -> Result<Conclusion, Error> {
    let benchmark = read(name, data)?;
    let n = data.shots.unwrap_or(benchmark.task.shots.count);
    let shots = shots(&benchmark, data, n)?;
    for item in benchmark.items.iter().take(SHOWN) {
        let prompt = benchmark.prompt(item, &shots, n)?;
        print(format_args!("--- item {}", item.doc_id))?;
        print(prompt)?;
        let answer = match &item.kind {
            ItemKind::Generate(accepted) => format!("accepted: {}", accepted.join(" | ")),
            ItemKind::Choose(choices, gold) => {
                let marked = choices.iter().enumerate().map(|(place, choice)| {
                    let mark = if gold.contains(&place) { "*" } else { " " };
                    format!("{mark} {choice}")
                });
                marked.collect::<Vec<_>>().join("\n")
            }
            ItemKind::Program(reference) => format!("reference:\n{reference}"),
        };
        print(format_args!("--- {answer}"))?;
    }
    Ok(Conclusion::Complete)
}

/// The task of this name, or in the file of this path.
///
/// # Errors
/// If it is unknown or invalid.
pub fn find(name: &str) -> Result<Task, Error> {
    if name.ends_with(".toml") || name.contains('/') {
        let path = std::path::Path::new(name);
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        return Ok(Task::parse(name, &text)?);
    }
    let known: Vec<&str> = builtin::names().collect();
    builtin::find(name).ok_or_else(|| Error::Argument {
        argument: format!("task {name}"),
        problem: "is not known".to_owned(),
        remedy: experiment::sweep_file::suggest(name, &known),
    })
}

/// The benchmark of this name with its records; what was left out, and another number of rows than the published one, are reported.
///
/// # Errors
/// If it is unknown, or its files cannot be read.
pub fn read(name: &str, data: &TaskData) -> Result<Benchmark, Error> {
    let benchmark = Benchmark::read(find(name)?, &data.data, data.skip_bad)?;
    let skipped = benchmark.skipped.len();
    if skipped > 0 {
        note(format_args!(
            "{skipped} records are left out, the first: {}",
            benchmark.skipped[0]
        ));
    }
    if let Some(rows) = benchmark.other_rows() {
        note(format_args!(
            "{name}: {} records, and the published set has {rows}",
            benchmark.items.len()
        ));
    }
    Ok(benchmark)
}

/// The few-shot examples, if any are asked for.
///
/// # Errors
/// If their files cannot be read.
pub fn shots(benchmark: &Benchmark, data: &TaskData, n: usize) -> Result<Shots, Error> {
    if n == 0 {
        return Ok(Shots::default());
    }
    let shots = benchmark.shots(&data.data, data.skip_bad)?;
    if shots.is_evaluated {
        note("few-shot examples are drawn from the evaluated records, without the item itself");
    }
    Ok(shots)
}
