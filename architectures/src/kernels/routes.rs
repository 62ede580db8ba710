//! Which token is sent to which expert, sorted by expert.

/// Which token meets which expert. A place is one meeting; places are sorted by expert.
#[derive(Debug)]
pub struct Routes {
    /// Places of each expert.
    pub loads: Vec<usize>,
    /// The token at each place.
    pub token_of: Vec<i64>,
    /// The places of each token, token by token, in the order of the tokens' weights.
    pub places: Vec<i64>,
    /// Where each token's part of `places` begins, and where the last ends.
    pub starts: Vec<usize>,
}

impl Routes {
    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.starts.len() - 1
    }

    /// Each expert with its places.
    pub fn experts(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + '_ {
        let mut end = 0;
        self.loads.iter().enumerate().map(move |(expert, load)| {
            let start = end;
            end += load;
            (expert, start..end)
        })
    }
}
