//! The embedded files against the sources, for the numbers that claims and figures use.

use super::*;

fn of<'a>(source: &'a str, table: &'a str) -> impl Iterator<Item = &'static PublishedRow> + 'a {
    published()
        .iter()
        .filter(move |row| row.source == source && row.table == table)
}

/// The value of the only row of this table, size, model, variant and metric.
fn value(table: &str, size: &str, model: &str, variant: &str, metric: &str) -> Option<f64> {
    let found: Vec<f64> = of(MEMORY_LAYERS, table)
        .filter(|row| row.size == size && row.model == model && row.variant == variant)
        .filter(|row| row.metric == metric)
        .map(|row| row.value)
        .collect();
    assert!(found.len() < 2, "{table} {size} {model} {variant} {metric}");
    found.first().copied()
}

#[test]
fn every_file_parses_and_has_the_rows_that_its_table_has() {
    let counts = FILES.map(|(name, text)| (name, parse(text).unwrap().len()));
    assert_eq!(
        counts,
        [
            ("memory_layers_table_1", 68),
            ("memory_layers_table_2", 45),
            ("memory_layers_table_3", 27),
            ("memory_layers_table_4", 24),
            ("memory_layers_figure_1", 24),
            ("peer_perplexity", 40),
            ("peer_query_batch_norm", 16),
        ]
    );
    assert_eq!(published().len(), 244);
}

#[test]
fn every_row_names_its_source_and_digitised_ones_their_uncertainty() {
    for row in published() {
        for text in [&row.source, &row.table, &row.model, &row.metric, &row.unit] {
            assert!(!text.is_empty(), "{row:?}");
        }
        assert!(row.value.is_finite() && row.value > 0.0, "{row:?}");
        assert_eq!(
            row.mark == Mark::Digitised,
            row.uncertainty.is_some(),
            "{row:?}"
        );
        assert_eq!(row.mark == Mark::Digitised, row.table == "figure 1");
    }
}

#[test]
fn a_row_without_a_known_mark_is_an_error() {
    let header = FILES[0].1.lines().next().unwrap();
    for mark in ["", "measured"] {
        let text = format!("{header}\na,b,c,d,,,,,e,f,1,,{mark},\n");
        assert!(parse(&text).is_err(), "{mark}");
    }
    let known = format!("{header}\na,b,c,d,,,,,e,f,1,,digitised,\n");
    assert_eq!(parse(&known).unwrap()[0].params, None);
}

#[test]
fn table_1_as_printed() {
    let at = |size, model, variant, metric| value("table 1", size, model, variant, metric);
    for (model, variant, nq, tqa) in [
        ("Dense", "", 7.76, 32.64),
        ("MoE", "", 8.14, 31.46),
        ("PEER", "", 12.33, 42.46),
        ("Memory", "", 9.83, 39.47),
        ("Memory+", "", 13.68, 42.89),
        ("Memory+", "4m", 14.43, 51.18),
        ("Memory+", "16m", 20.14, 58.67),
        ("Memory+", "64m", 20.78, 62.14),
    ] {
        assert_eq!(at("1.3b", model, variant, "NQ"), Some(nq));
        assert_eq!(at("1.3b", model, variant, "TQA"), Some(tqa));
    }
    assert_eq!(at("1.3b", "Memory+", "64m", "HotPotQA"), Some(20.47));
    assert_eq!(at("7b", "Llama2 7B", "", "PIQA"), Some(78.4));
    assert_eq!(at("134m", "Memory+", "", "TQA"), Some(18.77));
    assert_eq!(at("373m", "PEER", "", "NQ"), Some(5.1));
}

#[test]
fn what_was_not_recovered_is_absent() {
    assert!(!of(MEMORY_LAYERS, "table 1").any(|row| row.size == "720m"));
    assert_eq!(value("table 1", "134m", "Memory", "", "HotPotQA"), None);
    assert_eq!(value("table 1", "373m", "Memory", "", "NQ"), None);
    let small = |row: &&PublishedRow| row.size != "1.3b" && row.size != "7b";
    let has = |metric: &str| {
        of(MEMORY_LAYERS, "table 1")
            .filter(small)
            .any(|row| row.metric == metric)
    };
    assert!(!has("PIQA") && !has("OBQA") && has("NQ"));
}

#[test]
fn the_other_tables_as_printed() {
    let at_1t = |model: &str, metric: &str| {
        of(MEMORY_LAYERS, "table 2")
            .find(|row| row.model == model && row.metric == metric && row.tokens == Some(1e12))
            .map(|row| row.value)
    };
    assert_eq!(
        (at_1t("Dense", "NQ"), at_1t("Memory+", "NQ")),
        (Some(25.24), Some(27.06))
    );
    assert_eq!(at_1t("Memory+", "OBQA"), Some(34.4));
    let best = of(MEMORY_LAYERS, "table 3")
        .filter(|row| row.metric == "train NLL")
        .min_by(|a, b| a.value.total_cmp(&b.value));
    assert!(best.is_some_and(|row| row.variant.contains("4, 12, 20") && row.value == 2.06));
    assert_eq!(
        value(
            "table 4",
            "373m",
            "Memory",
            "key dim 2048",
            "TQA answer NLL"
        ),
        Some(7.83)
    );
    let peer = of(PEER, "perplexity at equal FLOPs")
        .find(|row| row.model == "PEER" && row.metric == "C4" && row.size == "2e19 FLOPs");
    assert_eq!(peer.map(|row| row.value), Some(16.45));
}

#[test]
fn the_two_inconsistencies_are_noted_in_their_rows() {
    let odd = of(MEMORY_LAYERS, "table 1").filter(|row| row.note.contains("copied cell"));
    assert_eq!(odd.count(), 5);
    let point =
        of(MEMORY_LAYERS, "figure 1").find(|row| row.metric == "TQA" && row.variant == "1m");
    let point = point.unwrap();
    assert!(point.note.contains("vanilla Memory"));
    // The digitised point equals vanilla Memory within its uncertainty, and not Memory+.
    let vanilla = value("table 1", "1.3b", "Memory", "", "TQA").unwrap();
    let plus = value("table 1", "1.3b", "Memory+", "", "TQA").unwrap();
    let off = point.uncertainty.unwrap();
    assert!((point.value - vanilla).abs() <= off && (point.value - plus).abs() > 3.0);
}
