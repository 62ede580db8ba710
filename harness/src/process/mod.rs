//! Memory and standard streams of the process.
//!
//! | module | contents |
//! |---|---|
//! | [`broken_pipe`] | the end of the process on a closed standard output |
//! | [`standard_error`] | messages |
//! | [`allocator`] | configuration of the allocator |
//! | [`peak_memory`] | peak resident memory |

pub mod allocator;
pub mod broken_pipe;
pub mod peak_memory;
pub mod standard_error;
