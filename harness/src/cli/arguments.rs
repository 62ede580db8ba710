//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use architectures::DeviceName;
use clap::{Args, Parser, Subcommand};
use experiment::matching::{Side, Target};
use experiment::memory_need::NumericFormat;
use experiment::units;
use serde::de::DeserializeOwned;

/// Compares feed-forward blocks at equal training FLOPs.
#[derive(Parser)]
#[command(name = "isoflop", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show what a sweep would run: parameters, FLOPs, tokens, memory, devices, time. Nothing is built or written.
    Plan(PlanOptions),
    /// Solve for the knobs of a block at which it costs what a reference costs, and show them. Nothing is built or written.
    Match(MatchOptions),
    /// Train and evaluate every run of a sweep that is not finished, then write the report.
    Sweep(SweepOptions),
    /// Show which runs are finished, failed, under way or missing.
    Status(Planned),
    /// Write the report again, from the records alone.
    Report(ReportOptions),
    /// Show recorded runs side by side, with the differences to the first.
    Compare(CompareOptions),
    /// Evaluate the finished runs again, from their saved weights.
    Eval(EvalOptions),
    /// Time every part of a sweep's models alone, at its true shape, and derive the whole models from them.
    Probe(ProbeOptions),
}

/// A sweep and the folder of its output.
#[derive(Args)]
pub struct SweepLocation {
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
    pub location: SweepLocation,
    #[command(flatten)]
    pub filter: RunFilter,
}

/// A part of a sweep.
#[derive(Args)]
pub struct RunFilter {
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
    /// Memory of one device, such as 80GiB.
    #[arg(long, value_name = "BYTES", default_value = "80GiB", value_parser = units::bytes)]
    pub device_memory: u64,
    /// FLOP/s that one device reaches in training, such as 400T; from records or this machine when absent.
    #[arg(long, value_name = "RATE", value_parser = units::flop_rate)]
    pub throughput: Option<f64>,
    /// What one device costs for an hour, in any currency.
    #[arg(long, value_name = "PRICE", value_parser = units::price)]
    pub price: Option<f64>,
    /// What numbers are kept in: f32 as this program trains, or bf16 as the paper does.
    #[arg(long, value_name = "FORMAT", default_value_t)]
    pub format: NumericFormat,
    /// Print exact numbers as CSV instead of tables.
    #[arg(long)]
    pub csv: bool,
    /// Print exact numbers as JSON instead of tables.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
}

#[derive(Args)]
pub struct MatchOptions {
    /// A sweep file, or the name of one in `sweeps/`.
    #[arg(default_value = "quick")]
    pub sweep: String,
    /// The block to match; its knobs in the file are ignored.
    #[arg(long, value_name = "BLOCK")]
    pub block: String,
    /// What is to be equal: flops_per_token, params_total, params_active or bytes_per_token.
    #[arg(long, value_name = "TARGET", value_parser = word::<Target>)]
    pub equal: Target,
    /// A knob to solve for: n_experts, d_ff, n_keys, top_k, n_heads or layers.
    #[arg(
        long,
        value_name = "KNOB[:at_least=N][:at_most=N][:multiple_of=N]",
        value_delimiter = ',',
        required = true
    )]
    pub knob: Vec<String>,
    /// The block that sets the value.
    #[arg(long, value_name = "BLOCK", default_value = "dense")]
    pub reference: String,
    /// The size of the reference; that of the block when absent.
    #[arg(long, value_name = "SIZE")]
    pub reference_size: Option<String>,
    /// Only at these sizes.
    #[arg(long, value_name = "SIZE", value_delimiter = ',')]
    pub size: Vec<String>,
    /// Largest relative difference.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub tolerance: f64,
    /// Where the block may end: nearest, above or below the reference.
    #[arg(long, value_name = "SIDE", default_value = "nearest", value_parser = word::<Side>)]
    pub side: Side,
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
    pub location: SweepLocation,
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
    #[arg(long, value_name = "BYTES", value_parser = units::bytes)]
    pub memory: Option<u64>,
    /// Time for all cells together; what would exceed it is skipped.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = units::duration)]
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
    pub filter: RunFilter,
    /// Print exact numbers as CSV instead of the table.
    #[arg(long)]
    pub csv: bool,
    /// Also write the comparison as a page.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// The value that serde reads from a word.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = toml::Value::String(text.to_owned());
    T::deserialize(value).map_err(|error| error.message().to_owned())
}
