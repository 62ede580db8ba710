//! A temporary folder for each test, with a small sweep file.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A sweep with two blocks, a few steps and one small suite.
pub const TINY: &str = r#"
name = "tiny"
seeds = [0]
match = { mode = "flops" }

[decoder]
n_layers = 2
seq_len = 96
d_ff_multiple = 16

[sizes.xs]
d_model = 16
n_heads = 2
tokens = 2_000

[blocks.dense]
kind = "dense"

[blocks.memory]
kind = "memory"
placement = "middle"
keys = { n_keys = 8, n_heads = 2, top_k = 4 }

[suites]
vocab_size = 320

[suites.biographies]
people = 12
questions = 4

[training]
batch_size = 4
learning_rate = 3e-3
table_learning_rate = 1e-2
log_every = 2
validations = 2
validation_tokens = 500
"#;

/// A temporary folder, in which commands are run.
pub struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// A folder with `text` as `sweep.toml`.
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sweep.toml"), text).unwrap();
        Self { folder }
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The command `isoflop` with these arguments, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isoflop"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// The output of `isoflop` with these arguments.
    pub fn isoflop(&self, arguments: &[&str]) -> Ended {
        Ended::new(self.command(arguments).output().unwrap())
    }
}

/// Exit status and output of a command.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
