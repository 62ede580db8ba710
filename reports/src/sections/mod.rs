//! The page's sections in reading order.

mod accuracy;
mod benchmarks;
mod claims;
mod compared;
mod conventions;
mod exposures;
mod failures;
mod forecasts;
pub mod gains;
mod held_out;
mod isoflop;
mod knowledge;
mod loss;
mod matched;
mod memory_size;
mod paper_plan;
mod probes;
mod provenance;
mod published;
mod scaling;
mod scoreboard;
mod speed;
mod summary;
mod tuning;
mod usage;
mod verdicts;

use maud::Markup;

use crate::ReportError;
use results::study::Study;
use results::study::scores::Scores;

pub use summary::summary;

/// A part of the page with its heading.
pub struct Section {
    /// Anchor.
    pub id: &'static str,
    pub title: String,
    pub body: Markup,
}

impl Section {
    /// Whether it only says that there is nothing to show.
    pub fn is_empty(&self) -> bool {
        let body = &self.body.0;
        body.starts_with("<p class=\"none\">") && body.matches("<p").count() == 1
    }
}

/// All sections; one without rows in these frames states so.
pub fn all(study: &Study, scores: &Scores) -> Result<Vec<Section>, ReportError> {
    let section = |id, title: &str, body| Section {
        id,
        title: title.into(),
        body,
    };
    Ok(vec![
        section("compared", "What was compared", compared::body(study)),
        section("scoreboard", "Scoreboard", scoreboard::body(study, scores)),
        section(
            "verdicts",
            "Verdicts over seeds",
            verdicts::body(study, &scores.suites),
        ),
        section(
            "exposures",
            "Epochs and exposures",
            exposures::body(study, &scores.suites),
        ),
        section("tuning", "Training settings", tuning::body(study)?),
        section("loss", "Validation loss", loss::body(study)?),
        section("accuracy", "Accuracy", accuracy::body(study, scores)?),
        section(
            "scaling",
            "Scaling curves",
            scaling::body(study, &scores.suites)?,
        ),
        section("isoflop", "IsoFLOP curves", isoflop::body(study)?),
        section(
            "gains",
            "Gains over dense",
            gains::body(study, &scores.suites),
        ),
        section("forecasts", "Forecasts", forecasts::body(study)),
        section(
            "benchmarks",
            "Published benchmarks",
            benchmarks::body(study),
        ),
        section("held-out", "Text corpora", held_out::body(study)),
        section("claims", "Claims", claims::body(study, &scores.suites)),
        section("knowledge", "Knowledge stored", knowledge::body(study)?),
        section(
            "memory-size",
            "Accuracy against memory size",
            memory_size::body(study, &scores.suites)?,
        ),
        section("speed", "Speed and traffic", speed::body(study)?),
        section("probes", "Probes of single layers", probes::body(study)?),
        section("usage", "Use of slots and experts", usage::body(study)),
        section("failures", "Failures and gaps", failures::body(study)),
        section("published", "Published figures", published::body()),
        section(
            "paper-plan",
            "The paper’s sweep, planned",
            paper_plan::body(),
        ),
        section("conventions", "Conventions", conventions::body(study)),
        section("provenance", "Provenance", provenance::body(study)),
    ])
}
