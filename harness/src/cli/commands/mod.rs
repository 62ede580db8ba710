//! One file per command, and functions that they share.

pub mod compare;
pub mod compare_table;
pub mod compare_values;
pub mod comparison;
pub mod decide;
pub mod describe;
pub mod eval;
mod execution;
pub mod finish_report;
pub mod forecast;
pub mod init;
pub mod match_blocks;
pub mod plan;
pub mod plan_row;
pub mod plan_tables;
pub mod probe;
pub mod probe_table;
pub mod report;
pub mod rerun;
pub mod selected_plan;
pub mod status;
pub mod sweep;
pub mod terminal_table;
pub mod tune;
pub mod worker_threads;
pub mod workers;
