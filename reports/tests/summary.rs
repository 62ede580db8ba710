//! The first sentences of the page, and what is compared in them.

mod changed;
mod html;
mod synthetic;

use changed::changed;
use html::{between, page};
use reports::render;
use results::{Frames, RunRow};
use synthetic::frames;

#[test]
fn a_block_is_named_better_only_where_its_interval_excludes_zero() {
    let page = page();
    let verdict = between(&page, "<p class=\"verdict\">", "</p>")[0];
    assert!(
        verdict.contains("memory+ answers") && verdict.contains("95\u{a0}% interval"),
        "{verdict}"
    );
    assert!(!verdict.contains("does not exclude zero"), "{verdict}");
    // Identical items for all blocks: no block may be named better.
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

/// The paragraphs of the summary: questions, recall, loss.
fn verdict(html: &str) -> (Vec<&str>, &str) {
    (
        between(html, "<p class=\"verdict\">", "</p>"),
        between(html, "<p class=\"lede\">", "</p>")[0],
    )
}

#[test]
fn questions_and_recall_are_separate() {
    let page = page();
    let (sentences, _) = verdict(&page);
    let over_seeds = between(&page, "<p class=\"headline\">", "</p>")[0];
    let [questions, recall] = sentences.as_slice() else {
        panic!("{sentences:?}");
    };
    assert!(
        questions.contains("answers") && questions.contains("questions of biographies and world")
    );
    assert!(recall.contains("completes") && recall.contains("statements of biographies and world"));
    assert!(!questions.contains("recall"), "{questions}");
    assert!(
        over_seeds.starts_with("Over seeds, corrected for all "),
        "{over_seeds}"
    );
    for sentence in [questions, recall] {
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
fn a_difference_in_loss_of_one_seed_has_no_interval() {
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
fn runs_on_other_data_or_with_other_training_settings_are_not_compared() {
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
fn without_dense_no_differences_are_shown() {
    let all = changed(|run| {
        if run.block == "dense" {
            run.status = "failed".into()
        }
    });
    let html = render(&all).unwrap();
    assert!(html.contains("No dense run finished there to compare with."));
    assert!(!html.contains("class=\"gap\""));
}
