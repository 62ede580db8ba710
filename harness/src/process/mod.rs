//! The process itself: its memory and its standard output.
//!
//! | module | contents |
//! |---|---|
//! | [`broken_pipe`] | what a closed standard output does |
//! | [`allocator`] | keeps freed memory with the process |
//! | [`peak_memory`] | the most memory held at once |

pub mod allocator;
pub mod broken_pipe;
pub mod peak_memory;
