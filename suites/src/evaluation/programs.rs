//! Scoring of answers that are programs.

use sandbox::{Confinement, Program, ProgramVerdict};

use crate::Item;

/// Whether each answer is correct, and the verdict as text. Programs that `judge` cannot run are retried once, in a
/// separate batch.
///
/// # Errors
/// If some program could not be run in either attempt; the error is the reason.
pub(super) fn judge_programs(
    items: &[Item],
    texts: &[String],
    confinement: Confinement,
    judge: impl Fn(&[Program]) -> Vec<ProgramVerdict>,
) -> Result<Vec<(bool, String)>, String> {
    let mut programs: Vec<Program> = Vec::with_capacity(items.len());
    for (item, text) in items.iter().zip(texts) {
        let Some(check) = &item.check else {
            return Err(format!("{} has no check to run", item.id));
        };
        programs.push(check.program(format!("{}{text}\n", item.prompt)));
    }
    let mut verdicts = judge(&programs);
    verdicts.resize(
        programs.len(),
        ProgramVerdict::NotRun("no verdict".to_owned()),
    );
    let unrun = |verdict: &ProgramVerdict| matches!(verdict, ProgramVerdict::NotRun(_));
    let retried: Vec<usize> = (0..verdicts.len())
        .filter(|&index| unrun(&verdicts[index]))
        .collect();
    if !retried.is_empty() {
        let repeated: Vec<Program> = retried
            .iter()
            .map(|&index| programs[index].clone())
            .collect();
        for (index, verdict) in retried.into_iter().zip(judge(&repeated)) {
            verdicts[index] = verdict;
        }
    }
    if let Some(index) = verdicts.iter().position(unrun) {
        let failed = verdicts.iter().filter(|verdict| unrun(verdict)).count();
        return Err(format!(
            "the sandbox could not run {failed} of {} answers, tried twice; {}: {}",
            items.len(),
            items[index].id,
            verdicts[index]
        ));
    }
    Ok(verdicts
        .iter()
        .map(|verdict| (verdict.passed(), confinement.record(verdict)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Functions, FunctionsConfig, Suite};

    #[test]
    fn the_detail_has_no_text_of_programs_that_can_read_files() {
        let suite = Functions::new(&FunctionsConfig::default(), 0);
        let items: Vec<Item> = suite
            .tasks()
            .into_iter()
            .flat_map(|task| task.items)
            .take(3)
            .collect();
        let texts = vec![String::new(); items.len()];
        let raised = |name: &str| ProgramVerdict::Raised {
            name: name.to_owned(),
            line: None,
        };
        let verdicts = [
            ProgramVerdict::Wrong {
                call: "f(1)".to_owned(),
                given: "secret".to_owned(),
            },
            raised("secret"),
            raised("KeyError"),
        ];
        let details = |confinement| -> Vec<String> {
            let judge = |_: &[Program]| verdicts.to_vec();
            let judged = judge_programs(&items, &texts, confinement, judge).expect("ran");
            judged.into_iter().map(|(_, detail)| detail).collect()
        };
        let full = [
            "wrong: f(1) gave secret",
            "raised secret",
            "raised KeyError",
        ];
        assert_eq!(details(Confinement::Isolated), full);
        let noted = full.map(|detail| format!("{detail} (ran without namespaces)"));
        assert_eq!(details(Confinement::Filtered), noted);
        let restricted = [
            "wrong: f(1) gave another value",
            "raised an exception",
            "raised KeyError",
        ];
        let details = details(Confinement::LimitsOnly);
        for (detail, start) in details.iter().zip(restricted) {
            assert!(detail.starts_with(&format!("{start} (ran ")), "{detail}");
        }
    }
}
