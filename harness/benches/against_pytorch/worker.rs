//! PyTorch's side: a worker process that waits for input between rounds.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;

use crate::arguments::BenchArguments;
use crate::row::Theirs;

/// Path of the worker, relative to the root of the repository.
const WORKER: &str = "benches/baseline/worker.py";

/// A Python interpreter with torch.
pub struct Python {
    path: PathBuf,
    threads: usize,
}

/// A worker process that is ready to run.
pub struct Worker {
    process: Child,
    /// `None` once it is closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The description that it printed.
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
    /// Parameters that an iteration updates, without value tables.
    pub parameters: usize,
    /// Parameters of value tables.
    pub table_parameters: usize,
}

#[derive(Deserialize)]
struct Timing {
    seconds: Vec<f64>,
}

impl Python {
    /// The interpreter of `--python`.
    ///
    /// # Errors
    /// A message with the remedy, if it does not run or has no torch.
    pub fn find(arguments: &BenchArguments) -> Result<Self, String> {
        let path = arguments.python.clone();
        let probe = Command::new(&path)
            .args(["-c", "import torch"])
            .stderr(Stdio::null())
            .status();
        let remedy =
            "run `pip install torch==2.9.0` for it, or select another with `--python PATH`";
        let consequence = "only our side is measured";
        match probe {
            Ok(status) if status.success() => Ok(Self {
                path,
                threads: arguments.threads(),
            }),
            Ok(_) => Err(format!(
                "`{}` has no torch: {remedy}; {consequence}",
                path.display()
            )),
            Err(error) => Err(format!(
                "`{}` does not run ({error}): {remedy}; {consequence}",
                path.display()
            )),
        }
    }

    /// Starts `theirs` and waits until it is ready.
    ///
    /// # Errors
    /// If the worker does not start or runs another number of threads.
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
                "the worker `{}` ended; see its message above",
                command(theirs)
            )
            .into());
        }
        let ready: Ready = serde_json::from_str(&line)?;
        if ready.threads != self.threads {
            return Err(format!(
                "the worker runs {} threads, not {threads}; pass --threads",
                ready.threads
            )
            .into());
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
    /// Id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Runs `iterations` and returns the seconds of each.
    ///
    /// # Errors
    /// If the worker ends or prints something else.
    pub fn run(&mut self, iterations: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        let input = self.input.as_mut().ok_or("a worker has no input")?;
        writeln!(input, "{iterations}")?;
        input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err("a worker ended during the measurement; see its message above".into());
        }
        Ok(serde_json::from_str::<Timing>(&line)?.seconds)
    }
}

impl Drop for Worker {
    /// Closes its input, which ends it, and waits, so that its memory is free before the next worker starts.
    fn drop(&mut self) {
        self.input = None;
        if let Err(error) = self.process.wait() {
            eprintln!("cannot wait for a worker to end: {error}");
        }
    }
}

/// The command that runs `theirs` separately.
pub fn command(theirs: &Theirs) -> String {
    format!("python {WORKER} {}", theirs.arguments.join(" "))
}
