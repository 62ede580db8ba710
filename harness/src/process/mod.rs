//! Memory and standard output of the process.
//!
//! | module | contents |
//! |---|---|
//! | [`broken_pipe`] | behaviour on a closed standard output |
//! | [`allocator`] | configuration of the allocator |
//! | [`peak_memory`] | peak resident memory |

pub mod allocator;
pub mod broken_pipe;
pub mod peak_memory;
