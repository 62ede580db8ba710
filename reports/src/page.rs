//! The page: its head, style, header and sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use results::Frames;

use crate::ReportError;
use crate::sections::{self, Section};
use results::study::Study;
use results::study::scores::Scores;

/// The style sheet is part of the page: nothing is loaded.
const STYLE: &str = include_str!("page.css");

/// One self-contained HTML page about these frames. The same frames give the same bytes.
///
/// # Errors
/// When there are no runs and no probes, or a figure cannot be drawn.
pub fn render(frames: &Frames) -> Result<String, ReportError> {
    if frames.runs().is_empty() && frames.probes().is_empty() {
        return Err(ReportError::Empty);
    }
    let study = Study::new(frames);
    let scores = Scores::new(&study);
    let sections = sections::all(&study, &scores)?;
    let mut sweeps: Vec<&str> = frames.runs().iter().map(|run| run.sweep.as_str()).collect();
    sweeps.sort_unstable();
    sweeps.dedup();
    let title = if sweeps.is_empty() {
        "probes".into()
    } else {
        sweeps.join(", ")
    };
    let lede = sections::summary(&study, &scores.suites)?;
    Ok(document("isoflop sweep", &title, &lede, &sections))
}

/// A whole page: a kicker, a title, the first paragraphs, and sections with a list of links to them.
pub fn document(kicker: &str, title: &str, lede: &Markup, sections: &[Section]) -> String {
    let (empty, filled): (Vec<&Section>, Vec<&Section>) =
        sections.iter().partition(|section| section.is_empty());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "isoflop: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kicker { (kicker) }
                    h1 { (title) }
                    (lede)
                    nav aria-label="Sections" {
                        @for section in &filled { a href={ "#" (section.id) } { (section.title) } " " }
                    }
                }
                main {
                    @for section in &filled { (section_of(section)) }
                    @if !empty.is_empty() {
                        details.empty {
                            summary { "Without data in these runs: " (names(&empty)) }
                            @for section in &empty { (section_of(section)) }
                        }
                    }
                }
            }
        }
    };
    printable(page.into_string())
}

fn section_of(section: &Section) -> Markup {
    html! {
        section id=(section.id) aria-labelledby={ "heading-" (section.id) } {
            h2 id={ "heading-" (section.id) } { (section.title) }
            (section.body)
        }
    }
}

fn names(sections: &[&Section]) -> String {
    let titles: Vec<&str> = sections
        .iter()
        .map(|section| section.title.as_str())
        .collect();
    titles.join(", ")
}

/// `page` with replacement characters in place of control characters, which HTML does not allow, and of characters that reverse
/// the direction of the text around them. They can only come from the text of rows.
fn printable(page: String) -> String {
    let replaced = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    match page.contains(replaced) {
        true => page.replace(replaced, "\u{fffd}"),
        false => page,
    }
}
