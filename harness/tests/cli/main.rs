//! End-to-end tests of the `isoflop` binary.

mod bad_input;
mod benchmarks;
mod closed_pipe;
mod comparing;
mod corpora;
mod deciding;
mod describing;
mod exporting;
mod full_disk;
mod interrupting;
mod matching;
mod planning;
mod planning_export;
mod probing;
mod rerunning;
mod resuming;
mod scoring;
mod scoring_programs;
mod scratch;
mod setting;
mod slurm;
mod sweeping;
mod tuning;
mod unusual_input;
