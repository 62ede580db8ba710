//! Text tables.

use comfy_table::{CellAlignment, ContentArrangement, Table};

/// A comfy-table preset with a line below the header only.
const HEADER_LINE_ONLY: &str = "     ──            ";

/// A table whose first `labels` columns are aligned left and the others right.
pub fn terminal_table(header: &[&str], labels: usize, rows: Vec<Vec<String>>) -> Table {
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
    table
}
