//! Evaluation of models on the tasks of suites.

mod evaluate;
mod programs;
mod result;

#[cfg(test)]
mod tests;

pub use evaluate::evaluate;
pub use result::{Answer, TaskOutcome, TaskResult};
