//! Several ranks that train one model: as threads of this process, for every block, and as processes of `mpirun` where there is one.

#[path = "../../../architectures/tests/models/mod.rs"]
mod models;
#[path = "../cli/scratch.rs"]
mod scratch;

mod by_mpirun;
mod checkpoints;
mod equal_losses;
mod mpirun;
mod signals;
mod traffic;
mod training;
