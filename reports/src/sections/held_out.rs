//! Scores on the held-out documents of text corpora.

use maud::{Markup, html};

use crate::interval::interval;
use crate::table::Table;
use results::study::Study;
use results::study::held_out::held_out_scores;

pub fn body(study: &Study) -> Markup {
    let scores = held_out_scores(study);
    if scores.is_empty() {
        return html! { p.none { "No run was trained on a text corpus." } };
    }
    let mut table = Table::new("Held-out documents of text corpora")
        .text("Corpus")
        .text("Size")
        .text("Block")
        .number("Bits per byte")
        .number("Minus dense")
        .number("Nats per token");
    for group in scores.chunk_by(|one, next| (one.corpus, one.rung) == (next.corpus, next.rung)) {
        table.group();
        for score in group {
            let less_dense = score.less_dense.as_ref();
            table.row([
                score.corpus.to_owned(),
                score.rung.to_owned(),
                score.block.to_owned(),
                interval(&score.bits_per_byte, 4),
                less_dense.map_or_else(String::new, |difference| interval(difference, 4)),
                interval(&score.nats_per_token, 4),
            ]);
        }
    }
    html! {
        p {
            "Held-out documents, the same for all runs; lower is better. Bits per byte of text can be compared between tokenizers, nats per \
             token cannot. Intervals are Student’s t over seeds, of differences paired by seed; those of a single seed are over its documents, \
             and its difference has none."
        }
        (table)
    }
}
