//! The scope of a rule: its suites, the largest budget at which all its blocks finished, and the size of each.

use crate::fits::BUDGET_TOLERANCE;

use super::evidence::ClaimData;
use super::verdict::Finding;
use crate::number::scientific;
use crate::study::Measure;
use crate::study::scores::Suite;
use crate::study::{BlockAtRung, BlockRole, Rung, mean};

/// The suites and blocks of a rule.
pub struct ComparisonScope<'s, 'a> {
    pub suites: Vec<&'s Suite<'a>>,
    /// In the order requested, each at its size and budget.
    pub blocks: Vec<BlockAtRung<'s>>,
    /// Sizes with that budget.
    sizes: usize,
}

/// The suites of a measure and the largest budget at which all blocks finished with the same data and training settings,
/// each at its size of the lowest validation loss; or why there is none.
pub fn common_scope<'s, 'a>(
    data: &ClaimData<'s, 'a>,
    measure: Measure,
    roles: &[BlockRole],
) -> Result<ComparisonScope<'s, 'a>, Finding> {
    let suites = measure.suites(data.suites);
    if suites.is_empty() {
        return Err(Finding::untested(format!(
            "no suite of {} was scored",
            measure.words()
        )));
    }
    let finished_alike = |budget: &Vec<&'s Rung>| -> Option<Vec<BlockAtRung<'s>>> {
        let best = |role: &BlockRole| {
            let label = data.study.label(*role)?;
            data.study.best(label, budget, &suites)
        };
        let blocks: Vec<BlockAtRung> = roles.iter().map(best).collect::<Option<_>>()?;
        data.study.same_training(&blocks).then_some(blocks)
    };
    let budgets = data.study.budgets();
    let found = budgets
        .iter()
        .rev()
        .find_map(|budget| Some((finished_alike(budget)?, budget.len())));
    let Some((blocks, sizes)) = found else {
        let labels: Vec<&str> = roles
            .iter()
            .map(|role| data.study.label(*role).unwrap_or(role.name()))
            .collect();
        let words = match labels.as_slice() {
            [one, other] => format!("{one} and {other} did not both finish"),
            several => format!("{} did not all finish", several.join(", ")),
        };
        return Err(Finding::untested(format!(
            "{words} at one budget with the same training"
        )));
    };
    Ok(ComparisonScope {
        suites,
        blocks,
        sizes,
    })
}

/// The same for a rule about equal compute: the blocks must have spent the same training FLOPs, whatever their targets.
pub fn equal_compute_scope<'s, 'a>(
    data: &ClaimData<'s, 'a>,
    measure: Measure,
    roles: &[BlockRole],
) -> Result<ComparisonScope<'s, 'a>, Finding> {
    let found = common_scope(data, measure, roles)?;
    match unequal_flops(data, &found.blocks) {
        Some(words) => Err(Finding::untested(words)),
        None => Ok(found),
    }
}

/// The message for training FLOPs that differ by more than the tolerance; none where they are equal.
pub fn unequal_flops(data: &ClaimData, blocks: &[BlockAtRung]) -> Option<String> {
    let spent = |best: &BlockAtRung| mean(&data.study.at(*best), |run| run.train_flops);
    let by_cost = |a: &&BlockAtRung, b: &&BlockAtRung| spent(a).total_cmp(&spent(b));
    let least = blocks.iter().min_by(by_cost)?;
    let most = blocks.iter().max_by(by_cost)?;
    // In this form NaN is unequal, too.
    let equal = spent(most) <= spent(least) * (1.0 + BUDGET_TOLERANCE);
    (!equal).then(|| {
        format!(
            "{} spent {} training FLOPs and {} {}, more than {} % apart: not equal compute",
            least.0,
            scientific(spent(least)),
            most.0,
            scientific(spent(most)),
            BUDGET_TOLERANCE * 100.0
        )
    })
}

impl<'s, 'a> ComparisonScope<'s, 'a> {
    /// These blocks, at a budget of `sizes` sizes.
    pub fn new(suites: Vec<&'s Suite<'a>>, blocks: Vec<BlockAtRung<'s>>, sizes: usize) -> Self {
        Self {
            suites,
            blocks,
            sizes,
        }
    }

    /// The same scope for some of its blocks.
    pub fn of(&self, blocks: &[BlockAtRung<'s>]) -> Self {
        Self {
            suites: self.suites.clone(),
            blocks: blocks.to_vec(),
            sizes: self.sizes,
        }
    }

    /// The runs compared, and how their sizes were selected where several share the budget.
    pub fn scale(&self, data: &ClaimData<'s, 'a>) -> String {
        let choice = match self.sizes {
            1 => String::new(),
            sizes => format!(
                "of {sizes} sizes with this budget each block at that of its lowest validation loss: "
            ),
        };
        choice + &data.scale(&self.blocks)
    }
}
