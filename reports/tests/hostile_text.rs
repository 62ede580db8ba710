//! Text of rows that looks like markup, or has control characters, in every column of every table.

mod synthetic;

use reports::render;
use results::{Frames, MatchRow, WarningRow};

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=y>]]>&#60;\u{0}\u{1b}[31m\u{202e}\u{7}--><svg/onload=z>";

fn evil(text: &mut String) {
    text.push_str(EVIL);
}

/// The made-up frames with `EVIL` at the end of every text that is not a status or a metric, by which the page selects rows.
fn hostile() -> Frames {
    let all = synthetic::frames();
    let (mut runs, mut steps) = (all.runs().to_vec(), all.steps().to_vec());
    let (mut scores, mut items) = (all.scores().to_vec(), all.items().to_vec());
    let (mut usage, mut probes) = (all.usage().to_vec(), all.probes().to_vec());
    for row in &mut runs {
        for text in [
            &mut row.run,
            &mut row.sweep,
            &mut row.size,
            &mut row.block,
            &mut row.reason,
            &mut row.matching,
            &mut row.flop_convention,
            &mut row.commit,
            &mut row.version,
            &mut row.config,
            &mut row.data_fingerprint,
            &mut row.tokenizer_fingerprint,
            &mut row.device,
            &mut row.instruction_set,
            &mut row.processor,
            &mut row.lock_file,
            &mut row.weights_hash,
            &mut row.started,
            &mut row.command,
        ] {
            evil(text);
        }
    }
    steps.iter_mut().for_each(|row| evil(&mut row.run));
    for row in &mut scores {
        for text in [
            &mut row.run,
            &mut row.suite,
            &mut row.reason,
            &mut row.interval,
        ] {
            evil(text);
        }
    }
    for row in &mut items {
        for text in [
            &mut row.run,
            &mut row.suite,
            &mut row.task,
            &mut row.item,
            &mut row.expected,
            &mut row.given,
            &mut row.detail,
        ] {
            evil(text);
        }
    }
    for row in &mut usage {
        evil(&mut row.run);
        evil(&mut row.unit);
    }
    for row in &mut probes {
        for text in [
            &mut row.run,
            &mut row.size,
            &mut row.block,
            &mut row.reason,
            &mut row.flop_convention,
            &mut row.device,
            &mut row.commit,
            &mut row.version,
            &mut row.started,
            &mut row.command,
        ] {
            evil(text);
        }
    }
    let run = runs[0].run.clone();
    let matched = MatchRow {
        run: run.clone(),
        target: format!("params_total{EVIL}"),
        wanted: 1e6,
        reached: 1.1e6,
        tolerance: 0.2,
        knobs: format!("n_keys = 3{EVIL}"),
    };
    let warning = WarningRow {
        run,
        step: 3,
        kind: format!("collapse{EVIL}"),
        subject: format!("layer 1 slot{EVIL}"),
        value: 1.0,
        threshold: f64::NAN,
        detail: EVIL.to_owned(),
    };
    Frames::new(runs, steps, scores, items, usage)
        .with_probes(probes)
        .with_matches(vec![matched])
        .with_warnings(vec![warning])
}

#[test]
fn text_of_rows_never_becomes_markup() {
    let page = render(&hostile()).unwrap();
    // It is there, as text.
    assert!(
        page.matches("&lt;script&gt;").count() > 20,
        "{}",
        page.matches("&lt;script&gt;").count()
    );
    for markup in ["<script", "<img", "<svg/", "\"'>", "-->", "]]>"] {
        assert!(!page.contains(markup), "{markup}");
    }
    let control = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
    assert_eq!(page.chars().find(control), None);
}
