//! The rule about the best number of memory layers.

use super::evidence::{ClaimData, decided, sign};
use super::rules::INCLUDES_ZERO;
use super::scope::unequal_flops;
use super::verdict::{Finding, Verdict};
use crate::study::Measure;
use crate::study::{BlockAtRung, Rung};

/// What must be equal between memories that differ in the number of their layers, and that number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Memory {
    /// Number of memory layers.
    layers: usize,
    /// Slots of each layer.
    slots: u64,
    /// Table parameters.
    table: u64,
}

/// The memory of a block on a rung, where it is gated and all its layers have the same number of slots.
fn memory(data: &ClaimData, (block, rung): BlockAtRung) -> Option<Memory> {
    let run = *data.study.finished(block, rung).first()?;
    let usage = data.study.frames.usage().iter();
    let slots: Vec<u64> = usage
        .filter(|row| row.run == run.run && row.unit == "slot")
        .map(|row| row.units)
        .collect();
    let gated = run.config.lines().any(|line| line.trim() == "gate = true");
    let first = *slots.first()?;
    (gated && slots.iter().all(|slots| *slots == first)).then_some(Memory {
        layers: slots.len(),
        slots: first,
        table: run.params_table,
    })
}

/// The block with three layers, and those that differ from it in the number of layers alone, one of them having more.
type LayerComparison<'s> = (BlockAtRung<'s>, Vec<(BlockAtRung<'s>, usize)>);

fn layer_comparison<'s>(data: &ClaimData<'s, '_>, rung: &'s Rung) -> Option<LayerComparison<'s>> {
    let candidates = data.study.blocks.iter().map(|block| (*block, rung));
    let found: Vec<(BlockAtRung, Memory)> = candidates
        .filter_map(|candidate| Some((candidate, memory(data, candidate)?)))
        .collect();
    let (three, own) = found.iter().find(|(_, memory)| memory.layers == 3)?;
    let others: Vec<(BlockAtRung, usize)> = found
        .iter()
        .filter(|(_, other)| {
            other.layers != 3 && other.slots == own.slots && other.table == own.table
        })
        .map(|(candidate, other)| (*candidate, other.layers))
        .collect();
    let more = others.iter().any(|(_, layers)| *layers > 3);
    more.then_some((*three, others))
}

pub fn three_layers(data: &ClaimData) -> Finding {
    let mut rungs = data.study.rungs.iter().rev();
    let Some((three, others)) = rungs.find_map(|rung| layer_comparison(data, rung)) else {
        return Finding::untested(
            "no gated memories with three layers and with more, of equal slots and table parameters, ran at one size and budget",
        );
    };
    let candidates: Vec<BlockAtRung> = std::iter::once(three)
        .chain(others.iter().map(|(candidate, _)| *candidate))
        .collect();
    if let Some(words) = unequal_flops(data, &candidates) {
        return Finding::untested(words);
    }
    let suites = Measure::Recall.suites(data.suites);
    if suites.is_empty() {
        return Finding::untested("no suite of recall of facts was scored");
    }
    let differences: Result<Vec<_>, String> = others
        .iter()
        .map(|(other, layers)| {
            let (difference, words) = data.difference(&suites, three, *other)?;
            Ok((sign(&difference), format!("{words} ({layers} layers)")))
        })
        .collect();
    // A number of layers that cannot be compared can be the best one.
    let differences = match differences {
        Ok(differences) => differences,
        Err(reason) => return Finding::untested(reason),
    };
    let signs: Vec<Verdict> = differences.iter().map(|(sign, _)| *sign).collect();
    let words: Vec<&str> = differences
        .iter()
        .map(|(_, words)| words.as_str())
        .collect();
    decided(
        Verdict::all(&signs),
        words.join("; "),
        data.scale(&candidates),
        INCLUDES_ZERO,
    )
}
