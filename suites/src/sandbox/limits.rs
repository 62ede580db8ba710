//! Resource limits of the child process.

use serde::{Deserialize, Serialize};

/// Resource limits of one program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxLimits {
    /// Wall-clock time in seconds after which the process group is killed.
    pub wall_seconds: f64,
    /// CPU time, in whole seconds.
    pub cpu_seconds: u64,
    /// Size of the address space, in bytes; not enforced by macOS.
    pub memory_bytes: u64,
    /// Maximum size of a file, in bytes.
    pub file_bytes: u64,
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
            output_bytes: 64 << 10,
            threads: 2,
        }
    }
}
