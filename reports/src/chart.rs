//! One panel of a figure: lines with marks, error bars, bands and guides, drawn with plotters.

mod draw;
mod ticks;

use plotters::prelude::*;

use results::study::Study;

use crate::axis::Axis;
use crate::svg::{self, units};
use results::number;

/// A measured point; `range` is its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub range: Option<(f64, f64)>,
}

/// The points of one block, in the order in which a line joins them.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    /// Number of the block's colour and marker.
    pub look: usize,
    pub points: Vec<Point>,
    pub style: Style,
}

/// How a series is drawn, which encodes the origin of its points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    /// Measured, and joined by a line.
    #[default]
    Joined,
    /// Measured, without a line: values in between are unknown, or drawn as a guide.
    Apart,
    /// Not measured but computed, digitised or transcribed: a dashed line with hollow marks.
    Hollow,
}

impl Style {
    /// The style of a block's points over the sizes: joined where each size has its own budget, and without lines where
    /// sizes share one, since a line would go up and down within the budget.
    pub fn between_rungs(study: &Study) -> Self {
        match study.sizes_share_a_budget() {
            true => Self::Apart,
            false => Self::Joined,
        }
    }
}

/// A line that is not a series: a fit, a roofline, an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    /// Number of a block's colour; none for what belongs to no block.
    pub look: Option<usize>,
    /// Corners, in the axes' values.
    pub path: Vec<(f64, f64)>,
    pub dashed: bool,
}

/// The area between two curves: a 95 % band.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    pub look: usize,
    /// Position on the x axis, low and high.
    pub edges: Vec<(f64, f64, f64)>,
}

/// One panel of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    /// A horizontal reference line, and its label.
    pub level: Option<(f64, String)>,
    /// Whether each point has a mark; long curves have one at their end only.
    pub marks: bool,
    pub guides: Vec<Guide>,
    pub bands: Vec<Band>,
}

impl Series {
    pub fn new(name: &str, look: usize, points: Vec<Point>) -> Self {
        Self {
            name: name.into(),
            look,
            points,
            style: Style::Joined,
        }
    }

    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

impl Chart {
    /// A panel with marks at all points, without level, guides and bands.
    pub fn new(title: &str, x: Axis, y: Axis, series: Vec<Series>) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            series,
            level: None,
            marks: true,
            guides: Vec::new(),
            bands: Vec::new(),
        }
    }

    /// The panel as inline SVG, for a width and a height in CSS pixels.
    pub fn svg(&self, (width, height): (f64, f64)) -> Result<String, String> {
        let size = (units(width), units(height));
        let mut raw = String::new();
        {
            let area = SVGBackend::with_string(&mut raw, size).into_drawing_area();
            self.draw(&area, (size.0 as i32, size.1 as i32))
                .map_err(|error| error.to_string())?;
        }
        Ok(svg::finish(&raw, &self.description()))
    }

    /// The panel in words: the first and last point of each series.
    pub fn description(&self) -> String {
        let mut text = format!("{}: {} against {}.", self.title, self.y.label, self.x.label);
        for series in &self.series {
            let at = |point: &Point| format!("{} at {}", plain(point.y), self.x_text(point.x));
            match series.points.as_slice() {
                [] => continue,
                [only] => text.push_str(&format!(" {}: {}.", series.name, at(only))),
                [first, .., last] => {
                    text.push_str(&format!(" {}: {}, {}.", series.name, at(first), at(last)));
                }
            }
        }
        text
    }

    fn x_text(&self, x: f64) -> String {
        let category = self
            .x
            .ticks
            .iter()
            .find(|(at, text)| *at == x && text.parse::<f64>().is_err());
        category.map_or_else(|| plain(x), |(_, text)| text.clone())
    }
}

fn plain(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-3..1e5).contains(&size) => number::scientific(value),
        _ => number::fixed(value, 3),
    }
}
