//! The sentence about the verdicts over seeds.

use results::study::Study;
use results::study::scores::Suite;
use results::study::verdicts::verdicts;

/// What is shown whenever the results were looked at, corrected for all comparisons; none where one seed was run.
pub fn sentence(study: &Study, suites: &[Suite]) -> Option<String> {
    let verdicts = verdicts(study, suites, |_, _| true);
    if verdicts.is_empty() {
        return None;
    }
    let all = verdicts.len();
    let decided: Vec<String> = verdicts
        .iter()
        .filter(|verdict| verdict.is_decided)
        .map(|verdict| {
            let side = if verdict.is_better() {
                "better"
            } else {
                "worse"
            };
            let size = &verdict.rung.label;
            let quantity = verdict.quantity.words();
            format!("{} is {side} at {size} in {quantity}", verdict.block)
        })
        .collect();
    let correction = match all {
        1 => String::new(),
        _ => format!("corrected for all {all} comparisons with dense and "),
    };
    Some(match decided.is_empty() {
        true => format!(
            "Over seeds, {correction}valid however often the results were looked at, no block is shown to differ from dense."
        ),
        false => format!(
            "Over seeds, {correction}valid however often the results were looked at: {}.",
            decided.join("; ")
        ),
    })
}
