//! Arguments of `isoflop tasks` and `isoflop score`.

use std::path::PathBuf;

use clap::Args;

use super::ComputeOptions;

#[derive(Args)]
pub struct TasksOptions {
    #[command(subcommand)]
    pub command: Option<TaskCommand>,
}

/// What `tasks` does beside listing.
#[derive(clap::Subcommand)]
pub enum TaskCommand {
    /// Print the first prompts of a task, with their accepted answers.
    Show(ShowTask),
}

#[derive(Args)]
pub struct ShowTask {
    /// A task, or the path of its declaration.
    pub name: String,
    #[command(flatten)]
    pub data: TaskData,
}

/// Files of a benchmark.
#[derive(Args)]
pub struct TaskData {
    /// Files of the benchmark as published, or folders that have them.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Few-shot examples; default: as the task says, mostly 0.
    #[arg(long, value_name = "N")]
    pub shots: Option<usize>,
    /// Leave out records that cannot be read, and report their number.
    #[arg(long)]
    pub skip_bad: bool,
}

#[derive(Args)]
pub struct ScoreOptions {
    /// The model: a recorded run (`quick:l/memory+/0`, or the prefix of a run's name), a folder of weights or of a checkpoint, or
    /// `hf:PATH` for a folder of transformers or of `isoflop export`.
    #[arg(required_unless_present = "answers", conflicts_with = "answers")]
    pub model: Option<String>,
    /// A task, or the path of its declaration.
    #[arg(long, value_name = "NAME")]
    pub task: String,
    #[command(flatten)]
    pub data: TaskData,
    /// Answers to judge, JSON lines: `doc_id` with `response`, `responses`, or `lls` and `is_greedy`.
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Other answers to the same task, or another model: also print the differences, paired by item.
    #[arg(long, value_name = "FILE|MODEL")]
    pub against: Option<String>,
    /// Evaluate N items, drawn at random and the same for every model.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Most tokens that the model reads; default: its training length. Beyond that positions are new to it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1 << 20))]
    pub max_length: Option<u64>,
    /// Run the answers to a task that asks for programs (humaneval, mbpp): executes code that a model wrote, isolated from this system.
    #[arg(long)]
    pub run_code: bool,
    /// Run programs also where this system cannot isolate them: they can then read and write whatever you can.
    #[arg(long = "unsafe", requires = "run_code")]
    pub is_unsafe: bool,
    /// Write the verdict on every program, JSON lines.
    #[arg(long, value_name = "FILE", requires = "run_code")]
    pub verdicts: Option<PathBuf>,
    /// Write every prompt, answer and verdict as Parquet.
    #[arg(long, value_name = "FILE", conflicts_with = "answers")]
    pub samples: Option<PathBuf>,
    /// Folder of the sweeps and runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    #[command(flatten)]
    pub compute: ComputeOptions,
    /// Print exact numbers as CSV instead of the table.
    #[arg(long)]
    pub csv: bool,
    /// Print exact numbers as JSON, in the form of lm-evaluation-harness.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
}
