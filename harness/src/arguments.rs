//! The command line.

use std::path::PathBuf;

use architectures::DeviceName;
use clap::{Args, Parser, Subcommand};

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
    /// Show recorded runs side by side, with the differences to the first.
    Compare(CompareOptions),
    /// Ask the finished runs again, from their saved weights.
    Eval(EvalOptions),
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
pub struct CompareOptions {
    /// Sweeps (`quick`), parts of them (`quick:l`, `quick:l/memory+/0`, `*` for any), folders (`runs/quick`), or
    /// beginnings of runs' names. The first model named is the one that others are compared with.
    #[arg(required = true)]
    pub runs: Vec<String>,
    /// The folder in which sweeps and runs are looked up.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    #[command(flatten)]
    pub filter: Filter,
    /// Print exact numbers as CSV instead of the table.
    #[arg(long)]
    pub csv: bool,
    /// Also write the comparison as a page.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}
