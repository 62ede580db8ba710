//! Identity of a process across machines and restarts, and whether it still runs.

use serde::{Deserialize, Serialize};

/// A process, distinguished from later ones of the same number and from those of other machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Name of the machine.
    pub host: String,
    /// Identifier of the machine's start and of the process's namespace; empty where the system has none.
    pub boot: String,
    /// Number of the process.
    pub pid: u32,
    /// Start of the process in ticks since the machine's start; 0 where the system does not say.
    pub started: u64,
}

impl ProcessIdentity {
    /// The identity of this process.
    pub fn own() -> Self {
        let pid = std::process::id();
        Self {
            host: host(),
            boot: boot(),
            pid,
            started: state(pid).map_or(0, |(_, started)| started),
        }
    }

    /// Whether the process runs; `None` if it is not of this machine, or the system does not say.
    pub fn runs(&self) -> Option<bool> {
        if self.boot.is_empty() || self.boot != boot() || self.started == 0 {
            return None;
        }
        let runs = |(state, started): (char, u64)| {
            // A zombie has ended, though nothing has waited for it.
            started == self.started && !matches!(state, 'Z' | 'X')
        };
        Some(state(self.pid).is_some_and(runs))
    }
}

impl std::fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

#[cfg(unix)]
fn host() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The machine's start and the namespace of process numbers; empty outside Linux.
fn boot() -> String {
    let start = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let namespace = std::fs::read_link("/proc/self/ns/pid");
    match (start, namespace) {
        (Ok(start), Ok(namespace)) => format!("{} {}", start.trim(), namespace.display()),
        _ => String::new(),
    }
}

/// State and start of a process; `None` if there is none, or outside Linux.
fn state(pid: u32) -> Option<(char, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may contain spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    // Field 22 of the line; the state is field 3.
    let started = fields.nth(22 - 3 - 1)?.parse().ok()?;
    Some((state, started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_runs_until_it_ends_and_its_number_alone_is_not_enough() {
        let own = ProcessIdentity::own();
        assert_eq!(own.runs(), Some(true));
        let earlier = ProcessIdentity {
            started: own.started - 1,
            ..own.clone()
        };
        assert_eq!(earlier.runs(), Some(false));
        let elsewhere = ProcessIdentity {
            boot: "another machine".to_owned(),
            ..own.clone()
        };
        assert_eq!(elsewhere.runs(), None);

        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (_, started) = loop {
            if let Some(state) = state(child.id()) {
                break state;
            }
        };
        let identity = ProcessIdentity {
            pid: child.id(),
            started,
            ..own
        };
        // Ended but not waited for.
        while identity.runs() == Some(true) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(identity.runs(), Some(false));
    }
}
