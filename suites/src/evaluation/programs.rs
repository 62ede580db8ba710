//! Scoring of answers that are programs.

use crate::sandbox::{Confinement, ProgramVerdict};
use crate::{Item, ProgramCheck};

/// A source and its check.
pub(super) type Program<'a> = (String, &'a ProgramCheck);

/// Whether each answer is correct, and the verdict as text. Programs that `judge` cannot run are retried once, in a
/// separate batch.
///
/// # Errors
/// If some program could not be run in either attempt; the error is the reason.
pub(super) fn judge_programs(
    items: &[Item],
    texts: &[String],
    confinement: Confinement,
    judge: impl Fn(&[Program<'_>]) -> Vec<ProgramVerdict>,
) -> Result<Vec<(bool, String)>, String> {
    let mut programs: Vec<Program<'_>> = Vec::with_capacity(items.len());
    for (item, text) in items.iter().zip(texts) {
        let Some(check) = &item.check else {
            return Err(format!("{} has no check to run", item.id));
        };
        programs.push((format!("{}{text}\n", item.prompt), check));
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
        let repeated: Vec<Program<'_>> = retried
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
    let note = match confinement {
        Confinement::Full => "",
        Confinement::FilesReadable => " (ran without protection of other files against reading)",
        Confinement::LimitsOnly => " (ran under limits only, without the system-call filter)",
    };
    let recorded = |verdict: ProgramVerdict| match confinement {
        Confinement::Full => verdict,
        Confinement::FilesReadable | Confinement::LimitsOnly => verdict.without_program_text(),
    };
    Ok(verdicts
        .into_iter()
        .map(recorded)
        .map(|verdict| (verdict.passed(), format!("{verdict}{note}")))
        .collect())
}
