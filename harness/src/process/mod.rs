//! The process itself: its memory.
//!
//! | module | contents |
//! |---|---|
//! | [`allocator`] | keeps freed memory with the process |
//! | [`peak_memory`] | the most memory held at once |

pub mod allocator;
pub mod peak_memory;
