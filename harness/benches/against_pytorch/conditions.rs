//! Conditions of a measurement: machine, versions, command.

use std::fmt;

use harness::process::instruction_set;
use harness::record::clock;
use harness::record::provenance::Provenance;

use crate::arguments::BenchArguments;

/// Named conditions, one per line.
pub struct Conditions {
    lines: Vec<(&'static str, String)>,
}

impl Conditions {
    /// The conditions of this process.
    ///
    /// # Arguments
    /// * `torch`: versions of PyTorch and Python, if they were measured.
    pub fn describe(arguments: &BenchArguments, torch: Option<&str>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let Provenance {
            commit,
            dirty,
            version,
            ..
        } = Provenance::gather();
        let changed = if dirty {
            ", with uncommitted changes"
        } else {
            ""
        };
        let command = std::env::args()
            .skip(1)
            .filter(|argument| argument != "--bench");
        let command: Vec<String> = command.collect();
        Self {
            lines: vec![
                ("date", clock::now()),
                (
                    "processor",
                    format!("{}, {cores} cores", processor_or_architecture()),
                ),
                ("threads", format!("{} on each side", arguments.threads())),
                ("ours", format!("{version}; commit {commit}{changed}")),
                ("theirs", torch.unwrap_or("not measured").to_owned()),
                (
                    "command",
                    format!(
                        "cargo bench -p harness --bench against_pytorch -- {}",
                        command.join(" ")
                    ),
                ),
            ],
        }
    }

    /// The conditions as a Markdown list.
    pub fn markdown(&self) -> String {
        let lines = self.lines.iter();
        lines
            .map(|(name, value)| format!("- {name}: {value}\n"))
            .collect()
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines
            .iter()
            .try_for_each(|(name, value)| writeln!(f, "{name:>10}  {value}"))
    }
}

/// The name of the processor from `/proc/cpuinfo`, or else the architecture.
fn processor_or_architecture() -> String {
    match instruction_set::processor() {
        name if name.is_empty() => std::env::consts::ARCH.to_owned(),
        name => name,
    }
}
