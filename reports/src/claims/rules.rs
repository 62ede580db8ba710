//! The rules, one function for each kind of headline.

use results::fits::Reading;
use results::gains::{Axis, Ratio};

use super::evidence::{Rows, decided, sign, table_1};
use super::{Claim, Finding, Outcome};
use crate::blocks::REFERENCE;
use crate::gains::{Measure, gain};
use crate::number::{fixed, percent};
use crate::score::Suite;
use crate::sections::gains::number;
use crate::study::{Rung, Study};

/// Points within which two blocks count as equal.
const EQUAL: f64 = 0.05;

/// Largest ratio of total parameters at which two models count as matched in them.
const MATCHED: f64 = 1.25;

/// All headlines, each decided on questions and on recall apart where it is about facts.
pub fn claims(study: &Study, suites: &[Suite]) -> Vec<(&'static str, Vec<Claim>)> {
    let rows = Rows { study, suites };
    let on = |measure: Measure| vec![
        Claim {
            headline: "Memory+ answers more facts than dense at equal training FLOPs.",
            published: table_1("NQ", &[("Dense", ""), ("Memory+", "")]),
            rule: "Supported where the 95 % interval of the paired difference to dense, at the largest size, lies above 0; contradicted where below.",
            finding: ahead(&rows, measure, ("memory+", REFERENCE)),
        },
        Claim {
            headline: "Memory+ is as good as dense decoders with more than twice its training compute.",
            published: table_1("TQA", &[("Dense", ""), ("Memory+", "")]),
            rule: "Supported where the interval of the compute-equivalent gain at the largest size lies above 2; contradicted where below.",
            finding: worth(&rows, measure, Axis::Flops, 2.0),
        },
        Claim {
            headline: "In many cases Memory+ equals dense with four times the compute.",
            published: String::new(),
            rule: "The same with 4.",
            finding: worth(&rows, measure, Axis::Flops, 4.0),
        },
        Claim {
            headline: "Memory is about as good as dense with twice its parameters.",
            published: table_1("NQ", &[("Dense", ""), ("Memory", "")]),
            rule: "Sizes trained on equal tokens, as the paper's were. Supported where the interval of the parameter-equivalent gain holds 2 and lies within 1.5 to 3; contradicted where it lies outside 1.5 to 3.",
            finding: twice_the_parameters(&rows, measure),
        },
        Claim {
            headline: "Memory layers raise accuracy on facts by 100 % and more.",
            published: table_1("NQ", &[("Dense", ""), ("Memory+", "64m")]),
            rule: "Supported where the whole interval of the paired difference of memory+ to dense lies above the whole interval of dense's accuracy; contradicted where below.",
            finding: doubled(&rows, measure),
        },
        Claim {
            headline: "Memory+ beats a mixture of experts at equal compute and parameters.",
            published: table_1("NQ", &[("MoE", ""), ("Memory+", "")]),
            rule: "Total parameters within a factor of 1.25, at the largest size. Supported where the interval of the paired difference lies above 0; contradicted where below.",
            finding: beats_experts(&rows, measure),
        },
        Claim {
            headline: "All memory variants (PEER, Memory, Memory+) beat the mixture of experts at equal compute.",
            published: table_1("TQA", &[("MoE", ""), ("PEER", ""), ("Memory", ""), ("Memory+", "")]),
            rule: "Supported where all three intervals of the paired difference to the mixture lie above 0; contradicted where any lies below. Parameters are not matched.",
            finding: all_beat_experts(&rows, measure),
        },
        Claim {
            headline: "PEER is about as good as Memory.",
            published: table_1("NQ", &[("PEER", ""), ("Memory", "")]),
            rule: "Supported where the interval of the paired difference lies within 5 points either side of 0; contradicted where it lies wholly outside them.",
            finding: alike(&rows, measure, ("peer", "memory")),
        },
        Claim {
            headline: "PEER is behind Memory+.",
            published: table_1("NQ", &[("PEER", ""), ("Memory+", "")]),
            rule: "Supported where the interval of the paired difference of memory+ to peer lies above 0; contradicted where below.",
            finding: ahead(&rows, measure, ("memory+", "peer")),
        },
    ];
    vec![
        ("Questions of facts, in a phrasing that was not trained on", on(Measure::Questions)),
        ("Recall of facts, in a phrasing that was trained on", on(Measure::Recall)),
        ("Scale and placement", scale(&rows)),
    ]
}

fn scale(rows: &Rows) -> Vec<Claim> {
    let untrained = |headline, published: String, needs: &str| Claim {
        headline,
        published,
        rule: "Needs runs at that scale.",
        finding: Finding::untested(format!("{needs}; {}", rows.most())),
    };
    vec![
        Claim {
            headline: "Three memory layers are the best number; more take too many dense feed-forwards away.",
            published: "train NLL at 373m: three 2.06, six 2.11 (paper via two transcriptions)".into(),
            rule: "Gated memories of one size and budget with three layers and with more. Supported where three layers are ahead of every other number in recall by intervals above 0; contradicted where any other number is ahead so.",
            finding: three_layers(rows),
        },
        untrained(
            "A decoder of 1.3b with 64M slots, 128B memory parameters, approaches Llama2 7B at a tenth of its FLOPs.",
            table_1("NQ", &[("Memory+", "64m")]) + ", Llama2 7B 25.1",
            "no such decoder was trained here",
        ),
        untrained(
            "An 8B decoder with memory, trained on 1T tokens, approaches Llama3.1 8B, trained on 15T.",
            String::new(),
            "no such decoder was trained here",
        ),
        untrained(
            "Memory layers scale to 128B memory parameters and 1T tokens.",
            String::new(),
            "neither was tried here",
        ),
    ]
}

/// The suites of a measure, the largest common rung, or why a rule cannot look.
fn ground<'s, 'a>(
    rows: &Rows<'s, 'a>,
    measure: Measure,
    (block, other): (&str, &str),
) -> Result<(Vec<&'s Suite<'a>>, &'s Rung), Finding> {
    let suites = measure.suites(rows.suites);
    if suites.is_empty() {
        return Err(Finding::untested(format!("no suite of {} was scored", measure.words())));
    }
    let rung = rows.largest(block, other).ok_or_else(|| {
        Finding::untested(format!("{block} and {other} did not both finish at one size, trained alike"))
    })?;
    Ok((suites, rung))
}

const HOLDS_ZERO: &str = "the interval holds 0";

fn ahead(rows: &Rows, measure: Measure, blocks: (&str, &str)) -> Finding {
    let (suites, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    match rows.difference(&suites, blocks, rung) {
        Some((gap, words)) => decided(sign(&gap), words, rows.scale(&[blocks.0, blocks.1], rung), HOLDS_ZERO),
        None => Finding::untested("the answers cannot be paired"),
    }
}

fn worth(rows: &Rows, measure: Measure, axis: Axis, times: f64) -> Finding {
    let (_, rung) = match ground(rows, measure, ("memory+", REFERENCE)) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let found = gain(rows.study, rows.suites, measure, axis, ("memory+", rung));
    let gain = match &found {
        Ok(gain) => gain,
        Err(reason) => return Finding::untested(format!("no gain: {reason}")),
    };
    let evidence = format!(
        "{} times the {} of memory+, n {} items, {} per rung at least",
        number(&found),
        axis.label(),
        gain.items,
        if gain.seeds == 1 { "one seed".into() } else { format!("{} seeds", gain.seeds) }
    );
    let outcome = match gain.interval {
        // A bound counts for what it bounds: at least 3 is above 2, and at least 1 is not known to be.
        Some((Ratio::Exactly(low) | Ratio::AtLeast(low), _)) if low > times => Outcome::Supported,
        Some((_, Ratio::Exactly(high) | Ratio::AtMost(high))) if high < times => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    let undecided = match gain.interval {
        Some(_) => format!("the interval holds {times}, or dense's sizes do not reach so far"),
        None => gain.method.to_owned(),
    };
    decided(outcome, evidence, rows.scale(&["memory+", REFERENCE], rung), &undecided)
}

fn twice_the_parameters(rows: &Rows, measure: Measure) -> Finding {
    let (_, rung) = match ground(rows, measure, ("memory", REFERENCE)) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let tokens: Vec<f64> = rows.study.rungs.iter()
        .flat_map(|rung| rows.study.finished(REFERENCE, rung))
        .map(|run| run.tokens as f64)
        .collect();
    let (least, most) = tokens.iter().fold((f64::INFINITY, 0.0f64), |(l, m), t| (l.min(*t), m.max(*t)));
    if most > 1.05 * least {
        return Finding::untested("dense's sizes were trained on different numbers of tokens here, so that larger means longer, too");
    }
    let found = gain(rows.study, rows.suites, measure, Axis::Params(Reading::Active), ("memory", rung));
    let gain = match &found {
        Ok(gain) => gain,
        Err(reason) => return Finding::untested(format!("no gain: {reason}")),
    };
    let outcome = match gain.interval {
        Some((Ratio::Exactly(low), Ratio::Exactly(high))) if low >= 1.5 && low <= 2.0 && (2.0..=3.0).contains(&high) => {
            Outcome::Supported
        }
        Some((_, Ratio::Exactly(high) | Ratio::AtMost(high))) if high < 1.5 => Outcome::Contradicted,
        Some((Ratio::Exactly(low) | Ratio::AtLeast(low), _)) if low > 3.0 => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    let evidence = format!("{} times the active parameters of memory, n {} items", number(&found), gain.items);
    decided(outcome, evidence, rows.scale(&["memory", REFERENCE], rung), "the interval is wider than 1.5 to 3, or there is none")
}

fn doubled(rows: &Rows, measure: Measure) -> Finding {
    let blocks = ("memory+", REFERENCE);
    let (suites, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let (Some((gap, difference)), Some((dense, accuracy))) =
        (rows.difference(&suites, blocks, rung), rows.accuracy(&suites, REFERENCE, rung))
    else {
        return Finding::untested("the answers cannot be paired");
    };
    let outcome = match (gap, dense) {
        (gap, dense) if !gap.is_bounded() || !dense.is_bounded() => Outcome::NotTested,
        (gap, dense) if gap.low > dense.high => Outcome::Supported,
        (gap, dense) if gap.high < dense.low => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    let rise = percent(gap.value / dense.value);
    let evidence = format!("{difference}, on top of {accuracy}: a rise of {rise} %");
    decided(outcome, evidence, rows.scale(&[blocks.0, blocks.1], rung), "the two intervals overlap")
}

fn beats_experts(rows: &Rows, measure: Measure) -> Finding {
    let blocks = ("memory+", "moe");
    let (_, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let total = |block: &str| rows.study.finished(block, rung)[0].params_total as f64;
    let ratio = total(blocks.0) / total(blocks.1);
    if !(1.0 / MATCHED..=MATCHED).contains(&ratio) {
        return Finding::untested(format!(
            "memory+ has {} times the mixture's total parameters at size {}: matched in compute only",
            fixed(ratio, 2),
            rung.label
        ));
    }
    ahead(rows, measure, blocks)
}

fn all_beat_experts(rows: &Rows, measure: Measure) -> Finding {
    let (mut outcomes, mut words, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for block in ["peer", "memory", "memory+"] {
        let found = ahead(rows, measure, (block, "moe"));
        outcomes.push(found.outcome);
        words.push(found.evidence);
        scales.push(found.scale);
    }
    scales.retain(|scale| !scale.is_empty());
    Finding {
        outcome: if outcomes.contains(&Outcome::Contradicted) {
            Outcome::Contradicted
        } else if outcomes.iter().all(|outcome| *outcome == Outcome::Supported) {
            Outcome::Supported
        } else {
            Outcome::NotTested
        },
        evidence: words.join(" | "),
        scale: scales.join(" | "),
    }
}

fn alike(rows: &Rows, measure: Measure, blocks: (&str, &str)) -> Finding {
    let (suites, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let Some((gap, words)) = rows.difference(&suites, blocks, rung) else {
        return Finding::untested("the answers cannot be paired");
    };
    let outcome = match gap {
        gap if !gap.is_bounded() => Outcome::NotTested,
        gap if gap.low > -EQUAL && gap.high < EQUAL => Outcome::Supported,
        gap if gap.low > EQUAL || gap.high < -EQUAL => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    decided(outcome, words, rows.scale(&[blocks.0, blocks.1], rung), "the interval reaches across 5 points")
}

/// Layers with slots that a block has on a rung, where its memories are gated.
fn gated_layers(rows: &Rows, block: &str, rung: &Rung) -> Option<usize> {
    let run = *rows.study.finished(block, rung).first()?;
    let layers = rows.study.frames.usage().iter().filter(|row| row.run == run.run && row.unit == "slot").count();
    (layers > 0 && run.config.lines().any(|line| line.trim() == "gate = true")).then_some(layers)
}

fn three_layers(rows: &Rows) -> Finding {
    let none = || Finding::untested("no gated memories with three layers and with more ran at one size and budget");
    let counted = |rung: &Rung| -> Vec<(&str, usize)> {
        let blocks = rows.study.blocks.iter();
        blocks.filter_map(|block| Some((*block, gated_layers(rows, block, rung)?))).collect()
    };
    let fits = |found: &[(&str, usize)]| found.iter().any(|(_, n)| *n == 3) && found.iter().any(|(_, n)| *n > 3);
    let Some(rung) = rows.study.rungs.iter().rev().find(|rung| fits(&counted(rung))) else {
        return none();
    };
    let found = counted(rung);
    let Some((three, _)) = found.iter().find(|(_, n)| *n == 3) else {
        return none();
    };
    let suites = Measure::Recall.suites(rows.suites);
    let gaps: Vec<_> = found
        .iter()
        .filter(|(_, n)| *n != 3)
        .filter_map(|(other, n)| {
            let (gap, words) = rows.difference(&suites, (three, other), rung)?;
            Some((sign(&gap), format!("{words} ({n} layers)")))
        })
        .collect();
    let outcome = if gaps.iter().any(|(sign, _)| *sign == Outcome::Contradicted) {
        Outcome::Contradicted
    } else if !gaps.is_empty() && gaps.iter().all(|(sign, _)| *sign == Outcome::Supported) {
        Outcome::Supported
    } else {
        Outcome::NotTested
    };
    let words: Vec<&str> = gaps.iter().map(|(_, words)| words.as_str()).collect();
    let blocks: Vec<&str> = found.iter().map(|(block, _)| *block).collect();
    decided(outcome, words.join("; "), rows.scale(&blocks, rung), HOLDS_ZERO)
}
