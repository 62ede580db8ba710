//! A figure: its panels, a legend, a caption, and its data as a table.

use maud::{Markup, PreEscaped, html};

use crate::chart::{Chart, Style};
use crate::table::Table;
use crate::{ReportError, marker};

/// Several panels that share a legend and a caption.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Anchor in the page.
    pub id: String,
    pub caption: String,
    pub panels: Vec<Chart>,
    pub data: Table,
}

/// The layout of panels: a class of the style sheet, and the width and height in CSS pixels of a panel on a wide page, at
/// which its text has its nominal size.
fn layout(panels: usize) -> (&'static str, (f64, f64)) {
    match panels {
        0 | 1 => ("panels one", (720.0, 360.0)),
        2 | 4 => ("panels two", (440.0, 310.0)),
        _ => ("panels three", (300.0, 270.0)),
    }
}

impl Figure {
    pub fn render(&self) -> Result<Markup, ReportError> {
        let error = |detail| ReportError::Drawing {
            figure: self.id.clone(),
            detail,
        };
        let (class, size) = layout(self.panels.len());
        let panels = self
            .panels
            .iter()
            .map(|panel| panel.svg(size).map(PreEscaped))
            .collect::<Result<Vec<_>, _>>()
            .map_err(error)?;
        let legend = self
            .legend()
            .into_iter()
            .map(|(look, name, style)| Ok((PreEscaped(marker::key(look, style)?), name)))
            .collect::<Result<Vec<_>, String>>()
            .map_err(error)?;
        Ok(html! {
            figure id=(self.id) {
                ul.legend {
                    @for (key, name) in legend {
                        li { (key) (name) }
                    }
                }
                div class=(class) {
                    @for panel in panels { div.panel { (panel) } }
                }
                figcaption { (self.caption) }
                details {
                    summary { "Data" }
                    (self.data)
                }
            }
        })
    }

    /// Every block that any panel shows, in the order of their looks.
    fn legend(&self) -> Vec<(usize, &str, Style)> {
        let mut entries: Vec<_> = self
            .panels
            .iter()
            .flat_map(|panel| &panel.series)
            .filter(|series| !series.points.is_empty())
            .map(|series| (series.look, series.name.as_str(), series.style))
            .collect();
        // A block that is joined by lines in one panel only has one entry.
        entries.sort();
        entries.dedup_by_key(|(look, name, _)| (*look, *name));
        entries
    }
}
