//! The page as a whole: determinism, self-containment, escaping, and what is shown without rows.

mod changed;
mod html;
mod synthetic;

use changed::changed;
use html::{between, page};
use reports::{ReportError, render};
use results::{Frames, MatchRow};
use synthetic::{BLOCKS, frames};

#[test]
fn the_same_frames_give_the_same_bytes_in_any_order() {
    let all = frames();
    let reversed = Frames::new(
        all.runs().iter().rev().cloned().collect(),
        all.steps().iter().rev().cloned().collect(),
        all.scores().iter().rev().cloned().collect(),
        all.items().iter().rev().cloned().collect(),
        all.usage().iter().rev().cloned().collect(),
    )
    .with_probes(all.probes().iter().rev().cloned().collect());
    assert_eq!(page(), render(&all).unwrap());
    assert_eq!(page(), render(&reversed).unwrap());
}

/// `Records::read_for_reports` reads these steps alone.
#[test]
fn the_page_uses_no_step_without_a_validation_loss() {
    let all = frames();
    let steps = all.steps().iter();
    let validated = steps.filter(|step| step.val_loss.is_some());
    let few = Frames::new(
        all.runs().to_vec(),
        validated.cloned().collect(),
        all.scores().to_vec(),
        all.items().to_vec(),
        all.usage().to_vec(),
    )
    .with_probes(all.probes().to_vec());
    let unvalidated = results::StepRow {
        val_loss: None,
        step: 1_000_000,
        ..all.steps()[0].clone()
    };
    let more = Frames::new(
        all.runs().to_vec(),
        [all.steps(), &[unvalidated]].concat(),
        all.scores().to_vec(),
        all.items().to_vec(),
        all.usage().to_vec(),
    )
    .with_probes(all.probes().to_vec());
    assert_eq!(render(&few).unwrap(), render(&more).unwrap());
}

#[test]
fn the_page_loads_nothing_and_has_no_script() {
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
fn links_have_targets_and_ids_are_unique() {
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
fn every_figure_has_a_description_and_its_data() {
    let page = page();
    let figures = between(&page, "<figure", "</figure>");
    assert_eq!(figures.len(), 14);
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
fn figures_use_only_the_colours_of_the_page() {
    for svg in between(&page(), "<svg", "</svg>") {
        assert!(
            !svg.contains("=\"#"),
            "a fixed colour does not follow the theme: {svg:.400}"
        );
    }
}

#[test]
fn failures_are_reported_and_escaped() {
    let page = page();
    assert!(
        page.contains("loss is not finite at step 412: lower the table's learning rate &lt;1e-3")
    );
    assert!(page.contains("entities.jsonl not found: name its folder under [suites] &lt;data&gt;"));
    assert!(page.contains("41 of 42 runs finished"));
    assert!(page.contains("Example &lt;A&amp;B&gt;") && !page.contains("<A&B>"));
}

#[test]
fn recorded_text_cannot_become_markup() {
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
    let names: Vec<&str> = between(table, "<th scope=\"row\">", "</th>");
    // The sizes around a budget have two blocks each; those with all come in between and last.
    let full = names.windows(BLOCKS.len()).filter(|row| *row == BLOCKS);
    assert_eq!(full.count(), 3, "{names:?}");
}

#[test]
fn the_tasks_of_a_whole_suite_are_not_drawn_again() {
    let page = page();
    let section = between(&page, "<section id=\"knowledge\"", "</section>")[0];
    assert_eq!(section.matches("<div class=\"panel\">").count(), 1);
}

#[test]
fn usage_states_the_number_of_tokens_behind_it() {
    let page = page();
    let usage = between(&page, "<section id=\"usage\"", "</section>")[0];
    assert!(usage.contains("the 65536 held-out tokens") && usage.contains("Reads per unit"));
    assert!(usage.contains(">16.00<"));
}

#[test]
fn few_rows_still_give_a_page_and_none_an_error() {
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
fn solved_knobs_are_listed_with_target_and_actual() {
    let all = frames();
    let run = all
        .runs()
        .iter()
        .find(|run| run.status == "finished")
        .unwrap();
    let matched = |target: &str| MatchRow {
        run: run.run.clone(),
        target: target.into(),
        wanted: 2e6,
        reached: 2.01e6,
        tolerance: 0.01,
        knobs: "n_keys = 181".into(),
    };
    let with = |target: &str| render(&all.clone().with_matches(vec![matched(target)])).unwrap();
    let solved = with("params_total");
    for words in ["params total", "n_keys = 181", "+0.50"] {
        assert!(solved.contains(words), "{words}");
    }
    assert!(!with("train_flops").contains("n_keys = 181"));
}

#[test]
fn figures_stand_alone() {
    let figures = reports::standalone::figures(&page());
    assert!(figures.len() >= 5, "{}", figures.len());
    for (id, svg) in figures {
        assert!(
            svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"),
            "{id}"
        );
        assert_eq!(
            svg.matches("<svg").count(),
            svg.matches("</svg>").count(),
            "{id}"
        );
        assert!(!svg.contains("var(--") && !svg.contains("class="), "{id}");
        assert!(svg.contains("</text>") && svg.contains("fill=\"#"), "{id}");
    }
}
