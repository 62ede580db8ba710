//! The command line.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Parser;

use crate::step_shape::StepShape;

/// Measures this project and PyTorch alternately and prints their ratios.
#[derive(Parser)]
#[command(name = "against_pytorch")]
pub struct BenchArguments {
    /// A Python interpreter with torch.
    #[arg(long, value_name = "PATH", default_value = "python3")]
    pub python: PathBuf,
    /// Only rows whose name starts with one of these.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Rounds per row; each side runs once per round.
    #[arg(long, value_name = "N", default_value = "7")]
    pub rounds: NonZero<usize>,
    /// Threads of each side; default: one per core.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZero<usize>>,
    /// Also write the tables as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Print the names of the rows and exit.
    #[arg(long)]
    pub list: bool,
    /// Measure the peak memory of one step of this shape; used for child processes.
    #[arg(long, hide = true)]
    pub step_memory: Option<StepShape>,
    /// Passed by `cargo bench`; ignored.
    #[arg(long, hide = true)]
    bench: bool,
}

impl BenchArguments {
    /// Number of threads of each side.
    pub fn threads(&self) -> usize {
        self.threads
            .or(std::thread::available_parallelism().ok())
            .map_or(1, NonZero::get)
    }

    /// Whether the row of this name is selected.
    pub fn selects(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only))
    }
}
