//! Conditions of a measurement: machine, program, command.

use std::fmt;

use harness::record::clock;
use harness::record::provenance::Provenance;

use crate::arguments::Arguments;

/// Conditions, one a line.
pub struct Machine {
    lines: Vec<(&'static str, String)>,
}

impl Machine {
    /// This machine, this program and, where it was measured, PyTorch.
    pub fn describe(arguments: &Arguments, torch: Option<&str>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let Provenance {
            commit,
            dirty,
            version,
        } = Provenance::gather();
        let changed = if dirty { ", with changes" } else { "" };
        let command = std::env::args()
            .skip(1)
            .filter(|argument| argument != "--bench");
        let command: Vec<String> = command.collect();
        Self {
            lines: vec![
                ("date", clock::now()),
                ("processor", format!("{}, {cores} cores", processor())),
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

    /// A Markdown list.
    pub fn markdown(&self) -> String {
        let lines = self.lines.iter();
        lines
            .map(|(what, value)| format!("- {what}: {value}\n"))
            .collect()
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines
            .iter()
            .try_for_each(|(what, value)| writeln!(f, "{what:>10}  {value}"))
    }
}

/// The processor's name, as Linux reports it.
fn processor() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |(_, name)| name.trim().to_owned(),
    )
}
