//! The sections about fits, probes, published numbers and claims.

mod html;
mod synthetic;

use html::{between, page};
use reports::render;
use results::Frames;
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
