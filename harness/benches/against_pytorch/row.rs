//! Rows of the comparison.

use crate::demand::Demand;
use crate::random_rows::RandomRowsShape;

/// Work that both sides execute.
pub struct Row {
    /// Name for `--only`.
    pub name: String,
    /// Sizes, for the table.
    pub shape: String,
    /// Variants of ours.
    pub ours: Vec<Ours>,
    /// Variants of PyTorch.
    pub theirs: Vec<Theirs>,
    /// Required ratio of the median time of the fastest variant of PyTorch to ours.
    pub at_least: f64,
    /// Required share of the machine's read bandwidth, if any.
    pub share_at_least: Option<f64>,
    /// Bytes that an iteration must move, if memory bandwidth is the limit.
    pub bytes: Option<usize>,
    /// Shape of the random reads whose rate is measured beside it, if it reads little else.
    pub random_rows: Option<RandomRowsShape>,
    /// Whether the variants of PyTorch are measured one after the other, since all of them together exceed the memory of a
    /// common machine.
    pub in_turns: bool,
}

/// One variant of ours.
pub struct Ours {
    /// Distinguishes it from other variants; empty if there are none.
    pub label: &'static str,
    /// Builds the inputs and the model.
    pub build: Box<dyn Fn() -> Work>,
}

/// Work of ours, ready to run.
pub struct Work {
    /// One iteration.
    pub step: Box<dyn FnMut()>,
    /// Parameters that an iteration updates, without value tables.
    pub parameters: usize,
    /// Parameters of value tables that an iteration updates.
    pub table_parameters: usize,
    /// What an iteration requires at least, if its time is compared with the peak rates of the machine.
    pub demand: Option<Demand>,
}

impl Work {
    /// Work without updates of parameters.
    pub fn of(step: impl FnMut() + 'static) -> Self {
        Self {
            step: Box::new(step),
            parameters: 0,
            table_parameters: 0,
            demand: None,
        }
    }
}

/// One variant of PyTorch.
pub struct Theirs {
    /// Its mode, such as eager or compiled.
    pub label: &'static str,
    /// BenchArguments of the worker: the work and its options.
    pub arguments: Vec<String>,
    /// Required ratio of its median time to ours, if it has one of its own.
    pub at_least: Option<f64>,
}

impl Theirs {
    /// A variant with `arguments`, separated by spaces.
    pub fn new(label: &'static str, arguments: &str) -> Self {
        Self {
            label,
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            at_least: None,
        }
    }

    /// The same with a required ratio of its own.
    pub fn at_least(self, ratio: f64) -> Self {
        Self {
            at_least: Some(ratio),
            ..self
        }
    }
}
