//! What the evaluation of a task gives.

/// The result of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Name of the suite; recall is a suite of its own, `<suite> recall`.
    pub suite: String,
    /// Name of the task.
    pub task: String,
    /// Name of the metric.
    pub metric: String,
    /// Answers, or why there are none.
    pub outcome: TaskOutcome,
    /// Score of an answer that ignores the subject; see [`Task::baseline`](crate::Task::baseline).
    pub baseline: Option<f64>,
    /// Number of facts or functions from which the items were drawn.
    pub population: usize,
}

/// Answers, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskOutcome {
    /// One answer per item, in the order of the items.
    Answered(Vec<Answer>),
    /// The reason why the task was not scored.
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
    /// Negative log2 probability of the reference answer and the separator that ends it: the probability of "January 12"
    /// does not count towards "January 1".
    pub nll_bits: f64,
    /// log2 of the number of equally likely values, in recall; less `nll_bits` these are the bits stored.
    pub prior_bits: Option<f64>,
    /// The sandbox's verdict, for functions; it states when the program ran without the system-call filter.
    pub detail: String,
}
