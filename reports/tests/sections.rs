//! The sections about fits, probes, published numbers and claims.

mod html;
mod synthetic;

use html::{between, page};
use reports::plain_table::comparison;
use reports::render;
use results::{Frames, RunRow, ScoreRow};
use synthetic::{BLOCKS, frames};

/// The text of a section.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!("<section id=\"{id}\""), "</section>")[0]
}

#[test]
fn measured_and_published_values_never_share_axes() {
    let page = page();
    let sizes = section(&page, "memory-size");
    let figures = between(sizes, "<figure", "</figure>");
    assert_eq!(figures.len(), 2);
    assert!(!figures[0].contains("transcribed") && !figures[0].contains("digitised"));
    for block in BLOCKS {
        assert!(
            !figures[1].contains(&format!("</svg>{block}</li>")),
            "{block}"
        );
    }
    assert!(figures[1].contains("Not measured here") && figures[1].contains("vanilla Memory"));
    // The slots of the made-up tables, and the published 1024² and larger.
    assert!(figures[0].contains(">4096<") && figures[1].contains("8192²"));
}

#[test]
fn an_isoflop_curve_has_its_minimum_or_the_reason_for_none() {
    let page = page();
    let curves = section(&page, "isoflop");
    assert!(curves.contains("figure-isoflop") && curves.contains("minimum"));
    assert!(
        curves.contains("distinct sizes; a parabola requires three"),
        "the largest budget has one size"
    );
    let quick = Frames::new(
        frames()
            .runs()
            .iter()
            .filter(|run| !run.size.contains("times"))
            .cloned()
            .collect(),
        vec![],
        vec![],
        vec![],
        vec![],
    );
    let without = render(&quick).unwrap();
    assert!(section(&without, "isoflop").contains("No isoFLOP curve can be drawn"));
}

#[test]
fn probes_label_what_was_derived_and_what_was_not_measured() {
    let page = page();
    let probes = section(&page, "probes");
    assert!(probes.contains("Derived, not measured: whole models"));
    assert!(probes.contains("needs 512 GiB, more than the 16 GiB &lt;free&gt; of this machine"));
    assert!(probes.contains("figure-roofline-0") && probes.contains("Share of the roofline"));
    let alone = Frames::default().with_probes(frames().probes().to_vec());
    let html = render(&alone).unwrap();
    assert!(html.contains("figure-roofline-0") && html.contains("No run finished"));
    let none = render(&Frames::new(
        frames().runs().to_vec(),
        vec![],
        vec![],
        vec![],
        vec![],
    ))
    .unwrap();
    assert!(section(&none, "probes").contains("No layer was probed."));
}

#[test]
fn claims_have_verdicts_and_those_at_larger_scale_are_not_tested() {
    let page = page();
    let claims = section(&page, "claims");
    let verdicts = between(claims, "<span class=\"", "</span>");
    let count = |words: &str| {
        verdicts
            .iter()
            .filter(|verdict| verdict.ends_with(words))
            .count()
    };
    let (yes, no, open) = (
        count(">supported at this scale") + count(">supported in one run each, at this scale"),
        count(">contradicted at this scale")
            + count(">contradicted in one run each, at this scale"),
        count(">not tested at this scale"),
    );
    assert_eq!(yes + no + open, 22, "nine headlines twice, and four");
    assert!(yes > 0 && open >= 4, "{yes} {no} {open}");
    // The largest size has one seed, so that its verdicts are those of one run each.
    assert!(count(">supported in one run each, at this scale") > 0);
    assert!(claims.contains("128B memory parameters") && claims.contains("one seed"));
}

#[test]
fn gains_and_published_tables_are_there() {
    let page = page();
    assert!(section(&page, "gains").contains("Tokens to reach dense"));
    let published = section(&page, "published");
    assert!(published.contains("paper via two transcriptions") && published.contains("20.78"));
    assert!(section(&page, "paper-plan").contains("Derived, not run."));
}

/// Two seeds of dense and memory+ at one budget, which know the most at the second of five sizes, memory+ 100 bits more there.
fn with_bits_at_one_budget() -> Frames {
    let all = frames();
    let one_budget = all.runs().iter().filter(|run| {
        run.target_flops == 4.0e12
            && run.seed == 0
            && ["dense", "memory+"].contains(&run.block.as_str())
    });
    let seeds = one_budget.flat_map(|run| {
        [0, 1].map(|seed| RunRow {
            run: format!("{} {seed}", run.run),
            seed,
            ..run.clone()
        })
    });
    let runs: Vec<RunRow> = seeds.collect();
    let mut params: Vec<u64> = runs.iter().map(|run| run.params_active).collect();
    params.sort_unstable();
    let second = params[4..8].to_vec();
    let bits = |run: &RunRow| {
        let best = if second.contains(&run.params_active) {
            1000.0
        } else {
            400.0
        };
        let lead = if run.block == "memory+" { 100.0 } else { 0.0 };
        best + lead + 10.0 * run.seed as f64
    };
    let scores = runs.iter().map(|run| ScoreRow {
        run: run.run.clone(),
        suite: "people recall".into(),
        task: "recall".into(),
        metric: "bits_known".into(),
        value: bits(run),
        ..all.scores()[0].clone()
    });
    let scores: Vec<ScoreRow> = scores.collect();
    let per_parameter = scores.iter().map(|score| ScoreRow {
        metric: "bits_per_parameter".into(),
        ..score.clone()
    });
    let scores = scores.iter().cloned().chain(per_parameter).collect();
    Frames::new(runs, vec![], scores, vec![], vec![])
}

#[test]
fn bits_known_are_shown_by_budget_and_best_size_against_best_size() {
    let frames = with_bits_at_one_budget();
    let page = render(&frames).unwrap();
    let knowledge = section(&page, "knowledge");
    assert!(knowledge.contains("figure-bits-people-recall"));
    assert!(knowledge.contains("Best size against best size at equal training FLOPs"));

    let tables = comparison(&frames);
    let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
    assert_eq!(names, ["blocks", "differences", "bits", "best-sizes"]);
    assert_eq!(tables[2].rows.len(), 2 * 5);
    let best: Vec<[&str; 4]> = tables[3]
        .rows
        .iter()
        .map(|row| [&row[2], &row[3], &row[5], &row[7]].map(|cell| cell.as_str()))
        .collect();
    assert_eq!(
        best,
        [
            ["dense", "2", "no", ""],
            ["memory+", "2", "no", "100 [100, 100]"]
        ]
    );
}
