//! The plan of the paper's sweep: the requirements of its models, derived by formula, neither measured nor published.
//!
//! `results/planned/paper.csv` is what `isoflop plan` prints for `sweeps/paper.toml` under [`ASSUMED`]; a test of the
//! harness compares the two.

use std::sync::LazyLock;

use serde::Deserialize;

/// The arguments under which the plan was printed.
pub const ASSUMED: [&str; 7] = [
    "--csv",
    "--numeric-format",
    "bf16",
    "--device-memory",
    "80GiB",
    "--throughput",
    "400T",
];

/// One run of the plan. The file has more columns.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PlannedRow {
    /// Label of the size.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// Parameters outside tables.
    pub params_dense: u64,
    /// Parameters of tables.
    pub params_table: u64,
    /// All parameters.
    pub params_total: u64,
    /// Forward FLOPs of one token.
    pub forward_flops_per_token: u64,
    /// Bytes of table rows that one token gathers.
    pub bytes_gathered_per_token: u64,
    /// Training tokens.
    pub tokens: u64,
    /// Training FLOPs of the run.
    pub train_flops: f64,
    /// Memory of weights in bytes; like gradients and optimizer state without those of tables.
    pub weights_bytes: u64,
    /// Memory of gradients in bytes.
    pub gradients_bytes: u64,
    /// Memory of optimizer moments in bytes.
    pub optimizer_bytes: u64,
    /// Memory of value tables with their gradients and optimizer state, in bytes.
    pub table_bytes: u64,
    /// Smallest number of devices on which it fits, one sequence at a time and every layer computed again; none if no number is sufficient.
    #[serde(rename = "least_devices")]
    pub devices: Option<u64>,
    /// Device hours at the assumed throughput.
    pub device_hours: f64,
}

static ROWS: LazyLock<Vec<PlannedRow>> = LazyLock::new(|| {
    // Compiled in and parsed by a test.
    parse(PAPER).unwrap_or_else(|error| panic!("results/planned/paper.csv: {error}"))
});

/// The file's text.
pub const PAPER: &str = include_str!("../planned/paper.csv");

/// The plan of the paper's sweep, in its order.
pub fn planned() -> &'static [PlannedRow] {
    &ROWS
}

fn parse(text: &str) -> Result<Vec<PlannedRow>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_has_the_papers_models() {
        let total = |size: &str, block: &str| {
            let row = planned()
                .iter()
                .find(|row| row.size == size && row.block == block);
            row.unwrap_or_else(|| panic!("{size} {block}")).params_total as f64
        };
        // Table 1, within the precision of a transcription with three decimals.
        for (size, block, printed) in [
            ("134m", "peer", 1.037e9),
            ("1.3b", "memory", 3.377e9),
            ("1.3b", "memory+64m", 138.748e9),
        ] {
            let off = total(size, block) / printed - 1.0;
            assert!(off.abs() < 5e-4, "{size} {block}: {off}");
        }
        assert!(
            planned()
                .iter()
                .all(|row| row.device_hours > 0.0 && row.weights_bytes > 0)
        );
    }
}
