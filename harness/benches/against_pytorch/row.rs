//! What a row compares.

/// Work that both sides do.
pub struct Row {
    /// Its name for `--only`.
    pub name: String,
    /// Sizes, for the table.
    pub shape: String,
    /// Our variants.
    pub ours: Vec<Ours>,
    /// PyTorch's; the required ratio is against the first.
    pub theirs: Vec<Theirs>,
    /// Least ratio of their median to ours that is required.
    pub at_least: f64,
    /// Least share of the machine's read bandwidth that is required.
    pub share_at_least: Option<f64>,
    /// Bytes that an iteration has to move, where memory bandwidth is the limit.
    pub bytes: Option<usize>,
}

/// One variant of ours.
pub struct Ours {
    /// What distinguishes it from the others, if there are any.
    pub label: &'static str,
    /// Builds inputs and model.
    pub build: Box<dyn Fn() -> Work>,
}

/// Work of ours that is ready to run.
pub struct Work {
    /// One iteration.
    pub step: Box<dyn FnMut()>,
    /// Parameters that an iteration updates, without tables.
    pub parameters: usize,
    /// Parameters of tables that it updates.
    pub table_parameters: usize,
}

impl Work {
    /// An iteration that updates nothing.
    pub fn of(step: impl FnMut() + 'static) -> Self {
        Self {
            step: Box::new(step),
            parameters: 0,
            table_parameters: 0,
        }
    }
}

/// One variant of PyTorch's.
pub struct Theirs {
    /// How it is run.
    pub label: &'static str,
    /// The worker's arguments: the work and its options.
    pub arguments: Vec<String>,
}

impl Theirs {
    /// `arguments` as one would type them.
    pub fn new(label: &'static str, arguments: &str) -> Self {
        Self {
            label,
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
        }
    }
}
