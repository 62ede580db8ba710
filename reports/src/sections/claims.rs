//! The claims: each headline with its rule, the evidence measured here, and the verdict.

use maud::{Markup, html};
use results::published::MEMORY_LAYERS;

use crate::table::Table;
use results::claims::{Claim, Verdict, claims};
use results::number::NONE;
use results::study::Study;
use results::study::scores::Suite;

pub fn body(study: &Study, suites: &[Suite]) -> Markup {
    let groups = claims(study, suites);
    let count = |outcome| {
        groups
            .iter()
            .flat_map(|(_, claims)| claims)
            .filter(|claim| claim.finding.outcome == outcome)
            .count()
    };
    let counts: Vec<String> = Verdict::ALL
        .iter()
        .map(|outcome| {
            let words = outcome.words().trim_end_matches(" at this scale");
            format!("{} {}", count(*outcome), words.trim_end_matches(','))
        })
        .collect();
    html! {
        p {
            "The headlines of " (MEMORY_LAYERS) " in our own words, each with a rule that alone determines the "
            "verdict: " (counts.join(", ")) ", at this scale. The paper's decoders have 134m to 8b parameters and were trained on 200B "
            "tokens or more; those here are much smaller, so that no verdict is about the paper's own models. A rule that "
            "applies and cannot decide counts as not tested. Intervals are not corrected for the number of rules."
        }
        p {
            "Where the blocks have only one seed in common, the verdict is \u{201c}in one run each\u{201d}. Its interval covers the choice of "
            "items and not variation over seeds, so it is preliminary. "
            "Where several sizes share a budget, each block is taken at its size of the lowest validation loss."
        }
        @for (title, claims) in &groups {
            h3 { (title) }
            (table(title, claims))
        }
    }
}

fn table(title: &str, claims: &[Claim]) -> Table {
    let mut table = Table::new(title)
        .prose("Headline, and the rule")
        .prose("Verdict")
        .prose("Evidence here")
        .prose("Published");
    for claim in claims {
        let class = match claim.finding.outcome {
            Verdict::Supported => "better",
            Verdict::Contradicted => "worse",
            // No colour for weak evidence.
            Verdict::SupportedOnce | Verdict::ContradictedOnce | Verdict::NotTested => "level",
        };
        table.row([
            html! { (claim.headline) br; span.aside { (claim.rule) } },
            html! { span class=(class) { (claim.finding.outcome.words()) } },
            html! {
                (claim.finding.evidence)
                @if !claim.finding.scale.is_empty() { br; span.aside { (claim.finding.scale) } }
            },
            html! { @if claim.published.is_empty() { (NONE) } @else { (claim.published) } },
        ]);
    }
    table
}
