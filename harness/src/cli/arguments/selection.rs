//! Options that select a sweep, what is changed in it, and its runs.

use std::path::PathBuf;

use clap::Args;
use experiment::sweep_file::Override;

/// A sweep and its output folder.
#[derive(Args)]
pub struct SweepLocation {
    /// A sweep file, or the name of one in `sweeps/`.
    #[arg(default_value = "quick")]
    pub sweep: String,
    /// Output folder.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub output: PathBuf,
    #[command(flatten)]
    pub changes: SweepChanges,
}

/// Keys of a sweep file that are given on the command line.
#[derive(Args, Clone, Default)]
pub struct SweepChanges {
    /// Use VALUE for KEY instead of what the sweep file has, such as training.batch_size=8 or
    /// sizes.134m.tokens=20e9; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Override>,
}

/// A sweep, or a part of one.
#[derive(Args)]
pub struct SweepSelection {
    #[command(flatten)]
    pub location: SweepLocation,
    #[command(flatten)]
    pub filter: RunFilter,
    /// Only these runs, as `isoflop slurm` names them.
    #[arg(long, value_name = "SIZE/BLOCK/SEED")]
    pub run: Vec<String>,
}

/// A selection of runs of a sweep by their labels; an empty list selects all.
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
