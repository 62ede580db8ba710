//! The ranks that this process was started with, and the option `--ranks`.

use std::sync::Arc;

use architectures::DeviceName;
use collectives::{Collectives, Launched, OneRank, ranks_of_environment};

use crate::error::Error;

/// The ranks of this process.
///
/// # Arguments
/// * `wanted`: the option `--ranks`: none for as many as were started; 1 for a process that trains on its own, whatever else was
///   started with it.
/// * `device`: with the feature `nccl`, ranks on CUDA devices exchange by NCCL; all others by copies in host memory.
///
/// # Errors
/// If other processes were started with this one and cannot be its ranks, or not as many as wanted.
pub fn started_ranks(
    wanted: Option<u16>,
    device: DeviceName,
) -> Result<Arc<dyn Collectives>, Error> {
    let started = Launched::of_environment().map_or(1, |launched| launched.processes);
    match wanted.map(usize::from) {
        Some(1) => Ok(OneRank::shared()),
        Some(wanted) if wanted != started => Err(Error::Argument {
            argument: format!("--ranks {wanted}"),
            problem: match started {
                1 => "was given to a process that was started alone".to_owned(),
                _ => format!("was given to one of {started} processes"),
            },
            remedy: format!("start it by `mpirun -n {wanted}`"),
        }),
        _ => on_device(ranks_of_environment()?, device),
    }
}

#[cfg(not(feature = "nccl"))]
fn on_device(ranks: Arc<dyn Collectives>, _: DeviceName) -> Result<Arc<dyn Collectives>, Error> {
    Ok(ranks)
}

/// Each rank uses the first device that it sees: the launcher shows each another one.
#[cfg(feature = "nccl")]
fn on_device(
    ranks: Arc<dyn Collectives>,
    device: DeviceName,
) -> Result<Arc<dyn Collectives>, Error> {
    if ranks.ranks() == 1 || !matches!(device, DeviceName::Cuda { .. }) {
        return Ok(ranks);
    }
    let nccl = collectives::nccl::NcclCollectives::of_launcher(ranks, &device.open(), 0);
    match nccl {
        Ok(nccl) => Ok(Arc::new(nccl)),
        Err(error) => Err(Error::Argument {
            argument: format!("--device {device}"),
            problem: format!("cannot be used by several ranks: {error}"),
            remedy: "give each rank a device of its own by CUDA_VISIBLE_DEVICES".to_owned(),
        }),
    }
}

/// Checks that this process was started alone.
///
/// # Errors
/// If it was not.
pub fn check_started_alone() -> Result<(), Error> {
    match Launched::of_environment() {
        None => Ok(()),
        Some(launched) => Err(Error::Argument {
            argument: "this command".to_owned(),
            problem: format!(
                "was started as {} processes by {}; only `isoflop sweep` and `isoflop tune` are executed by several ranks",
                launched.processes, launched.launcher
            ),
            remedy: "start it alone".to_owned(),
        }),
    }
}
