//! The process and its machine: memory, standard streams, disk, identity, processor.
//!
//! | module | contents |
//! |---|---|
//! | [`broken_pipe`] | the end of the process on a closed standard output |
//! | [`standard_error`] | messages |
//! | [`allocator`] | the allocator of all programs |
//! | [`peak_memory`] | peak resident memory |
//! | [`panics`] | panics that are returned, and logged |
//! | [`disk_space`] | free space of a file system |
//! | [`durable`] | flushing of folders |
//! | [`identity`] | identity of a process, and whether it still runs |
//! | [`instruction_set`] | the processor and its extensions |

pub mod allocator;
pub mod broken_pipe;
pub mod disk_space;
pub mod durable;
pub mod identity;
pub mod instruction_set;
pub mod panics;
pub mod peak_memory;
pub mod standard_error;
