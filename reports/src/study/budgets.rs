//! Rungs that share a budget, and where on them a block stands.

use results::RunRow;
use results::fits::BUDGET_TOLERANCE;

use super::{Budget, Rung, Study, mean, obstacle};
use crate::chart::Style;
use crate::score::{self, Suite};

/// A block on the rung where it is looked at.
pub type Place<'s> = (&'s str, &'s Rung);

impl<'a> Study<'a> {
    /// The rungs of each budget of training FLOPs, from the smallest; where tokens were held equal every rung stands alone.
    pub fn budgets(&self) -> Vec<Vec<&Rung>> {
        let mut budgets: Vec<Vec<&Rung>> = Vec::new();
        let is_flops = |rung: &Rung| matches!(rung.key.1, Budget::Flops(_));
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

    /// How a block's points on the ladder are drawn: joined where each rung has a budget of its own, and apart where sizes
    /// share one, since a line would go up and down within the budget.
    pub fn between_rungs(&self) -> Style {
        match self.budgets().iter().all(|budget| budget.len() == 1) {
            true => Style::Joined,
            false => Style::Apart,
        }
    }

    /// Where a block stands at a budget: the rung of its lowest mean validation loss, of those that answered all suites
    /// asked where there are any. One size may be past a block's best and short of another's, so that each is taken at its own.
    pub fn best<'s>(
        &self,
        block: &'s str,
        budget: &[&'s Rung],
        asked: &[&Suite],
    ) -> Option<Place<'s>> {
        let rank = |rung: &Rung| {
            let runs = self.finished(block, rung);
            let part = score::missing(self, asked, &runs).is_some();
            (part, mean(&runs, |run| run.val_loss))
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
    pub fn at(&self, (block, rung): Place) -> Vec<&'a RunRow> {
        self.finished(block, rung)
    }

    /// Whether all finished runs of these places saw the same data and were trained alike.
    pub fn alike(&self, places: &[Place]) -> bool {
        let runs: Vec<&RunRow> = places.iter().flat_map(|place| self.at(*place)).collect();
        runs.iter().all(|run| obstacle(run, runs[0]).is_none())
    }
}
