//! Text tables.

use std::fmt;

use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::cli::output::terminal_width;

/// A comfy-table preset with a line below the header only.
const HEADER_LINE_ONLY: &str = "     ──            ";

/// Least width of a terminal into which a table is fitted: in a narrower one every cell would be a column of letters.
const LEAST_WIDTH: usize = 60;

/// A table that is as wide as it needs; on a terminal that is narrower, cells wrap.
pub struct TerminalTable(Table);

/// A table whose first `labels` columns are aligned left and the others right.
pub fn terminal_table(header: &[&str], labels: usize, rows: Vec<Vec<String>>) -> TerminalTable {
    let mut table = Table::new();
    table
        .load_preset(HEADER_LINE_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header).add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if index >= labels {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    TerminalTable(table)
}

impl TerminalTable {
    /// The table in `width` columns, if it is wider.
    fn fitted(&self, width: usize) -> String {
        let whole = self.0.to_string();
        let is_wide = whole
            .lines()
            .any(|line| line.trim_end().chars().count() > width);
        if !is_wide || width < LEAST_WIDTH {
            return whole;
        }
        let mut table = self.0.clone();
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        table.to_string()
    }
}

impl fmt::Display for TerminalTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match terminal_width() {
            Some(width) => f.write_str(&self.fitted(width)),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_wraps_in_a_narrow_terminal_and_not_elsewhere() {
        let header = [
            "size",
            "block",
            "validation loss per token",
            "recall of facts, %",
        ];
        let row = |block: &str| {
            let cells = ["largest", block, "1.234 [1.111, 1.357]", "12.3 [4.5, 20.1]"];
            cells.map(str::to_owned).to_vec()
        };
        let table = terminal_table(&header, 2, vec![row("dense"), row("memory+")]);
        let widest = |text: &str| {
            text.lines()
                .map(|line| line.trim_end().chars().count())
                .max()
        };
        assert_eq!(table.fitted(200), table.0.to_string());
        let natural = widest(&table.0.to_string()).unwrap();
        assert!(natural > 62);
        let fitted = table.fitted(62);
        assert!(widest(&fitted).unwrap() <= 62, "{fitted}");
        let words = |text: &str| {
            text.split_whitespace()
                .filter(|word| !word.starts_with('─'))
                .count()
        };
        assert_eq!(words(&fitted), words(&table.0.to_string()));
    }
}
