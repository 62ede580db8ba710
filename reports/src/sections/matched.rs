//! Blocks with solved knobs: target and actual cost.

use maud::{Markup, html};

use crate::table::Table;
use results::number::{prefixed, signed};
use results::study::Study;
use results::{MatchRow, RunRow};

/// The target of every run matched by FLOPs, whose deviation is shown with the budgets.
const BUDGET: &str = "train_flops";

/// A table of the solved blocks; empty where there are none.
pub fn solved(study: &Study) -> Markup {
    let mut table = Table::new("Blocks whose knobs were solved for, with target and actual")
        .text("Block")
        .text("Size")
        .text("Equal in")
        .number("Target")
        .number("Actual")
        .number("Off, %")
        .number("Allowed, %")
        .prose("Knobs");
    let matches = study.frames.matches().iter();
    let matches = matches.filter(|matched| matched.target != BUDGET);
    let mut solved: Vec<(&MatchRow, &RunRow)> = matches
        .filter_map(|matched| Some((matched, study.run(&matched.run)?)))
        .collect();
    // In the order of the page, not in that of the runs' hashes.
    solved.sort_by_key(|(_, run)| {
        let block = study.blocks.iter().position(|block| *block == run.block);
        let rung = study
            .rung(run)
            .and_then(|rung| study.rungs.iter().position(|other| other == rung));
        (rung, block, run.seed)
    });
    // The solver gives all seeds of a configuration the same.
    solved.dedup_by(|(other, run), (first, of)| {
        let first = MatchRow {
            run: other.run.clone(),
            ..(*first).clone()
        };
        run.block == of.block && study.rung(run) == study.rung(of) && **other == first
    });
    for (matched, run) in solved {
        let size = study.rung(run).map_or(&run.size, |rung| &rung.label);
        table.row([
            run.block.clone(),
            size.clone(),
            matched.target.replace('_', " "),
            prefixed(matched.wanted),
            prefixed(matched.reached),
            signed(100.0 * (matched.reached / matched.wanted - 1.0), 2),
            signed(100.0 * matched.tolerance, 2)
                .trim_start_matches('+')
                .to_owned(),
            matched.knobs.clone(),
        ]);
    }
    html! {
        @if !table.is_empty() {
            p { "The knobs of these blocks were solved for a target beside the budget." }
            (table)
        }
    }
}
