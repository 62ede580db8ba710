//! Which ranks this process was started as.
//!
//! A launcher tells its processes by environment variables how many they are. They are read before MPI is initialised, so that a
//! program that is started alone never starts MPI, and one without the feature `mpi` can say that it lacks it.

use std::sync::Arc;

use crate::{Collectives, OneRank};

/// Variables by which launchers state the number of processes: Open MPI's `mpirun`; `mpiexec` of MPICH, Intel MPI and others by
/// PMI; Slurm's `srun`, for the processes of one step.
const VARIABLES: [(&str, &str); 3] = [
    ("mpirun", "OMPI_COMM_WORLD_SIZE"),
    ("mpiexec", "PMI_SIZE"),
    ("srun", "SLURM_STEP_NUM_TASKS"),
];

/// Processes that a launcher started together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The launcher, such as `mpirun`.
    pub launcher: &'static str,
    /// Number of its processes, at least 2.
    pub processes: usize,
}

impl Launched {
    /// As the environment of this process says; `None` if it was started alone.
    pub fn of_environment() -> Option<Self> {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        VARIABLES.into_iter().find_map(|(launcher, name)| {
            let processes: usize = variable(name)?.parse().ok()?;
            (processes > 1).then_some(Self {
                launcher,
                processes,
            })
        })
    }
}

/// Why the processes of a launcher cannot be the ranks of one program.
#[derive(Debug, PartialEq, Eq)]
pub enum LaunchError {
    /// This program was built without the feature `mpi`.
    WithoutMpi(Launched),
    /// MPI cannot be initialised for calls of several threads.
    Threading(Launched),
    /// MPI has another number of processes than the launcher started.
    Processes(Launched, usize),
}

impl std::error::Error for LaunchError {}

impl std::fmt::Display for LaunchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WithoutMpi(Launched {
                launcher,
                processes,
            }) => write!(
                f,
                "{launcher} started {processes} processes, and this program was built without the feature `mpi`; build it with \
                 `--features mpi` (docs/ranks.md), start one process, or give --ranks 1 for {processes} processes that share the \
                 runs and train each on its own"
            ),
            Self::Threading(Launched { launcher, .. }) => write!(
                f,
                "the MPI of {launcher} cannot be initialised for calls of several threads (MPI_THREAD_SERIALIZED); use a build of \
                 it with threads"
            ),
            Self::Processes(
                Launched {
                    launcher,
                    processes,
                },
                found,
            ) => write!(
                f,
                "{launcher} started {processes} processes, and MPI found {found}; start the program by the launcher of the MPI that \
                 it was built with (under Slurm, `srun --mpi=pmix` or mpirun)"
            ),
        }
    }
}

/// The collective operations of this process: those of the processes of its launcher, or of one rank if it was started alone.
///
/// # Errors
/// If it was started with others, and they cannot be ranks of one program.
pub fn ranks_of_environment() -> Result<Arc<dyn Collectives>, LaunchError> {
    match Launched::of_environment() {
        None => Ok(Arc::new(OneRank)),
        Some(launched) => launched_ranks(launched),
    }
}

#[cfg(not(feature = "mpi"))]
fn launched_ranks(launched: Launched) -> Result<Arc<dyn Collectives>, LaunchError> {
    Err(LaunchError::WithoutMpi(launched))
}

#[cfg(feature = "mpi")]
fn launched_ranks(launched: Launched) -> Result<Arc<dyn Collectives>, LaunchError> {
    let transport = crate::MpiTransport::initialize().ok_or(LaunchError::Threading(launched))?;
    let ranks = crate::Transport::ranks(&transport);
    if ranks != launched.processes {
        return Err(LaunchError::Processes(launched, ranks));
    }
    Ok(Arc::new(crate::OverHost::new(transport)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_known_by_their_variables() {
        let launched = |name: &'static str, value: &'static str| {
            Launched::of(|asked| (asked == name).then(|| value.to_owned()))
        };
        for (launcher, name) in VARIABLES {
            let expected = Launched {
                launcher,
                processes: 4,
            };
            assert_eq!(launched(name, "4"), Some(expected));
            assert_eq!(launched(name, "1"), None);
            assert_eq!(launched(name, "many"), None);
        }
        assert_eq!(launched("PATH", "4"), None);
    }

    #[test]
    fn a_program_without_mpi_says_what_to_do() {
        let error = LaunchError::WithoutMpi(Launched {
            launcher: "mpirun",
            processes: 4,
        })
        .to_string();
        for part in ["mpirun started 4 processes", "--features mpi", "--ranks 1"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
