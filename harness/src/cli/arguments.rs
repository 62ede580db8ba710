//! The command line.

mod benchmarks;
mod cluster;
mod devices;
mod selection;

use std::path::PathBuf;
use std::time::Duration;

use architectures::DeviceName;
use clap::{Args, Parser, Subcommand, ValueEnum};
use experiment::communication::Network;
use experiment::matching::{Side, Target};
use experiment::memory_need::NumericFormat;
use experiment::units;
use interchange::WeightType;
use serde::de::DeserializeOwned;

pub use benchmarks::{ScoreOptions, TaskCommand, TaskData, TasksOptions};
pub use cluster::{JobFormat, SlurmOptions};
pub use devices::DeviceOptions;
pub use selection::{RunFilter, SweepChanges, SweepLocation, SweepSelection};

/// Compares feed-forward blocks at equal training FLOPs.
#[derive(Parser)]
#[command(name = "isoflop", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show the plan of a sweep: parameters, FLOPs, tokens, memory, devices, time. Nothing is trained or written.
    Plan(PlanOptions),
    /// Tokenize the text corpora of a sweep, as `sweep` does first, and show what they hold.
    Data(DataOptions),
    /// Solve for knobs of a block at which its cost equals that of a reference, and show them. Nothing is trained or
    /// written.
    Match(MatchOptions),
    /// Train and evaluate all unfinished runs of a sweep, then write the report.
    Sweep(SweepOptions),
    /// Search the training settings of a sweep by its section `tune`, as `sweep` does first. No run of the sweep is trained.
    Tune(ExecutionOptions),
    /// Write jobs of Slurm that execute the missing runs of a sweep, or the same list for GNU parallel or Kubernetes.
    Slurm(Box<SlurmOptions>),
    /// Show which runs are finished, failed, begun or missing.
    Status(SweepSelection),
    /// Forecast losses, recall and leads at a larger budget, and seal them before it is trained.
    Forecast(ForecastOptions),
    /// Write the report again, from the records only.
    Report(ReportOptions),
    /// Show recorded runs side by side, with differences from the first.
    Compare(CompareOptions),
    /// Evaluate the finished runs again, from their saved weights.
    Eval(EvalOptions),
    /// Execute a recorded run again from its row alone, and say whether the result is equal bit for bit.
    Rerun(RerunOptions),
    /// Time each part of a sweep's models separately, and estimate the time of whole models from the parts.
    Probe(ProbeOptions),
    /// List the published benchmarks that are known, with their files.
    Tasks(TasksOptions),
    /// Evaluate a model on a published benchmark, or judge given answers, by the field's metrics.
    Score(ScoreOptions),
    /// Write a recorded run's model as a folder that other programs load.
    Export(ExportOptions),
    /// Write a commented sweep file to begin with.
    Init {
        /// The file, which must not exist.
        #[arg(default_value = "sweep.toml")]
        file: PathBuf,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Further formats in which a command writes the records.
#[derive(Args, Clone, Copy, Default)]
pub struct RecordExport {
    /// Also write the records as CSV, one file for each table.
    #[arg(long)]
    pub csv: bool,
    /// Also write the records as JSON, one file for each table with one object a line.
    #[arg(long)]
    pub json: bool,
}

/// Options of the computation, shared by several commands.
#[derive(Args)]
pub struct ComputeOptions {
    /// Device: flex (the CPU), libtorch, libtorch:cuda:N, cuda:N, vulkan:N or wgpu:N, if compiled in (docs/devices.md).
    #[arg(long, default_value_t = DeviceName::Flex, value_parser = DeviceName::find)]
    pub device: DeviceName,
    /// Number of worker threads; default: one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Print only failures and the path of the output.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct PlanOptions {
    #[command(flatten)]
    pub selection: SweepSelection,
    #[command(flatten)]
    pub devices: DeviceOptions,
    /// Number format of products and tables, f32 or bf16; default: that of each run.
    #[arg(long, value_name = "FORMAT", alias = "format")]
    pub numeric_format: Option<NumericFormat>,
    /// Price of one device-hour, in any currency.
    #[arg(long, value_name = "PRICE", value_parser = units::price)]
    pub price: Option<f64>,
    /// Also predict steps on 8, 64 and 512 devices of a network: latency of an exchange and bytes per second of a device, such as
    /// 5us,50GB/s (docs/ranks.md says how to measure them).
    #[arg(long, value_name = "LATENCY,RATE", conflicts_with_all = ["csv", "json"])]
    pub network: Option<Network>,
    /// Print exact numbers as CSV instead of tables.
    #[arg(long)]
    pub csv: bool,
    /// Print exact numbers as JSON instead of tables.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
}

#[derive(Args)]
pub struct DataOptions {
    #[command(flatten)]
    pub location: SweepLocation,
    /// Print exact numbers as JSON instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Print no progress.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct MatchOptions {
    /// A sweep file, or the name of one in `sweeps/`.
    #[arg(default_value = "quick")]
    pub sweep: String,
    #[command(flatten)]
    pub changes: SweepChanges,
    /// The block to match; its knobs in the file are ignored.
    #[arg(long, value_name = "BLOCK")]
    pub block: String,
    /// The quantity to match: flops_per_token, params_total, params_active or bytes_per_token.
    #[arg(long, value_name = "TARGET", value_parser = by_serde_name::<Target>)]
    pub equal: Target,
    /// A knob of the block to solve for, such as n_experts or layers.
    #[arg(
        long,
        value_name = "KNOB[:at_least=N][:at_most=N][:multiple_of=N]",
        value_delimiter = ',',
        required = true
    )]
    pub knob: Vec<String>,
    /// The block to whose cost it is matched.
    #[arg(long, value_name = "BLOCK", default_value = "dense")]
    pub reference: String,
    /// The size of the reference; default: that of the block.
    #[arg(long, value_name = "SIZE")]
    pub reference_size: Option<String>,
    /// Only these sizes.
    #[arg(long, value_name = "SIZE", value_delimiter = ',')]
    pub size: Vec<String>,
    /// Largest relative deviation.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub tolerance: f64,
    /// Solutions to accept: nearest, above or below the reference.
    #[arg(long, value_name = "SIDE", default_value = "nearest", value_parser = by_serde_name::<Side>)]
    pub side: Side,
}

/// Options of the commands that execute runs.
#[derive(Args)]
pub struct ExecutionOptions {
    #[command(flatten)]
    pub selection: SweepSelection,
    #[command(flatten)]
    pub compute: ComputeOptions,
    /// Number of processes that execute runs at the same time, with an equal share of the threads each.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: u16,
    /// Number of processes of `mpirun -n N` that train each run together; default: all that were started. With 1 they share the runs,
    /// and train each on its own.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub ranks: Option<u16>,
    /// A process of --jobs: it prints nothing and writes no report, and stops when its standard input ends.
    #[arg(long, hide = true, conflicts_with = "jobs")]
    pub worker: bool,
}

#[derive(Args)]
pub struct SweepOptions {
    #[command(flatten)]
    pub execution: ExecutionOptions,
    /// Do not wait for runs that other processes execute.
    #[arg(long)]
    pub no_wait: bool,
    /// Add seeds where they matter most until the claims of the section `decide` are decided.
    #[arg(long, conflicts_with_all = ["jobs", "only", "size", "seed", "run"])]
    pub until_decided: bool,
    /// Write no report.
    #[arg(long)]
    pub no_report: bool,
    #[command(flatten)]
    pub export: RecordExport,
}

#[derive(Args)]
pub struct ForecastOptions {
    #[command(flatten)]
    pub location: SweepLocation,
    /// The budget in training FLOPs, at most 8 times the largest one done.
    #[arg(long, value_name = "FLOPS", value_parser = positive)]
    pub at: f64,
    /// Seeds that will be averaged there.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub seeds: u16,
    /// The validation loss that no compute removes, in nats per token: the law is one of what is above it.
    #[arg(long, value_name = "NATS", default_value_t = 0.0)]
    pub floor: f64,
}

#[derive(Args)]
pub struct ReportOptions {
    #[command(flatten)]
    pub location: SweepLocation,
    #[command(flatten)]
    pub export: RecordExport,
    /// Also write the comparison with its intervals as Markdown tables.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Also write these tables one by one into DIR, as Markdown, LaTeX and CSV.
    #[arg(long, value_name = "DIR")]
    pub tables: Option<PathBuf>,
    /// With --tables: another table, of everything compared with this block at this size, for sweeps that vary options of one block.
    #[arg(long, value_name = "SIZE/BLOCK", requires = "tables")]
    pub against: Option<String>,
    /// Also write each figure as an SVG file that stands alone.
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,
    /// With --figures: each figure also as a PNG file. Requires a program built with `--features png`.
    #[arg(long, requires = "figures")]
    pub png: bool,
    /// Also write the records into DIR/SWEEP/records, one file for each table instead of one for each run.
    #[arg(long, value_name = "DIR")]
    pub merged: Option<PathBuf>,
}

/// A checkpoint of a run.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WhichCheckpoint {
    /// The latest.
    Last,
    /// The one with the lowest validation loss, if `training.checkpoint.keep_best` is set.
    Best,
}

#[derive(Args)]
pub struct EvalOptions {
    #[command(flatten)]
    pub selection: SweepSelection,
    #[command(flatten)]
    pub compute: ComputeOptions,
    /// Evaluate this checkpoint of each run that has one, and print its scores without recording them.
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<WhichCheckpoint>,
}

#[derive(Args)]
pub struct RerunOptions {
    /// A prefix of the name of a recorded run (column `run`; `isoflop compare` shows it).
    pub run: String,
    /// Folder of the sweeps and runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    /// Device; default: that of the recorded run.
    #[arg(long, value_parser = DeviceName::find)]
    pub device: Option<DeviceName>,
    /// Number of worker threads; default: that of the recorded run.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Print only the outcome.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct ProbeOptions {
    /// A sweep file, or the name of one in `sweeps/`, whose models are probed.
    #[arg(default_value = "paper")]
    pub sweep: String,
    /// Output folder.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    #[command(flatten)]
    pub changes: SweepChanges,
    /// Only these blocks.
    #[arg(long, value_name = "BLOCK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only these sizes.
    #[arg(long, value_name = "SIZE", value_delimiter = ',')]
    pub size: Vec<String>,
    #[command(flatten)]
    pub compute: ComputeOptions,
    /// Tokens of one pass, which is one sequence.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub tokens: u32,
    /// Memory that a part may need, such as 8GiB; at most and by default 85 % of the free memory.
    #[arg(long, value_name = "BYTES", value_parser = units::bytes)]
    pub memory: Option<u64>,
    /// Time for all parts together; parts that would exceed it are skipped.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = units::duration)]
    pub budget: Duration,
    /// Repeat recorded measurements.
    #[arg(long)]
    pub again: bool,
    #[command(flatten)]
    pub records: RecordExport,
    /// Also write the rows to DIR, as probes.parquet and probes.csv.
    #[arg(long, value_name = "DIR")]
    pub export: Option<PathBuf>,
}

#[derive(Args)]
pub struct ExportOptions {
    /// A recorded run: the prefix of its name, or a selection of one run as in `compare`, such as `quick:s/dense/0`.
    pub run: String,
    /// The folder, which must not exist.
    pub folder: PathBuf,
    /// Number format of the weights: f32, or bf16, which rounds them.
    #[arg(long, value_name = "TYPE", default_value = "f32", value_parser = by_serde_name::<WeightType>)]
    pub dtype: WeightType,
    /// Folder of the sweeps and runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
}

#[derive(Args)]
pub struct CompareOptions {
    /// Sweeps (`quick`), parts of them (`quick:l`, `quick:l/memory+/0`, `*` for any), folders (`runs/quick`), or
    /// prefixes of runs' names. Differences are from the first model.
    #[arg(required = true)]
    pub runs: Vec<String>,
    /// Folder of the sweeps and runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    #[command(flatten)]
    pub filter: RunFilter,
    /// Print exact numbers as CSV instead of the table.
    #[arg(long)]
    pub csv: bool,
    /// Print exact numbers as JSON instead of the table.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Also write the comparison as an HTML page.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Parses a positive number, such as `3e13`.
fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    let is_valid = number > 0.0 && number.is_finite();
    is_valid
        .then_some(number)
        .ok_or_else(|| "is not a positive number".to_owned())
}

/// Parses a value by its serde name.
fn by_serde_name<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = toml::Value::String(text.to_owned());
    T::deserialize(value).map_err(|error| error.message().to_owned())
}
