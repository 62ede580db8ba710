//! All rows. docs/performance.md describes the work of each.

mod blocks;
mod decoders;
mod generation;
mod lookups;

use crate::row::Row;

/// All rows, in the order of the table.
pub fn all() -> Vec<Row> {
    let mut rows = lookups::bags();
    rows.extend(lookups::table_steps());
    rows.extend(lookups::selections());
    rows.extend(blocks::memories());
    rows.extend(blocks::peers());
    rows.extend(blocks::mixtures());
    rows.extend(decoders::all());
    rows.extend(generation::all());
    rows
}
