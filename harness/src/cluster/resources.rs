//! What a run requires of the machines of a cluster.

use experiment::estimate::Estimate;
use experiment::memory_need::Bytes;
use serde::Serialize;

/// One gibibyte.
const GIB: Bytes = 1 << 30;

/// Host memory of a process beside the parameters: program, tokens and items of suites.
const OF_PROGRAM: Bytes = 2 * GIB;

/// Share by which the estimate of memory is raised.
const MEMORY_MARGIN: f64 = 1.25;

/// Seconds of a job beside training: its start, data, evaluation.
const BESIDE_TRAINING: f64 = 15.0 * 60.0;

/// Time limits, in minutes; what is longer is rounded up to whole days. Few of them make few groups.
const LIMITS: [u64; 8] = [30, 60, 120, 240, 480, 720, 1440, 2880];

/// Minutes of a day.
const DAY: u64 = 1440;

/// Requirements of a job, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Resources {
    /// Devices, each with a process of its own.
    pub devices: u64,
    /// Machines.
    pub nodes: u64,
    /// Devices of a machine.
    pub devices_per_node: u64,
    /// Host memory of a machine, in GiB.
    pub memory_gib: u64,
    /// Time limit in minutes.
    pub minutes: u64,
}

/// How requirements follow from estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margins {
    /// Factor of the estimated time.
    pub time: f64,
    /// Longest time limit, in minutes. A longer run is continued by the job that is put back in the queue.
    pub max_minutes: u64,
    /// Devices of a machine.
    pub devices_per_node: u64,
    /// Host memory of a machine in bytes, if it is stated.
    pub memory: Option<Bytes>,
    /// Whether a device has memory of its own, so that the host holds parameters and moments only while they are saved or loaded.
    pub has_own_memory: bool,
}

impl Resources {
    /// The requirements of a run with `estimate`; `None` if no number of devices holds it.
    pub fn of(estimate: &Estimate, margins: &Margins) -> Option<Self> {
        let devices = estimate.devices?;
        let count = devices.count;
        let devices_per_node = count.min(margins.devices_per_node.max(1));
        let nodes = count.div_ceil(devices_per_node);
        let need = &estimate.need;
        let of_rank = match margins.has_own_memory {
            true => need
                .weights
                .saturating_add((need.optimizer.saturating_add(need.table)).div_ceil(count)),
            false => devices.max_bytes,
        };
        let of_rank = (of_rank as f64 * MEMORY_MARGIN) as Bytes + OF_PROGRAM;
        let of_node = margins
            .memory
            .unwrap_or(of_rank.saturating_mul(devices_per_node));
        let seconds = estimate.seconds.unwrap_or(f64::MAX) * margins.time + BESIDE_TRAINING;
        Some(Self {
            devices: count,
            nodes,
            devices_per_node: count.div_ceil(nodes),
            memory_gib: rounded_memory(of_node),
            minutes: rounded_minutes(seconds).min(margins.max_minutes),
        })
    }
}

/// Whole GiB: up to 8 each, then a multiple of an eighth of the power of two below.
fn rounded_memory(bytes: Bytes) -> u64 {
    let gib = bytes.div_ceil(GIB).max(1);
    let step = (gib.next_power_of_two() / 16).max(1);
    gib.div_ceil(step) * step
}

/// The limit at or above `seconds`, in minutes.
fn rounded_minutes(seconds: f64) -> u64 {
    let minutes = (seconds / 60.0).ceil() as u64;
    let limit = LIMITS.into_iter().find(|limit| *limit >= minutes);
    limit.unwrap_or_else(|| minutes.div_ceil(DAY).saturating_mul(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use experiment::devices::Devices;
    use experiment::estimate::Assumptions;
    use experiment::plan::Plan;
    use experiment::speed::Speed;
    use experiment::sweep_file::Sweep;

    fn estimate(memory: Bytes, rate: f64) -> Estimate {
        let plan = Plan::new(Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap()).unwrap();
        let assumed = Assumptions {
            format: None,
            device_memory: memory,
            price: None,
        };
        Estimate::of(&plan.runs[1], Speed::Stated(rate), &assumed).unwrap()
    }

    const MARGINS: Margins = Margins {
        time: 2.0,
        max_minutes: DAY,
        devices_per_node: 2,
        memory: None,
        has_own_memory: false,
    };

    #[test]
    fn a_small_run_requires_one_device_and_the_shortest_limit() {
        let resources = Resources::of(&estimate(1 << 40, 1e12), &MARGINS).unwrap();
        assert_eq!((resources.devices, resources.nodes), (1, 1));
        assert_eq!((resources.memory_gib, resources.minutes), (3, 30));
    }

    #[test]
    fn a_run_that_fits_no_device_has_no_requirements() {
        assert_eq!(Resources::of(&estimate(1000, 1e12), &MARGINS), None);
    }

    #[test]
    fn devices_are_distributed_over_machines() {
        let estimate = Estimate {
            devices: Some(Devices {
                count: 5,
                columns: None,
                max_bytes: 7 * GIB,
            }),
            ..estimate(1 << 40, 1e12)
        };
        let resources = Resources::of(&estimate, &MARGINS).unwrap();
        assert_eq!((resources.devices, resources.nodes), (5, 3));
        // A quarter more, and two GiB for each process.
        assert_eq!((resources.devices_per_node, resources.memory_gib), (2, 22));
        let stated = Margins {
            memory: Some(100 * GIB),
            ..MARGINS
        };
        assert_eq!(Resources::of(&estimate, &stated).unwrap().memory_gib, 104);
    }

    #[test]
    fn times_are_rounded_up_and_limited() {
        assert_eq!(rounded_minutes(1.0), 30);
        assert_eq!(rounded_minutes(3601.0), 120);
        assert_eq!(rounded_minutes(49.0 * 3600.0), 3 * DAY);
        let flops = 1e9;
        let slow = Resources::of(&estimate(1 << 40, flops / 1e9), &MARGINS).unwrap();
        assert_eq!(slow.minutes, DAY);
        assert_eq!(rounded_minutes(f64::MAX), u64::MAX);
    }

    #[test]
    fn memory_is_rounded_by_at_most_an_eighth() {
        assert_eq!(rounded_memory(1), 1);
        assert_eq!(rounded_memory(7 * GIB), 7);
        for gib in 1..5000 {
            let rounded = rounded_memory(gib * GIB);
            assert!(rounded >= gib && rounded * 8 <= gib * 9 + 8, "{gib}");
        }
    }
}
