//! Published numbers: tables and a figure, shown beside measured rows and never among them.
//!
//! The files are `results/published/*.csv`; their README documents each column and mark, and what was not recovered. They
//! are compiled in, so that a report needs no file.

mod row;

use std::sync::LazyLock;

pub use row::{Mark, PublishedRow};

/// Berges et al., "Memory Layers at Scale".
pub const MEMORY_LAYERS: &str = "arXiv 2412.09764";
/// He, "Mixture of A Million Experts" (PEER).
pub const PEER: &str = "arXiv 2407.04153";

/// Name and text of an embedded file.
macro_rules! embedded {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../published/", $name, ".csv")),
        )
    };
}

/// The files in the order of the report.
const FILES: [(&str, &str); 7] = [
    embedded!("memory_layers_table_1"),
    embedded!("memory_layers_table_2"),
    embedded!("memory_layers_table_3"),
    embedded!("memory_layers_table_4"),
    embedded!("memory_layers_figure_1"),
    embedded!("peer_perplexity"),
    embedded!("peer_query_batch_norm"),
];

static ROWS: LazyLock<Vec<PublishedRow>> = LazyLock::new(|| {
    FILES
        .iter()
        .flat_map(|(name, text)| {
            // Compiled in and parsed by a test.
            parse(text).unwrap_or_else(|error| panic!("results/published/{name}.csv: {error}"))
        })
        .collect()
});

/// Every published number, table by table, in the order of its file.
pub fn published() -> &'static [PublishedRow] {
    &ROWS
}

fn parse(text: &str) -> Result<Vec<PublishedRow>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect()
}

#[cfg(test)]
mod tests;
