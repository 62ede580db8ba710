//! The resources that a child may use.

use serde::{Deserialize, Serialize};

/// Limits of one program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxLimits {
    /// Wall clock, in seconds, after which the process group is killed.
    pub wall_seconds: f64,
    /// Processor time, in whole seconds.
    pub cpu_seconds: u64,
    /// Address space, in bytes. Not enforced by macOS.
    pub memory_bytes: u64,
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// Maximum output, in bytes; a program that prints more is killed.
    pub output_bytes: usize,
    /// Number of programs that run at a time.
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
