//! The comparison of a sweep as plain tables, for documents that quote it: Markdown, LaTeX and CSV.

use std::f64::consts::LN_2;
use std::fmt::Write;

use results::number::{bytes, fixed, prefixed, scientific};
use results::statistics::{Interval, mean_over_seeds};
use results::study::scores::Scores;
use results::study::verdicts::{Quantity, verdicts};
use results::study::{Measure, Study, mean};
use results::{Frames, RunRow};

/// A table of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTable {
    /// Name, of which a file name can be made.
    pub name: &'static str,
    /// Titles of the columns.
    pub header: Vec<&'static str>,
    /// Rows, as long as the header.
    pub rows: Vec<Vec<String>>,
}

/// Two tables: every block at every size with its cost and its means over seeds, and its difference to dense with
/// intervals, e-value and verdict. Intervals are 95 %.
pub fn comparison(frames: &Frames) -> [PlainTable; 2] {
    let study = Study::new(frames);
    let scores = Scores::new(&study);
    [blocks(&study, &scores), differences(&study, &scores)]
}

/// The tables of [`comparison`] as one text in Markdown.
pub fn comparison_in_markdown(frames: &Frames) -> String {
    let [blocks, differences] = comparison(frames);
    format!("{}\n{}", blocks.markdown(), differences.markdown())
}

fn blocks(study: &Study, scores: &Scores) -> PlainTable {
    let mut table = PlainTable {
        name: "blocks",
        header: vec![
            "size",
            "block",
            "n",
            "parameters",
            "of these in tables",
            "FLOPs a token",
            "table bytes a token",
            "epochs",
            "answer loss, nats",
            "validation loss",
            "recall, %",
            "tokens/s",
        ],
        rows: Vec::new(),
    };
    let recall = Measure::Recall.suites(&scores.suites);
    for rung in &study.rungs {
        for block in &study.blocks {
            let runs = study.finished(block, rung);
            let Some(first) = runs.first() else { continue };
            let items = |run: &RunRow| {
                let items = recall.iter().flat_map(|suite| study.items(run, suite.name));
                items.copied().collect::<Vec<_>>()
            };
            let mean_of = |value: &dyn Fn(&results::ItemRow) -> f64| {
                let of_run = |run: &&RunRow| {
                    let items = items(run);
                    items.iter().map(|item| value(item)).sum::<f64>() / items.len() as f64
                };
                mean_over_seeds(&runs.iter().map(of_run).collect::<Vec<_>>())
            };
            let answer = mean_of(&|item| item.answer_nll_bits * LN_2);
            let correct = mean_of(&|item| 100.0 * f64::from(u8::from(item.correct)));
            let losses: Vec<f64> = runs.iter().map(|run| run.val_loss).collect();
            table.rows.push(vec![
                rung.label.clone(),
                (*block).to_owned(),
                runs.len().to_string(),
                prefixed(first.params_total as f64),
                prefixed(first.params_table as f64),
                prefixed(
                    3.0 * (first.forward_matmul_flops
                        + first.forward_attention_flops
                        + first.forward_lookup_flops),
                ),
                bytes(first.bytes_gathered),
                fixed(mean(&runs, |run| run.epochs), 1),
                range(&answer, 3),
                range(&mean_over_seeds(&losses), 3),
                range(&correct, 1),
                prefixed(mean(&runs, |run| run.tokens_per_s)),
            ]);
        }
    }
    table
}

fn differences(study: &Study, scores: &Scores) -> PlainTable {
    let mut table = PlainTable {
        name: "differences",
        header: vec![
            "quantity",
            "size",
            "block",
            "n",
            "block - dense",
            "CI for this n",
            "CI at any time",
            "e-value",
            "verdict",
        ],
        rows: Vec::new(),
    };
    for verdict in verdicts(study, &scores.suites, |_, _| true) {
        let digits = match verdict.quantity {
            Quantity::AnswerLoss | Quantity::ValidationLoss => 3,
            Quantity::Recall | Quantity::Questions => 1,
        };
        let words = match (verdict.is_decided, verdict.is_better()) {
            (true, true) => "better",
            (true, false) => "worse",
            (false, _) => "open",
        };
        table.rows.push(vec![
            verdict.quantity.words().to_owned(),
            verdict.rung.label.clone(),
            verdict.block.to_owned(),
            verdict.differences.len().to_string(),
            fixed(verdict.fixed.value, digits),
            ends(&verdict.fixed, digits),
            ends(&verdict.anytime, digits),
            scientific(verdict.ln_e.exp()),
            words.to_owned(),
        ]);
    }
    table
}

impl PlainTable {
    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let rule = vec!["---"; self.header.len()];
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            // Labels of sweep files may have any character but control characters.
            let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = row(&mut self.header.iter().copied());
        text.push_str(&row(&mut rule.into_iter()));
        for cells in &self.rows {
            text.push_str(&row(&mut cells.iter().map(String::as_str)));
        }
        text
    }

    /// The table in LaTeX, for the package booktabs: an environment `tabular`.
    pub fn latex(&self) -> String {
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.map(escaped_for_latex).collect();
            format!("{} \\\\\n", cells.join(" & "))
        };
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\\begin{{tabular}}{{{}}}\n\\toprule",
            "l".repeat(self.header.len())
        );
        text.push_str(&row(&mut self.header.iter().copied()));
        text.push_str("\\midrule\n");
        for cells in &self.rows {
            text.push_str(&row(&mut cells.iter().map(String::as_str)));
        }
        text.push_str("\\bottomrule\n\\end{tabular}\n");
        text
    }

    /// The table as CSV.
    ///
    /// # Errors
    /// If memory for it cannot be had.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(&self.header)?;
        for cells in &self.rows {
            out.write_record(cells)?;
        }
        out.into_inner().map_err(|error| error.into_error().into())
    }
}

fn escaped_for_latex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '−' => escaped.push_str("$-$"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn range(interval: &Interval, digits: usize) -> String {
    match interval.is_bounded() {
        true => format!(
            "{} {}",
            fixed(interval.value, digits),
            ends(interval, digits)
        ),
        false => fixed(interval.value, digits),
    }
}

fn ends(interval: &Interval, digits: usize) -> String {
    match interval.is_bounded() {
        true => format!(
            "[{}, {}]",
            fixed(interval.low, digits),
            fixed(interval.high, digits)
        ),
        false => "unbounded".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_a_table() {
        let table = PlainTable {
            name: "test",
            header: vec!["size", "loss, %"],
            rows: vec![vec!["a|b_c & \\d".to_owned(), "−1, \"x\"".to_owned()]],
        };
        assert_eq!(
            table.markdown(),
            "| size | loss, % |\n| --- | --- |\n| a\\|b_c & \\d | −1, \"x\" |\n"
        );
        assert_eq!(
            table.latex(),
            "\\begin{tabular}{ll}\n\\toprule\nsize & loss, \\% \\\\\n\\midrule\n\
             a|b\\_c \\& \\textbackslash{}d & $-$1, \"x\" \\\\\n\\bottomrule\n\\end{tabular}\n"
        );
        let csv = String::from_utf8(table.csv().unwrap()).unwrap();
        assert_eq!(csv, "size,\"loss, %\"\na|b_c & \\d,\"−1, \"\"x\"\"\"\n");
    }
}
