//! Results of the evaluation of a task.

/// The result of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Name of the suite; `<suite> recall` for the task `recall`.
    pub suite: String,
    /// Name of the task.
    pub task: String,
    /// Name of the metric.
    pub metric: String,
    /// Answers, or the reason why the task was skipped.
    pub outcome: TaskOutcome,
    /// Score of answers that do not depend on the subject; see [`Task::baseline`](crate::Task::baseline).
    pub baseline: Option<f64>,
    /// Number of facts or functions from which the items were drawn.
    pub population: usize,
}

/// The answers to a task, or the reason why it was skipped.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskOutcome {
    /// One answer per item, in the order of the items.
    Answered(Vec<Answer>),
    /// The reason why the task was skipped.
    Skipped(String),
}

/// A model's answer to one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The item's id.
    pub item: String,
    /// The prompt as text.
    pub prompt: String,
    /// The reference answer, trimmed.
    pub expected: String,
    /// The model's answer, trimmed.
    pub given: String,
    /// Whether the answer is correct by the task's metric.
    pub correct: bool,
    /// Tokens of the reference answer, which carry the fact.
    pub answer_tokens: usize,
    /// Negative log2 probability of the tokens of the reference answer.
    pub answer_nll_bits: f64,
    /// Negative log2 probability of the separator after it: without it, "January 1" is also the beginning of "January 12".
    pub end_nll_bits: f64,
    /// log2 of the number of equally probable values, in recall; minus `answer_nll_bits` it is the number of stored bits.
    pub prior_bits: Option<f64>,
    /// The sandbox's verdict, for functions, with a note if the program ran without the system-call filter.
    pub detail: String,
}
