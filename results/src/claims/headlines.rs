//! The headlines: text, published numbers, and the rule of each.

use super::compute_gain::{often_worth, twice_the_parameters, worth};
use super::evidence::{ClaimData, table_1};
use super::experts::{all_beat_experts, beats_experts};
use super::layers::three_layers;
use super::rules::{ahead, doubled, within_margin};
use super::verdict::{Claim, Finding};
use crate::study::BlockRole;
use crate::study::Measure;
use crate::study::Study;
use crate::study::scores::Suite;

/// All headlines by group; those about facts are decided separately on questions and on recall.
pub fn claims(study: &Study, suites: &[Suite]) -> Vec<(&'static str, Vec<Claim>)> {
    let data = ClaimData { study, suites };
    let on = |measure: Measure| {
        vec![
            Claim {
                headline: "Memory+ answers more facts than dense at equal training FLOPs.",
                published: table_1("NQ", &[("Dense", ""), ("Memory+", "")]),
                rule: "At the largest budget at which both finished, training FLOPs within 2 %. Supported where the 95 % interval of the \
                    paired difference to dense is above 0; contradicted where below.",
                finding: ahead(&data, measure, (BlockRole::MemoryPlus, BlockRole::Dense)),
            },
            Claim {
                headline: "Memory+ is as good as dense decoders with more than twice its training compute.",
                published: table_1("TQA", &[("Dense", ""), ("Memory+", "")]),
                rule: "At the largest budget at which dense was also trained with twice the FLOPs or more. Supported where the \
                    interval of the compute-equivalent gain is above 2; contradicted where below. Not tested where memory+ has an accuracy above 95 % there.",
                finding: worth(&data, measure, 2.0),
            },
            Claim {
                headline: "In many cases Memory+ equals dense with four times the compute.",
                published: String::new(),
                rule: "The same with 4; never contradicted, as one case cannot contradict many.",
                finding: often_worth(&data, measure, 4.0),
            },
            Claim {
                headline: "Memory is about as good as dense with twice its parameters.",
                published: table_1("NQ", &[("Dense", ""), ("Memory", "")]),
                rule: "Dense's sizes and memory trained on equal tokens within 5 %, as the paper's were. Supported where the interval of the \
                    parameter-equivalent gain includes 2 and is within 1.5 to 3; contradicted where it is outside \
                    1.5 to 3.",
                finding: twice_the_parameters(&data, measure),
            },
            Claim {
                headline: "Memory layers raise accuracy on facts by 100 % and more.",
                published: table_1("NQ", &[("Dense", ""), ("Memory+", "64m")]),
                rule: "Training FLOPs within 2 %. Supported where the whole interval of the paired difference of memory+ to dense is \
                    above the whole interval of dense's accuracy; contradicted where below, unless dense's accuracy can be 50 % \
                    or more. Not tested where dense's accuracy is 0.",
                finding: doubled(&data, measure),
            },
            Claim {
                headline: "Memory+ beats a mixture of experts at equal compute and parameters.",
                published: table_1("NQ", &[("MoE", ""), ("Memory+", "")]),
                rule: "Training FLOPs within 2 % and total parameters within a factor of 1.25, at the largest budget of both. Supported where \
                    the interval of the paired difference is above 0; contradicted where below.",
                finding: beats_experts(&data, measure),
            },
            Claim {
                headline: "All memory variants (PEER, Memory, Memory+) beat the mixture of experts at equal compute and parameters.",
                published: table_1(
                    "TQA",
                    &[("MoE", ""), ("PEER", ""), ("Memory", ""), ("Memory+", "")],
                ),
                rule: "The same for each, at the largest budget that all four have. Supported where all three intervals are above 0; \
                    contradicted where any is below.",
                finding: all_beat_experts(&data, measure),
            },
            Claim {
                headline: "PEER is about as good as Memory.",
                published: table_1("NQ", &[("PEER", ""), ("Memory", "")]),
                rule: "Training FLOPs within 2 %. Supported where the interval of the paired difference is within 5 points of 0; \
                    contradicted where it is wholly outside. Not tested unless both accuracies' intervals are \
                    above the majority guess and below 100 %.",
                finding: within_margin(&data, measure, (BlockRole::Peer, BlockRole::Memory)),
            },
            Claim {
                headline: "PEER is behind Memory+.",
                published: table_1("NQ", &[("PEER", ""), ("Memory+", "")]),
                rule: "Training FLOPs within 2 %. Supported where the interval of the paired difference of memory+ to peer is above 0; \
                    contradicted where below.",
                finding: ahead(&data, measure, (BlockRole::MemoryPlus, BlockRole::Peer)),
            },
        ]
    };
    vec![
        (
            "Questions of facts, in a phrasing that was not trained on",
            on(Measure::Questions),
        ),
        (
            "Recall of facts, in a phrasing that was trained on",
            on(Measure::Recall),
        ),
        ("Scale and placement", scale(&data)),
    ]
}

fn scale(data: &ClaimData) -> Vec<Claim> {
    let untrained = |headline, published: String, needs: &str| Claim {
        headline,
        published,
        rule: "Needs runs at that scale.",
        finding: Finding::untested(format!("{needs}; {}", data.most())),
    };
    vec![
        Claim {
            headline: "Three memory layers are the best number; more take too many dense feed-forwards away.",
            published: "train NLL at 373m: three 2.06, six 2.11 (paper via two transcriptions)"
                .into(),
            rule: "Gated memories of one size and budget, equal in slots and table parameters, with three layers and with more. Supported where three \
                layers are better than every other number in recall, with intervals above 0; contradicted where any other \
                number is better, with its interval above 0; not tested where any cannot be compared.",
            finding: three_layers(data),
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
            "no such model was trained here",
        ),
    ]
}
