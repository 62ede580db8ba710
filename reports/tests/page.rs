//! The page as a reader, a browser and a sceptic meet it.

mod specimen;

use std::sync::LazyLock;

use reports::{ReportError, render};
use results::{Frames, MatchRow, RunRow};
use specimen::{BLOCKS, frames};

/// Rendered once: the bootstraps behind it take their time.
fn page() -> String {
    static PAGE: LazyLock<String> = LazyLock::new(|| render(&frames()).unwrap());
    PAGE.clone()
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
    )
    .with_probes(all.probes().iter().rev().cloned().collect());
    assert_eq!(page(), render(&all).unwrap());
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
    assert_eq!(figures.len(), 13);
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
    assert!(page.contains("41 of 42 runs finished"));
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
    let names: Vec<&str> = between(table, "<th scope=\"row\">", "</th>");
    // The sizes around a budget have two blocks each; those with all come in between and last.
    let full = names.windows(BLOCKS.len()).filter(|row| *row == BLOCKS);
    assert_eq!(full.count(), 3, "{names:?}");
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

/// The paragraphs of the verdict: questions, recall, loss.
fn verdict(html: &str) -> (Vec<&str>, &str) {
    (
        between(html, "<p class=\"verdict\">", "</p>"),
        between(html, "<p class=\"lede\">", "</p>")[0],
    )
}

#[test]
fn questions_and_recall_are_told_apart() {
    let page = page();
    let (sentences, _) = verdict(&page);
    let [questions, recall] = sentences.as_slice() else {
        panic!("{sentences:?}");
    };
    assert!(
        questions.contains("answers") && questions.contains("questions of biographies and world")
    );
    assert!(recall.contains("completes") && recall.contains("statements of biographies and world"));
    assert!(!questions.contains("recall"), "{questions}");
    for sentence in sentences {
        assert!(
            sentence.contains("the best of 4 blocks, uncorrected"),
            "{sentence}"
        );
    }
    let board = between(&page, "<section id=\"scoreboard\"", "</section>")[0];
    let suites: Vec<&str> = between(board, "<h3>", " <small>");
    assert_eq!(
        suites,
        [
            "biographies",
            "biographies recall",
            "functions",
            "world",
            "world recall"
        ]
    );
}

#[test]
fn knowledge_is_drawn_once() {
    let page = page();
    let section = between(&page, "<section id=\"knowledge\"", "</section>")[0];
    assert_eq!(section.matches("<div class=\"panel\">").count(), 1);
}

#[test]
fn a_loss_of_one_seed_is_no_claim() {
    let page = page();
    let (_, loss) = verdict(&page);
    assert!(
        loss.contains("memory+") && loss.contains("no interval and no claim"),
        "{loss}"
    );
    // Only the middle size, which has two seeds.
    let all = frames();
    let runs = all.runs().iter().filter(|run| run.size == "5m").cloned();
    let two = Frames::new(runs.collect(), vec![], vec![], vec![], vec![]);
    let html = render(&two).unwrap();
    let (_, loss) = verdict(&html);
    assert!(loss.contains("over 2 seeds (95\u{a0}% interval"), "{loss}");
}

#[test]
fn runs_on_other_data_or_trained_otherwise_are_not_compared() {
    let other_data = |run: &mut RunRow| run.data_fingerprint = "blake3:0000".into();
    let other_rate = |run: &mut RunRow| run.config = run.config.replace("0.003", "0.001");
    let other_model = |run: &mut RunRow| run.config = run.config.replace("d_model", "width");
    let of_memory = |change: &dyn Fn(&mut RunRow)| {
        let frames = changed(|run| {
            if run.block == "memory+" {
                change(run)
            }
        });
        render(&frames).unwrap()
    };
    for (html, why) in [
        (of_memory(&other_data), "other data"),
        (of_memory(&other_rate), "other training settings"),
    ] {
        let warning = between(&html, "<p class=\"warning\">", "</p>")[0];
        assert!(
            warning.contains("Not comparable") && warning.contains(why),
            "{warning}"
        );
        assert_eq!(warning.matches(why).count(), 13, "{warning}");
        let (sentences, loss) = verdict(&html);
        assert!(
            sentences
                .iter()
                .all(|sentence| !sentence.contains("memory+"))
        );
        assert!(loss.contains("not comparable</a>: memory+."), "{loss}");
        for row in between(&html, "<th scope=\"row\">memory+</th>", "</tr>") {
            assert!(!row.contains("class=\"gap\""), "{row}");
        }
    }
    assert!(!of_memory(&other_model).contains("class=\"warning\""));
    assert!(!page().contains("class=\"warning\""));
}

#[test]
fn two_budgets_of_tokens_are_two_rungs() {
    let frames = changed(|run| {
        run.matching = "tokens".into();
        run.tokens = if run.seed == 0 { 1_000_000 } else { 2_000_000 };
    });
    let html = render(&frames).unwrap();
    let compared = between(&html, "<section id=\"compared\"", "</section>")[0];
    assert!(
        compared.contains("2m, 1.00\u{a0}M tokens") && compared.contains("2m, 2.00\u{a0}M tokens")
    );
    assert!(
        !compared.contains("<td class=\"number\">2</td></tr>"),
        "one seed each"
    );
}

#[test]
fn usage_says_over_how_much_it_was_measured() {
    let page = page();
    let usage = between(&page, "<section id=\"usage\"", "</section>")[0];
    assert!(usage.contains("the 65536 held-out tokens") && usage.contains("Tokens per unit"));
    assert!(usage.contains(">16.00<"));
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

#[test]
fn solved_knobs_stand_with_target_and_actual() {
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
