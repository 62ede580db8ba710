//! The note that the best of several blocks was selected by its own result.

/// The best of several is ahead partly because it was selected.
pub fn selection_note(candidates: usize) -> String {
    match candidates {
        0 | 1 => String::new(),
        several => format!("; it is the best of {several} blocks, uncorrected for that choice"),
    }
}
