//! Resource limits of programs.

use serde::{Deserialize, Serialize};

/// Resource limits of one program. Its tests run in a second process under the same limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxLimits {
    /// Wall-clock time of a program with its tests, in seconds, from when both interpreters have started, unless the program has a
    /// limit of its own.
    pub wall_seconds: f64,
    /// CPU time, in whole seconds, unless the program has a limit of its own.
    pub cpu_seconds: u64,
    /// Size of the address space, in bytes; not enforced by macOS. A program is one process, so that this bounds its memory
    /// together with `temporary_bytes` and its pipes.
    pub memory_bytes: u64,
    /// Maximum size of a file, in bytes.
    pub file_bytes: u64,
    /// Maximum size of all temporary files, in bytes; they are in memory.
    pub temporary_bytes: u64,
    /// Maximum number of threads of a program.
    pub threads_per_program: u64,
    /// Maximum output in bytes; a program with more is killed.
    pub output_bytes: usize,
    /// Number of programs that run concurrently.
    pub threads: usize,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self {
            wall_seconds: 5.0,
            cpu_seconds: 2,
            memory_bytes: 512 << 20,
            file_bytes: 1 << 20,
            temporary_bytes: 8 << 20,
            threads_per_program: 40,
            output_bytes: 64 << 10,
            threads: 2,
        }
    }
}
