//! Evaluation: a suite's prompts are given to a model and its answers are judged.

mod evaluate;
mod programs;
mod result;

#[cfg(test)]
mod tests;

pub use evaluate::evaluate;
pub use result::{Answer, TaskOutcome, TaskResult};
