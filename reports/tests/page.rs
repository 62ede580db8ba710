//! The page as a reader, a browser and a sceptic meet it.

mod specimen;

use reports::{ReportError, render};
use results::{Frames, RunRow};
use specimen::{BLOCKS, frames};

fn page() -> String {
    render(&frames()).unwrap()
}

/// The text between each `open` and the `close` after it.
fn between<'a>(page: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    page.split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once(close))
        .map(|(inside, _)| inside)
        .collect()
}

fn changed(change: impl Fn(&mut RunRow)) -> Frames {
    let all = frames();
    let mut runs = all.runs().to_vec();
    runs.iter_mut().for_each(change);
    Frames::new(
        runs,
        all.steps().to_vec(),
        all.scores().to_vec(),
        all.items().to_vec(),
        all.usage().to_vec(),
    )
}

#[test]
fn the_same_frames_give_the_same_bytes_in_whatever_order_they_came() {
    let all = frames();
    let reversed = Frames::new(
        all.runs().iter().rev().cloned().collect(),
        all.steps().iter().rev().cloned().collect(),
        all.scores().iter().rev().cloned().collect(),
        all.items().iter().rev().cloned().collect(),
        all.usage().iter().rev().cloned().collect(),
    );
    assert_eq!(page(), page());
    assert_eq!(page(), render(&reversed).unwrap());
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let page = page();
    for sign in [
        "http:", "https:", "src=", "<script", "<link", "@import", "url(", "<iframe",
    ] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert!(
        between(&page, "href=\"", "\"")
            .iter()
            .all(|target| target.starts_with('#'))
    );
}

#[test]
fn links_lead_somewhere_and_ids_are_unique() {
    let page = page();
    let mut ids = between(&page, " id=\"", "\"");
    for target in between(&page, "href=\"#", "\"") {
        assert!(ids.contains(&target), "{target}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn every_figure_speaks_and_has_its_data() {
    let page = page();
    let figures = between(&page, "<figure", "</figure>");
    assert_eq!(figures.len(), 5);
    for figure in figures {
        assert!(
            figure.contains("<figcaption>") && figure.contains("<details><summary>Data</summary>")
        );
        assert!(figure.matches("<tr").count() > 5, "a table with rows");
        let panels = between(figure, "<div class=\"panel\">", "</div>");
        assert!(!panels.is_empty());
        for panel in panels {
            let label = between(panel, "role=\"img\" aria-label=\"", "\"");
            assert!(
                label.len() == 1 && label[0].contains("against"),
                "{label:?}"
            );
            assert!(panel.matches("<polyline").count() >= 3, "lines are drawn");
        }
    }
}

#[test]
fn figures_use_the_page_colours_alone() {
    for svg in between(&page(), "<svg", "</svg>") {
        assert!(
            !svg.contains("=\"#"),
            "a fixed colour does not follow the theme: {svg:.400}"
        );
    }
}

#[test]
fn failures_are_told_and_escaped() {
    let page = page();
    assert!(
        page.contains("loss is not finite at step 412: lower the table's learning rate &lt;1e-3")
    );
    assert!(page.contains("entities.jsonl not found: name its folder under [suites] &lt;data&gt;"));
    assert!(page.contains("25 of 26 runs finished"));
    assert!(page.contains("Example &lt;A&amp;B&gt;") && !page.contains("<A&B>"));
}

#[test]
fn what_comes_from_outside_cannot_become_markup() {
    let evil = "<script>alert(1)</script>\"'&#000100";
    let html = render(&changed(|run| {
        for text in [
            &mut run.run,
            &mut run.sweep,
            &mut run.size,
            &mut run.reason,
            &mut run.flop_convention,
            &mut run.commit,
            &mut run.version,
            &mut run.config,
            &mut run.device,
            &mut run.command,
            &mut run.started,
        ] {
            text.push_str(evil);
        }
        if run.block == "peer" {
            run.block.push_str(evil);
        }
    }))
    .unwrap();
    assert!(!html.contains("<script"));
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn blocks_come_in_the_page_order() {
    let page = page();
    let table = between(&page, "<section id=\"compared\"", "</section>")[0];
    let mut names: Vec<&str> = between(table, "<th scope=\"row\">", "</th>");
    names.truncate(BLOCKS.len());
    assert_eq!(names, BLOCKS);
}

#[test]
fn the_verdict_claims_no_more_than_the_interval_allows() {
    let page = page();
    let verdict = between(&page, "<p class=\"verdict\">", "</p>")[0];
    assert!(
        verdict.contains("memory+ answers") && verdict.contains("95\u{a0}% interval"),
        "{verdict}"
    );
    assert!(!verdict.contains("does not exclude zero"), "{verdict}");
    // The same answers for all blocks: no block may be named better.
    let all = frames();
    let dense: Vec<_> = all
        .runs()
        .iter()
        .filter(|run| run.block == "dense")
        .cloned()
        .collect();
    let twin = |run: &RunRow| RunRow {
        run: format!("{}-twin", run.run),
        block: "memory".into(),
        ..run.clone()
    };
    let copy = |name: &str| format!("{name}-twin");
    let own = |name: &str| dense.iter().any(|run| run.run == name);
    let items = all.items().iter().filter(|item| own(&item.run)).cloned();
    let scores = all.scores().iter().filter(|score| own(&score.run)).cloned();
    let twins = Frames::new(
        dense
            .iter()
            .cloned()
            .chain(dense.iter().map(twin))
            .collect(),
        Vec::new(),
        scores
            .clone()
            .chain(scores.map(|s| results::ScoreRow {
                run: copy(&s.run),
                ..s
            }))
            .collect(),
        items
            .clone()
            .chain(items.map(|i| results::ItemRow {
                run: copy(&i.run),
                ..i
            }))
            .collect(),
        Vec::new(),
    );
    let html = render(&twins).unwrap();
    assert!(
        html.contains("no block answers more of the questions"),
        "{}",
        between(&html, "<p class=\"verdict\">", "</p>")[0]
    );
    assert!(!html.contains("class=\"better\">▲</span> +"));
}

#[test]
fn little_or_nothing_still_makes_a_page() {
    assert!(matches!(
        render(&Frames::default()),
        Err(ReportError::Empty)
    ));
    let none = render(&changed(|run| run.status = "failed".into())).unwrap();
    assert!(none.contains("No run finished, so nothing can be compared."));
    let all = frames();
    let bare = Frames::new(all.runs().to_vec(), vec![], vec![], vec![], vec![]);
    let html = render(&bare).unwrap();
    assert!(html.contains("No suite of questions was scored"));
    let one = Frames::new(
        all.runs()[..1].to_vec(),
        all.steps().to_vec(),
        all.scores().to_vec(),
        vec![],
        vec![],
    );
    render(&one).unwrap();
}

#[test]
fn without_dense_nothing_is_measured_against_it() {
    let all = changed(|run| {
        if run.block == "dense" {
            run.status = "failed".into()
        }
    });
    let html = render(&all).unwrap();
    assert!(html.contains("No dense run finished there to compare with."));
    assert!(!html.contains("class=\"gap\""));
}
