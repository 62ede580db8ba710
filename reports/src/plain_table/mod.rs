//! The comparison of a sweep as plain tables, for documents that quote it: Markdown, LaTeX and CSV.

mod compared;
mod knowledge;

use std::fmt::Write;

use results::Frames;
use results::study::Study;
use results::study::scores::Scores;

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

/// Every block at every size with its cost and its means over seeds (`blocks`), and its difference to dense with intervals,
/// e-value and verdict (`differences`); where bits were measured at sizes that share a budget, the bits known by size
/// (`bits`) and best size against best size (`best-sizes`). Intervals are 95 %.
pub fn comparison(frames: &Frames) -> Vec<PlainTable> {
    let study = Study::new(frames);
    let scores = Scores::new(&study);
    let mut tables = vec![
        compared::blocks(&study, &scores),
        compared::differences(&study, &scores),
    ];
    tables.extend(knowledge::tables(&study));
    tables
}

/// Differences of every block at every size to block `label` at size `size`, as the table `against`; `None` where no such run
/// finished.
pub fn against(frames: &Frames, size: &str, label: &str) -> Option<PlainTable> {
    let study = Study::new(frames);
    let scores = Scores::new(&study);
    let mut rungs = study.rungs.iter().filter(|rung| rung.size() == size);
    let rung = rungs.find(|rung| !study.finished(label, rung).is_empty())?;
    Some(compared::against(&study, &scores, (label, rung)))
}

/// The tables of [`comparison`] as one text in Markdown.
pub fn comparison_in_markdown(frames: &Frames) -> String {
    let tables = comparison(frames);
    let tables: Vec<String> = tables.iter().map(PlainTable::markdown).collect();
    tables.join("\n")
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
