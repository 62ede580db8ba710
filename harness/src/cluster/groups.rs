//! Runs of equal requirements, divided into arrays.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resources::Resources;

/// Runs that one array of jobs executes, one each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What each run requires.
    #[serde(flatten)]
    pub resources: Resources,
    /// Names of the runs, in the order of the plan.
    pub runs: Vec<String>,
}

/// Groups of at most `max_runs` runs with equal requirements; those with more devices and longer limits first, since they wait longest.
pub fn grouped(runs: Vec<(String, Resources)>, max_runs: usize) -> Vec<Group> {
    let mut by_resources: BTreeMap<Resources, Vec<String>> = BTreeMap::new();
    for (run, resources) in runs {
        by_resources.entry(resources).or_default().push(run);
    }
    let mut groups = Vec::new();
    for (resources, runs) in by_resources.into_iter().rev() {
        for runs in runs.chunks(max_runs.max(1)) {
            groups.push(Group {
                resources,
                runs: runs.to_vec(),
            });
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requiring(devices: u64, minutes: u64) -> Resources {
        Resources {
            devices,
            nodes: 1,
            devices_per_node: devices,
            memory_gib: 1,
            minutes,
        }
    }

    #[test]
    fn equal_requirements_share_arrays_of_limited_size() {
        let runs = (0..7).map(|at| (at.to_string(), requiring(1 + at % 2, 30)));
        let groups = grouped(runs.collect(), 3);
        let found: Vec<_> = groups
            .iter()
            .map(|group| (group.resources.devices, group.runs.join(" ")))
            .collect();
        assert_eq!(
            found,
            [
                (2, "1 3 5".to_owned()),
                (1, "0 2 4".to_owned()),
                (1, "6".to_owned())
            ]
        );
    }

    #[test]
    fn longer_limits_come_first() {
        let runs = vec![
            ("a".to_owned(), requiring(1, 30)),
            ("b".to_owned(), requiring(1, 60)),
        ];
        let groups = grouped(runs, 10);
        assert_eq!(groups[0].runs, ["b"]);
    }
}
