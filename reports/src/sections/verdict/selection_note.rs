//! The note that the best of several blocks was chosen by its result.

/// The best of several is ahead partly because it was chosen.
pub fn selection_note(blocks: usize) -> String {
    match blocks {
        0 | 1 => String::new(),
        several => format!("; it is the best of {several} blocks, uncorrected for that choice"),
    }
}
