//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use architectures::DeviceName;
use clap::{Args, Parser, Subcommand};
use harness::probe::limits::{parse_bytes, parse_duration};

/// Compares feed-forward blocks at equal training FLOPs.
#[derive(Parser)]
#[command(name = "isoflop", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show what a sweep would run: parameters, FLOPs, tokens, memory, time. Nothing is built or written.
    Plan(PlanOptions),
    /// Train and ask every run of a sweep that is not finished, then write the report.
    Sweep(SweepOptions),
    /// Show which runs are finished, failed, under way or missing.
    Status(Planned),
    /// Write the report again, from the records alone.
    Report(ReportOptions),
    /// Ask the finished runs again, from their saved weights.
    Eval(EvalOptions),
    /// Time every part of a sweep's models alone, at its true shape, and derive the whole models from them.
    Probe(ProbeOptions),
}

/// A sweep and where its output lies.
#[derive(Args)]
pub struct Place {
    /// A sweep file, or the name of one in `sweeps/`.
    #[arg(default_value = "quick")]
    pub sweep: String,
    /// The folder of all output.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
}

/// A sweep or a part of it.
#[derive(Args)]
pub struct Planned {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub filter: Filter,
}

/// A part of a sweep.
#[derive(Args)]
pub struct Filter {
    /// Only these blocks.
    #[arg(long, value_name = "BLOCK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only these sizes.
    #[arg(long, value_name = "SIZE", value_delimiter = ',')]
    pub size: Vec<String>,
    /// Only these seeds.
    #[arg(long, value_name = "SEED", value_delimiter = ',')]
    pub seed: Vec<u64>,
}

/// Where and how it is computed.
#[derive(Args)]
pub struct Machine {
    /// What computes: flex (the CPU), libtorch, cuda, vulkan or wgpu, as far as compiled in (docs/devices.md).
    #[arg(long, default_value_t = DeviceName::Flex)]
    pub device: DeviceName,
    /// Worker threads; as many as there are cores when absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// No progress; only failures and the path of the report.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct PlanOptions {
    #[command(flatten)]
    pub planned: Planned,
    /// Print exact numbers as CSV instead of the table.
    #[arg(long)]
    pub csv: bool,
}

#[derive(Args)]
pub struct SweepOptions {
    #[command(flatten)]
    pub planned: Planned,
    #[command(flatten)]
    pub machine: Machine,
    /// Also write the records as CSV.
    #[arg(long)]
    pub csv: bool,
}

#[derive(Args)]
pub struct ReportOptions {
    #[command(flatten)]
    pub place: Place,
    /// Also write the records as CSV.
    #[arg(long)]
    pub csv: bool,
}

#[derive(Args)]
pub struct EvalOptions {
    #[command(flatten)]
    pub planned: Planned,
    #[command(flatten)]
    pub machine: Machine,
}

#[derive(Args)]
pub struct ProbeOptions {
    /// A sweep file, or the name of one in `sweeps/`: whose models are taken apart.
    #[arg(default_value = "paper")]
    pub sweep: String,
    /// The folder of all output.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    /// Only these blocks.
    #[arg(long, value_name = "BLOCK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only these sizes.
    #[arg(long, value_name = "SIZE", value_delimiter = ',')]
    pub size: Vec<String>,
    #[command(flatten)]
    pub machine: Machine,
    /// Tokens of one pass: one sequence, and so the context that attention sees.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub tokens: u32,
    /// Memory that a cell may need, such as 8GiB; 85 % of what is free when absent, and never more.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub memory: Option<u64>,
    /// Time for all cells together; what would exceed it is skipped.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration)]
    pub budget: Duration,
    /// Measure again what is recorded.
    #[arg(long)]
    pub again: bool,
    /// Also write the rows as CSV.
    #[arg(long)]
    pub csv: bool,
    /// Also write the rows to DIR, as probes.parquet and probes.csv.
    #[arg(long, value_name = "DIR")]
    pub export: Option<PathBuf>,
}
