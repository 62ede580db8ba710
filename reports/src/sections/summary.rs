//! The first sentences of the page: a [`Summary`] in words.

mod accuracy;
mod loss;
mod over_seeds;
mod picture;
mod selection;

use maud::{Markup, html};

use crate::ReportError;

use accuracy::{QUESTIONS, RECALL};
use results::number::scientific;
use results::study::Study;
use results::study::scores::Suite;
use results::summary::Summary;

/// What the sweep shows, in a few sentences: questions, recall, loss.
///
/// # Errors
/// If the figure cannot be drawn.
pub fn summary(study: &Study, suites: &[Suite]) -> Result<Markup, ReportError> {
    let runs = study.frames.runs();
    let finished = runs.iter().filter(|run| run.status == "finished").count();
    let Some(summary) = Summary::new(study, suites) else {
        return Ok(html! { p.verdict { "No run finished, so nothing can be compared." } });
    };
    let picture = picture::picture(study, suites)?;
    Ok(html! {
        @if let Some(sentence) = over_seeds::sentence(study, suites) {
            p.headline { (sentence) " " a href="#verdicts" { "Verdicts over seeds" } "." }
        }
        @if let Some(picture) = picture { (picture) }
        @for sentence in accuracies(&summary) { p.verdict { (sentence) } }
        p.lede {
            (loss::sentence(summary.loss))
            @if !summary.not_comparable.is_empty() {
                " Left out, as " a href="#compared" { "not comparable" } ": " (summary.not_comparable.join(", ")) "."
            }
            " " (finished) " of " (runs.len()) " runs finished" @if finished < runs.len() {
                "; " a href="#failures" { "the others failed" }
            } "."
        }
    })
}

/// One sentence for questions and one for recall, where they were evaluated.
fn accuracies(summary: &Summary) -> Vec<String> {
    let sentences: Vec<String> = [(QUESTIONS, &summary.questions), (RECALL, &summary.recall)]
        .iter()
        .filter_map(|(words, of)| Some(accuracy::sentence(words, of.as_ref()?)))
        .collect();
    if sentences.is_empty() {
        return vec![
            "No suite of questions was scored, so the blocks are compared by their loss alone."
                .into(),
        ];
    }
    let size = match summary.rungs.as_slice() {
        [rung] => rung.label.clone(),
        several => format!(
            "each block at that of {} sizes where its validation loss is lowest",
            several.len()
        ),
    };
    let first = format!(
        "At the largest budget compared ({size}, {} training FLOPs)",
        scientific(summary.flops())
    );
    let openings = [first.as_str(), "At the same budget"].into_iter();
    openings
        .zip(sentences)
        .map(|(opening, sentence)| format!("{opening}, {sentence}"))
        .collect()
}
