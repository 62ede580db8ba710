//! Tables on the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table};

/// One line under the header, no other: in the order of comfy-table's presets.
const HEADER_LINE_ONLY: &str = "     ──            ";

/// A table with a header, its columns after the first `labels` aligned right.
pub fn terminal_table(header: &[&str], labels: usize, rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(HEADER_LINE_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header).add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if at >= labels {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
