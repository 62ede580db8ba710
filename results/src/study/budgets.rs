//! Rungs that share a budget, and the best of them for a block.

use crate::RunRow;
use crate::fits::BUDGET_TOLERANCE;

use super::grouping::{BudgetKey, Rung, Study, mean, mismatch};
use super::knowledge::{knowledge_tasks, known};
use super::scores::{self, Suite};

/// `matching` of runs with as many facts as their tokens state a given number of times.
const FACTS: &str = "facts";

/// A block at one size and budget.
pub type BlockAtRung<'s> = (&'s str, &'s Rung);

impl<'a> Study<'a> {
    /// The rungs of each budget of training FLOPs, from the smallest; where tokens were held equal every rung is a budget
    /// of its own.
    pub fn budgets(&self) -> Vec<Vec<&Rung>> {
        let mut budgets: Vec<Vec<&Rung>> = Vec::new();
        let is_flops = |rung: &Rung| matches!(rung.key.1, BudgetKey::Flops(_));
        for rung in &self.rungs {
            let joins = |last: &&mut Vec<&Rung>| {
                is_flops(rung)
                    && is_flops(last[0])
                    && rung.flops <= last[0].flops * (1.0 + BUDGET_TOLERANCE)
            };
            match budgets.last_mut().filter(joins) {
                Some(last) => last.push(rung),
                None => budgets.push(vec![rung]),
            }
        }
        budgets
    }

    /// Whether sizes have numbers of facts of their own, so that their losses are of different texts.
    pub fn sizes_have_own_facts(&self) -> bool {
        let mut runs = self.frames.runs().iter();
        runs.any(|run| run.matching == FACTS)
    }

    /// Whether several sizes share a budget of training FLOPs.
    pub fn sizes_share_a_budget(&self) -> bool {
        self.budgets().iter().any(|budget| budget.len() > 1)
    }

    /// The best rung of a block at a budget, among those evaluated on all `suites` where there are any: that of its lowest mean
    /// validation loss, or of the most bits known in total where sizes have numbers of facts of their own, of which a large decoder
    /// has the fewest to learn. The optimal size differs between blocks, so that each is taken at its own.
    pub fn best<'s>(
        &self,
        block: &'s str,
        budget: &[&'s Rung],
        suites: &[&Suite],
    ) -> Option<BlockAtRung<'s>> {
        let own_facts = self.sizes_have_own_facts();
        let tasks = knowledge_tasks(self);
        let rank = |rung: &Rung| {
            let runs = self.finished(block, rung);
            let part = scores::missing(self, suites, &runs).is_some();
            let bits = tasks
                .iter()
                .filter_map(|task| known(self, *task, block, rung));
            let bits: f64 = bits.map(|known| known.bits.value).sum();
            let rank = match own_facts && !tasks.is_empty() {
                true => -bits,
                false => mean(&runs, |run| run.val_loss),
            };
            (part, rank)
        };
        let finished = budget
            .iter()
            .filter(|rung| !self.finished(block, rung).is_empty());
        let best = finished.min_by(|a, b| {
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1))
        })?;
        Some((block, best))
    }

    /// The finished runs of a block on a rung.
    pub fn at(&self, (block, rung): BlockAtRung) -> Vec<&'a RunRow> {
        self.finished(block, rung)
    }

    /// Whether all finished runs of these blocks had, seed by seed, the same data, tokenizer and training settings.
    pub fn same_training(&self, blocks: &[BlockAtRung]) -> bool {
        let runs: Vec<&RunRow> = blocks.iter().flat_map(|at| self.at(*at)).collect();
        // Seeds may have facts of their own: those of one seed are compared.
        let same_seed = |run: &RunRow| runs.iter().copied().find(|other| other.seed == run.seed);
        runs.iter()
            .all(|run| same_seed(run).is_none_or(|other| mismatch(run, other).is_none()))
    }
}
