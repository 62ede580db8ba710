//! Accuracy against the number of slots of a block's value tables.

use super::scores::{self, Suite};
use super::{BlockRole, Rung, Study};
use crate::RunRow;
use crate::statistics::Interval;

/// The accuracy of a block at one number of slots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotAccuracy {
    /// Slots of each value table; 0 for a block without one.
    pub slots: u64,
    /// Share of right answers over all suites together.
    pub accuracy: Interval,
}

/// A block at one size and budget.
#[derive(Clone, Debug, PartialEq)]
pub struct RungAccuracy<'s> {
    /// Label of the block.
    pub block: &'s str,
    /// Its size and budget.
    pub rung: &'s Rung,
    /// Slots and accuracy there.
    pub at: SlotAccuracy,
}

/// The accuracies of a block that differ in the number of slots alone.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotCurve<'s> {
    /// Label of the block.
    pub block: &'s str,
    shape: Shape,
    /// From the fewest slots, which are those of dense where dense was evaluated at that shape.
    pub points: Vec<SlotAccuracy>,
}

/// Width, layers and bits of the budget: what runs share that differ in their tables alone.
type Shape = (u64, u64, u64);

/// Whether any run of a block has slots.
pub fn has_slots(study: &Study, block: &str) -> bool {
    let mut runs = study.frames.runs().iter();
    runs.any(|run| run.block == block && slots(study, run).is_some())
}

/// Slots of a run's value tables; none where it has no slots.
fn slots(study: &Study, run: &RunRow) -> Option<u64> {
    let usage = study.frames.usage().iter();
    usage
        .filter(|row| row.run == run.run && row.unit == "slot")
        .map(|row| row.units)
        .max()
}

/// The accuracy of the blocks with slots, and of dense, on `suites` at each size and budget; and the curves through those
/// of one width, depth and budget, each from dense, which has no slots.
pub fn accuracy_by_slots<'s>(
    study: &'s Study,
    suites: &[&Suite],
) -> (Vec<RungAccuracy<'s>>, Vec<SlotCurve<'s>>) {
    let (mut listed, mut curves): (Vec<RungAccuracy>, Vec<SlotCurve>) = (Vec::new(), Vec::new());
    let mut list = |block, rung, at: Option<SlotAccuracy>| {
        // Dense is the point without slots.
        let at = at.filter(|at| !study.is_reference(block) || at.slots == 0);
        listed.extend(at.map(|at| RungAccuracy { block, rung, at }));
    };
    let blocks = study.blocks.iter().copied();
    let blocks: Vec<&str> = blocks.filter(|block| has_slots(study, block)).collect();
    for rung in &study.rungs {
        let reference = study.label(BlockRole::Dense);
        let dense = reference.and_then(|label| accuracy(study, suites, label, rung));
        if let Some(label) = reference {
            list(label, rung, dense);
        }
        for &block in &blocks {
            let Some(run) = study.finished(block, rung).first().copied() else {
                continue;
            };
            let shape = (run.d_model, run.n_layers, rung.flops.to_bits());
            let own = accuracy(study, suites, block, rung);
            list(block, rung, own);
            let same = |curve: &&mut SlotCurve| curve.block == block && curve.shape == shape;
            match curves.iter_mut().find(same) {
                Some(curve) => curve.points.extend(own),
                None if own.is_none() => {}
                None => curves.push(SlotCurve {
                    block,
                    shape,
                    points: dense.into_iter().chain(own).collect(),
                }),
            }
        }
    }
    for curve in &mut curves {
        curve.points.sort_by_key(|point| point.slots);
    }
    (listed, curves)
}

/// Slots and accuracy of a block on a rung; none where it was not evaluated on all suites, or where its seeds differ in
/// slots, since their mean would belong to no size of table.
fn accuracy(study: &Study, suites: &[&Suite], block: &str, rung: &Rung) -> Option<SlotAccuracy> {
    let score = scores::block_score(study, suites, block, rung).ok()??;
    let runs = study.finished(block, rung);
    let mut counts: Vec<u64> = runs
        .iter()
        .map(|run| slots(study, run).unwrap_or(0))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    match counts.as_slice() {
        [slots] => Some(SlotAccuracy {
            slots: *slots,
            accuracy: score.accuracy,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::rows::{frames, run, seeded};
    use crate::study::scores::Scores;
    use crate::{Frames, UsageRow};

    fn usage(run: &str, slots: u64) -> UsageRow {
        UsageRow {
            run: run.into(),
            layer: 0,
            unit: "slot".into(),
            units: slots,
            reads: 65_536,
            collisions: None,
            used_share: 1.0,
            kl_nats: 0.0,
            max_share: 0.1,
        }
    }

    fn curves(frames: &Frames) -> Vec<Vec<(u64, f64)>> {
        let study = Study::new(frames);
        let suites = Scores::new(&study).suites;
        let suites: Vec<&Suite> = suites.iter().collect();
        let (_, curves) = accuracy_by_slots(&study, &suites);
        let points = |curve: &SlotCurve| {
            let points = curve.points.iter();
            points.map(|at| (at.slots, at.accuracy.value)).collect()
        };
        curves.iter().map(points).collect()
    }

    #[test]
    fn a_curve_joins_runs_of_one_shape_from_dense_on() {
        let mut wide = run(1, "memory");
        wide.run = "wide".into();
        wide.size = "m, more slots".into();
        let runs = vec![
            (run(1, "dense"), 50),
            (run(1, "memory"), 80),
            (wide, 100),
            (run(2, "memory"), 140),
        ];
        let usage = vec![
            usage("memory-1", 64),
            usage("wide", 256),
            usage("memory-2", 64),
        ];
        let found = curves(&frames(runs, usage));
        assert_eq!(
            found,
            [vec![(0, 0.25), (64, 0.4), (256, 0.5)], vec![(64, 0.7)]]
        );
    }

    #[test]
    fn seeds_that_differ_in_slots_have_no_point() {
        let runs = vec![(seeded(1, "memory", 0), 80), (seeded(1, "memory", 1), 80)];
        let usage = vec![usage("memory-1-0", 64), usage("memory-1-1", 256)];
        assert!(curves(&frames(runs, usage)).is_empty());
    }
}
