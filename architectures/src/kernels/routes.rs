//! The assignments of tokens to experts, sorted by expert.

/// The assignments of tokens to experts. An assignment is one (token, expert) pair and one row of the matrix that the
/// experts read and write, whose rows are sorted by expert.
#[derive(Debug)]
pub struct Routes {
    /// Number of rows of each expert, `[n_experts]`.
    pub loads: Vec<usize>,
    /// The token of each row, `[rows]`.
    pub source_tokens: Vec<i64>,
    /// The row of each assignment, `[rows]`, in the order of the assignments' weights: token by token.
    pub rows: Vec<i64>,
    /// First assignment of each token, and after them the number of assignments, `[tokens + 1]`.
    pub offsets: Vec<usize>,
}

impl Routes {
    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Each expert and its range of rows.
    pub fn experts(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + '_ {
        let mut end = 0;
        self.loads.iter().enumerate().map(move |(expert, load)| {
            let start = end;
            end += load;
            (expert, start..end)
        })
    }
}
