//! Bits known at sizes that share a budget.

use super::PlainTable;
use crate::interval::interval;
use results::number::{prefixed, scientific};
use results::study::best_size::{LEAST_SIZES, best_sizes};
use results::study::knowledge::{KnowledgeTask, knowledge_tasks, known};
use results::study::{Rung, Study};

/// The bits by size, and best size against best size; none where no budget has sizes enough.
pub fn tables(study: &Study) -> Vec<PlainTable> {
    let tasks = knowledge_tasks(study);
    let tables = [bits(study, &tasks), best(study, &tasks)];
    tables
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

fn bits(study: &Study, tasks: &[KnowledgeTask]) -> PlainTable {
    let mut table = PlainTable {
        name: "bits",
        header: vec![
            "suite",
            "FLOPs",
            "size",
            "block",
            "n",
            "active parameters",
            "parameters in tables",
            "bits known",
        ],
        rows: Vec::new(),
    };
    for task in tasks {
        let budgets = study.budgets().into_iter();
        let rungs: Vec<&Rung> = budgets
            .filter(|budget| budget.len() >= LEAST_SIZES)
            .flatten()
            .collect();
        for rung in rungs {
            for block in &study.blocks {
                let Some(known) = known(study, *task, block, rung) else {
                    continue;
                };
                table.rows.push(vec![
                    task.suite.to_owned(),
                    scientific(rung.flops),
                    rung.size().to_owned(),
                    (*block).to_owned(),
                    known.bits.n.to_string(),
                    prefixed(known.active),
                    prefixed(known.in_tables),
                    interval(&known.bits, 0),
                ]);
            }
        }
    }
    table
}

fn best(study: &Study, tasks: &[KnowledgeTask]) -> PlainTable {
    let mut table = PlainTable {
        name: "best-sizes",
        header: vec![
            "suite",
            "FLOPs",
            "block",
            "n",
            "chosen sizes",
            "at the edge",
            "bits known",
            "block - dense",
        ],
        rows: Vec::new(),
    };
    for task in tasks {
        for at in best_sizes(study, *task) {
            table.rows.push(vec![
                task.suite.to_owned(),
                scientific(at.flops),
                at.block.to_owned(),
                at.judged.len().to_string(),
                at.chosen().join(", "),
                if at.is_at_edge() { "yes" } else { "no" }.to_owned(),
                interval(&at.bits, 0),
                at.minus_dense
                    .map_or_else(String::new, |bits| interval(&bits, 0)),
            ]);
        }
    }
    table
}
