//! Options of `isoflop slurm`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use experiment::units;

use super::{DeviceOptions, SweepSelection};

/// Form of the list of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JobFormat {
    /// Scripts of job arrays.
    Slurm,
    /// A command for each run on a line, on standard output, as GNU parallel reads them.
    Lines,
    /// Jobs as YAML, on standard output.
    Kubernetes,
}

#[derive(Args)]
pub struct SlurmOptions {
    #[command(flatten)]
    pub selection: SweepSelection,
    #[command(flatten)]
    pub devices: DeviceOptions,
    /// Form of the list of runs.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "slurm")]
    pub format: JobFormat,
    /// Submit the jobs, which requires `sbatch`.
    #[arg(long)]
    pub submit: bool,
    /// Template of the jobs instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Print the built-in template and do nothing else.
    #[arg(long)]
    pub print_template: bool,
    /// Device of the runs, such as cuda.
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,
    /// Number of worker threads of a process, for which so many cores are requested.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
    /// The program in the jobs; default: this one, or with --format kubernetes `isoflop`.
    #[arg(long, value_name = "PROGRAM")]
    pub program: Option<String>,
    /// Devices of a machine.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub devices_per_node: u16,
    /// Host memory to request on a machine, such as 64GiB; default: estimated.
    #[arg(long, value_name = "BYTES", value_parser = units::bytes)]
    pub memory: Option<u64>,
    /// Factor by which estimated times are raised.
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, value_parser = super::positive)]
    pub time_margin: f64,
    /// Longest time limit of a job, such as 24h; longer runs are continued when the job is queued again.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = units::duration)]
    pub max_time: Duration,
    /// Time before the limit of a job at which a run is asked to stop, for its step and checkpoint.
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = units::duration)]
    pub grace: Duration,
    /// Largest number of runs of an array (Slurm's MaxArraySize less 1).
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..))]
    pub array_size: u16,
    /// Largest number of runs of an array at a time; default: no limit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub at_once: Option<u16>,
    /// Partition of Slurm.
    #[arg(long, value_name = "NAME")]
    pub partition: Option<String>,
    /// Account of Slurm.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// A further option of sbatch, such as qos=high or exclusive; may be given several times.
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub sbatch_option: Vec<String>,
    /// Image of the container, for --format kubernetes.
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Claim of the volume that has this folder, for --format kubernetes.
    #[arg(long, value_name = "NAME")]
    pub volume_claim: Option<String>,
}
