//! PyTorch's side: a process that waits between rounds.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::row::Theirs;

/// Where the worker is, from the root of the repository.
const WORKER: &str = "benches/baseline/worker.py";

/// An interpreter that has torch.
pub struct Python {
    path: PathBuf,
    threads: usize,
}

/// A worker that is ready.
pub struct Worker {
    process: Child,
    /// None once it has been closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Its description of itself.
    pub ready: Ready,
}

/// The description that a worker prints when it is ready.
#[derive(Clone, Deserialize)]
pub struct Ready {
    /// Version of torch.
    pub torch: String,
    /// Version of the interpreter.
    pub python: String,
    threads: usize,
    /// Parameters without tables.
    pub parameters: usize,
    /// Parameters of tables.
    pub table_parameters: usize,
}

#[derive(Deserialize)]
struct Timing {
    seconds: Vec<f64>,
}

impl Python {
    /// The interpreter requested, or what to do about it.
    pub fn find(arguments: &Arguments) -> Result<Self, String> {
        let path = arguments.python.clone();
        let probe = Command::new(&path)
            .args(["-c", "import torch"])
            .stderr(Stdio::null())
            .status();
        let remedy = "`pip install torch==2.9.0` into it or name another with `--python PATH`";
        let alone = "our side alone is measured";
        match probe {
            Ok(status) if status.success() => Ok(Self {
                path,
                threads: arguments.threads(),
            }),
            Ok(_) => Err(format!(
                "`{}` has no torch: {remedy}; {alone}",
                path.display()
            )),
            Err(error) => Err(format!(
                "`{}` does not run ({error}): {remedy}; {alone}",
                path.display()
            )),
        }
    }

    /// Starts `theirs` and waits until it is ready.
    pub fn start(&self, theirs: &Theirs) -> Result<Worker, Box<dyn Error>> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let threads = self.threads.to_string();
        let mut process = Command::new(&self.path)
            .current_dir(root)
            .arg(WORKER)
            .args(&theirs.arguments)
            .args(["--threads", &threads])
            .env("OMP_NUM_THREADS", &threads)
            .env("MKL_NUM_THREADS", &threads)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut output = BufReader::new(output.ok_or("a worker has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!(
                "the worker `{}` ended: see its message above",
                command(theirs)
            )
            .into());
        }
        let ready: Ready = serde_json::from_str(&line)?;
        if ready.threads != self.threads {
            return Err(format!("a worker runs {} threads, not {threads}", ready.threads).into());
        }
        Ok(Worker {
            process,
            input,
            output,
            ready,
        })
    }
}

impl Worker {
    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The seconds of each of `iterations`.
    pub fn run(&mut self, iterations: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        let input = self.input.as_mut().ok_or("a worker has no input")?;
        writeln!(input, "{iterations}")?;
        input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err("a worker ended while it was measured: see its message above".into());
        }
        Ok(serde_json::from_str::<Timing>(&line)?.seconds)
    }
}

impl Drop for Worker {
    /// End of input ends it; its memory must be free before the next one starts.
    fn drop(&mut self) {
        self.input = None;
        if let Err(error) = self.process.wait() {
            eprintln!("a worker did not end: {error}");
        }
    }
}

/// The command that runs `theirs` by hand.
pub fn command(theirs: &Theirs) -> String {
    format!("python {WORKER} {}", theirs.arguments.join(" "))
}
