//! Processor time used by other processes during a measurement. PyTorch synchronises its threads at every operation, so
//! that one other busy process can slow it down several times.

use std::fs;

/// Processor time of others, as shares of all processor time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disturbance {
    /// Used by other processes.
    pub others: f64,
    /// Used by the host of a virtual machine (steal time).
    pub stolen: f64,
}

/// Clock ticks since the system started.
#[derive(Clone, Copy)]
struct Ticks {
    all: u64,
    busy: u64,
    stolen: u64,
    /// Used by the measured processes.
    own: u64,
}

/// Measures the disturbance between [`DisturbanceTimer::begin`] and [`DisturbanceTimer::end`].
pub struct DisturbanceTimer {
    processes: Vec<u32>,
    first: Option<Ticks>,
}

impl DisturbanceTimer {
    /// Starts the measurement.
    ///
    /// # BenchArguments
    /// * `processes`: ids of the measured processes; duplicates are allowed.
    pub fn begin(mut processes: Vec<u32>) -> Self {
        processes.sort_unstable();
        processes.dedup();
        let first = ticks(&processes);
        Self { processes, first }
    }

    /// The shares since the start; `None` if the system does not report them.
    pub fn end(self) -> Option<Disturbance> {
        let (first, last) = (self.first?, ticks(&self.processes)?);
        let all = (last.all - first.all).max(1) as f64;
        let busy = last.busy.saturating_sub(first.busy);
        let own = last.own.saturating_sub(first.own);
        Some(Disturbance {
            others: busy.saturating_sub(own) as f64 / all,
            stolen: last.stolen.saturating_sub(first.stolen) as f64 / all,
        })
    }
}

/// Clock ticks from `/proc/stat` of Linux; `None` on other systems.
fn ticks(processes: &[u32]) -> Option<Ticks> {
    let system = fs::read_to_string("/proc/stat").ok()?;
    let fields = system.lines().next()?.strip_prefix("cpu")?;
    let fields: Vec<u64> = fields
        .split_whitespace()
        .take(8)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let &[user, nice, system, idle, waiting, irq, soft_irq, stolen] = fields.as_slice() else {
        return None;
    };
    let busy = user + nice + system + irq + soft_irq;
    let own = processes.iter().map(|&process| process_ticks(process));
    Some(Ticks {
        all: busy + idle + waiting + stolen,
        busy,
        stolen,
        own: own.sum::<Option<u64>>()?,
    })
}

/// User and system time of all threads of a process: the twelfth and thirteenth field after its name, which may contain
/// spaces.
fn process_ticks(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}
