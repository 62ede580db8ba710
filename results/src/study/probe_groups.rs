//! Probes grouped by device, threads, tokens of a pass and number format, and the roofline of a device.
//!
//! S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance model for multicore
//! architectures", CACM 52 (2009).

use std::collections::BTreeMap;

use super::Study;
use crate::ProbeRow;

/// The probes of one device with passes of one length in one number format.
pub struct ProbeGroup<'a> {
    /// Position among the groups.
    pub index: usize,
    /// Name of the device.
    pub device: &'a str,
    /// Worker threads.
    pub threads: u64,
    /// Tokens of one pass.
    pub tokens: u64,
    /// Format of products and tables.
    pub numeric_format: &'a str,
    /// All rows, whatever their status.
    pub rows: Vec<&'a ProbeRow>,
    /// In the order of their roles.
    pub blocks: Vec<&'a str>,
    /// Labels, by width.
    pub sizes: Vec<&'a str>,
}

impl<'a> ProbeGroup<'a> {
    /// Finished rows of this basis and phase.
    pub fn of(&self, basis: &str, phase: &str) -> impl Iterator<Item = &'a ProbeRow> {
        let rows = self.rows.iter().copied();
        rows.filter(move |row| row.status == "finished" && row.basis == basis && row.phase == phase)
    }

    /// Whole steps where there are any, else forward passes: both in one panel would not compare.
    pub fn phase(&self, basis: &str) -> &'static str {
        let steps = self.of(basis, "step").count();
        if steps > 0 { "step" } else { "forward" }
    }

    /// The finished rows of this basis and phase with the smallest table of each size and block, by size and block.
    pub fn smallest_tables(&self, basis: &str, phase: &str) -> Vec<&'a ProbeRow> {
        let sizes = self.sizes.iter();
        let cells = sizes.flat_map(|size| self.blocks.iter().map(move |block| (*size, *block)));
        let smallest = |(size, block): (&str, &str)| {
            let rows = self.of(basis, phase);
            let own = rows.filter(|row| row.size == size && row.block == block);
            own.min_by_key(|row| row.table_slots)
        };
        cells.filter_map(smallest).collect()
    }

    /// The roofline of the device: the highest rates of all sessions; none unless both rates were measured.
    pub fn roofline(&self) -> Option<Roofline> {
        let highest = |of: fn(&ProbeRow) -> f64| {
            let values = self.rows.iter().map(|row| of(row));
            values.filter(|value| value.is_finite()).fold(0.0, f64::max)
        };
        let roofline = Roofline {
            peak_flop_per_s: highest(|row| row.peak_flop_per_s),
            peak_bytes_per_s: highest(|row| row.peak_bytes_per_s),
        };
        (roofline.peak_flop_per_s > 0.0 && roofline.peak_bytes_per_s > 0.0).then_some(roofline)
    }

    /// The measured rows that have a position under the roofline: forward passes, then steps.
    pub fn under_roofline(&self) -> Vec<&'a ProbeRow> {
        ["forward", "step"]
            .iter()
            .flat_map(|phase| self.of("measured", phase))
            .filter(|row| intensity(row).is_finite() && row.flop_per_s > 0.0)
            .collect()
    }
}

/// The upper bound of a device's FLOP/s at each arithmetic intensity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// FLOP/s of the fastest matrix product measured.
    pub peak_flop_per_s: f64,
    /// Bytes/s of the fastest sequential read measured.
    pub peak_bytes_per_s: f64,
}

impl Roofline {
    /// The bound in FLOP/s at an intensity in FLOPs per byte.
    pub fn at(&self, intensity: f64) -> f64 {
        self.peak_flop_per_s.min(intensity * self.peak_bytes_per_s)
    }

    /// The intensity in FLOPs per byte from which on compute is the bound.
    pub fn ridge(&self) -> f64 {
        self.peak_flop_per_s / self.peak_bytes_per_s
    }
}

/// Arithmetic intensity of a probe, in FLOPs per byte.
pub fn intensity(row: &ProbeRow) -> f64 {
    row.flops / row.bytes
}

/// The groups of all probes, by device, threads, tokens and number format.
pub fn probe_groups<'a>(study: &Study<'a>) -> Vec<ProbeGroup<'a>> {
    // Rates rise with the tokens of a pass, and peaks depend on the format: other rows are another group.
    let mut by_key: BTreeMap<(&str, u64, u64, &str), Vec<&ProbeRow>> = BTreeMap::new();
    for row in study.frames.probes() {
        let format = row.numeric_format.as_str();
        let key = (row.device.as_str(), row.threads, row.tokens, format);
        by_key.entry(key).or_default().push(row);
    }
    by_key
        .into_iter()
        .enumerate()
        .map(
            |(index, ((device, threads, tokens, numeric_format), rows))| {
                let mut shapes: Vec<(u64, &str)> = rows
                    .iter()
                    .map(|row| (row.d_model, row.size.as_str()))
                    .collect();
                shapes.sort_unstable();
                let mut sizes: Vec<&str> = Vec::new();
                for (_, size) in shapes {
                    if !sizes.contains(&size) {
                        sizes.push(size);
                    }
                }
                ProbeGroup {
                    index,
                    device,
                    threads,
                    tokens,
                    numeric_format,
                    blocks: study.ordered(rows.iter().map(|row| row.block.as_str())),
                    rows,
                    sizes,
                }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;

    fn probe(block: &str, slots: u64, phase: &str, tokens: u64) -> ProbeRow {
        ProbeRow {
            run: format!("{block}{slots}{phase}{tokens}"),
            size: "1m".into(),
            block: block.into(),
            table_slots: slots,
            phase: phase.into(),
            basis: "measured".into(),
            status: "finished".into(),
            reason: String::new(),
            d_model: 64,
            tokens,
            repeats: 3,
            seconds: 1.0,
            seconds_low: 0.9,
            seconds_high: 1.1,
            tokens_per_s: 1.0,
            flops: 100.0,
            bytes: 50.0,
            flop_per_s: 10.0,
            bytes_per_s: 5.0,
            peak_flop_per_s: 40.0 + slots as f64,
            peak_bytes_per_s: 8.0,
            peak_memory_bytes: 0,
            needed_memory_bytes: 0,
            params_dense: 0,
            params_table: 0,
            numeric_format: Default::default(),
            flop_convention: String::new(),
            device: "cpu".into(),
            threads: 1,
            commit: String::new(),
            dirty: false,
            version: String::new(),
            started: String::new(),
            command: String::new(),
        }
    }

    #[test]
    fn passes_of_other_lengths_are_other_groups() {
        let probes = vec![
            probe("dense", 0, "step", 512),
            probe("dense", 0, "step", 64),
        ];
        let frames = Frames::default().with_probes(probes);
        let tokens: Vec<u64> = probe_groups(&Study::new(&frames))
            .iter()
            .map(|group| group.tokens)
            .collect();
        assert_eq!(tokens, [64, 512]);
    }

    #[test]
    fn steps_come_before_forward_passes_and_small_tables_before_large_ones() {
        let probes = vec![
            probe("memory", 9, "forward", 64),
            probe("memory", 4, "forward", 64),
            probe("dense", 0, "forward", 64),
        ];
        let group = |probes: Vec<ProbeRow>, check: &dyn Fn(&ProbeGroup)| {
            let frames = Frames::default().with_probes(probes);
            check(&probe_groups(&Study::new(&frames))[0]);
        };
        group(probes.clone(), &|group| {
            assert_eq!(group.phase("measured"), "forward");
            let smallest = group.smallest_tables("measured", "forward");
            let slots: Vec<u64> = smallest.iter().map(|row| row.table_slots).collect();
            assert_eq!(slots, [0, 4]);
        });
        let step = probe("dense", 0, "step", 64);
        group([probes, vec![step]].concat(), &|group| {
            assert_eq!(group.phase("measured"), "step");
        });
    }

    #[test]
    fn the_roofline_is_the_highest_of_all_sessions() {
        let probes = vec![
            probe("memory", 9, "step", 64),
            probe("memory", 4, "step", 64),
        ];
        let frames = Frames::default().with_probes(probes);
        let groups = probe_groups(&Study::new(&frames));
        let roofline = groups[0].roofline().unwrap();
        assert_eq!((roofline.peak_flop_per_s, roofline.ridge()), (49.0, 6.125));
        assert_eq!((roofline.at(2.0), roofline.at(100.0)), (16.0, 49.0));
        assert_eq!(groups[0].under_roofline().len(), 2);
    }
}
