//! The plan as exact numbers, one line a run.

use harness::error::Error;
use harness::memory_need::MemoryNeed;
use harness::plan::Run;
use serde::Serialize;

/// One run; FLOPs and bytes are of training and of one token where the name says so.
#[derive(Serialize)]
struct PlanRow<'a> {
    size: &'a str,
    block: &'a str,
    seed: u64,
    params_dense: u64,
    params_table: u64,
    params_active: u64,
    forward_matmul_flops_per_token: u64,
    forward_attention_flops_per_token: u64,
    forward_lookup_flops_per_token: u64,
    bytes_gathered_per_token: u64,
    tokens: u64,
    steps: usize,
    target_flops: f64,
    train_flops: f64,
    memory_bytes: u64,
}

/// Prints the runs as CSV.
pub fn print(runs: &[Run]) -> Result<(), Error> {
    let mut out = csv::Writer::from_writer(std::io::stdout());
    for run in runs {
        let (cell, cost, budget) = (&run.cell, &run.cost, &run.budget);
        out.serialize(PlanRow {
            size: &cell.size,
            block: &cell.block,
            seed: cell.seed,
            params_dense: cost.params_dense,
            params_table: cost.params_table,
            params_active: cost.params_active,
            forward_matmul_flops_per_token: cost.matmul,
            forward_attention_flops_per_token: cost.attention,
            forward_lookup_flops_per_token: cost.lookup,
            bytes_gathered_per_token: cost.bytes_gathered,
            tokens: budget.tokens,
            steps: budget.steps,
            target_flops: budget.target_flops,
            train_flops: budget.train_flops,
            memory_bytes: MemoryNeed::of(run).total(),
        })?;
    }
    out.flush().map_err(csv::Error::from)?;
    Ok(())
}
