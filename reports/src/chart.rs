//! One panel: lines with marks, error bars and an optional reference line, drawn with plotters.

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::Axis;
use crate::svg::{self, INK, MUTED, RULE, UNITS, units};
use crate::{marker, number};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;
type Failure = DrawingAreaErrorKind<std::io::Error>;

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
}

/// One panel of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    /// A level to compare with, and what it is.
    pub level: Option<(f64, String)>,
    /// Whether each point has its mark; long curves have one at their end only.
    pub marks: bool,
}

impl Chart {
    /// The panel as SVG that a page can hold, for a width and a height in CSS pixels.
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

    /// The panel in words: where each line starts and where it ends.
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

    fn draw(&self, area: &Area, (width, height): (i32, i32)) -> Result<(), Failure> {
        let px = |pixels: f64| (pixels * UNITS) as i32;
        let longest = self.y.ticks.iter().map(|(_, text)| text_width(text));
        let gutter = longest.fold(0.0, f64::max) + 24.0;
        let (left, right) = (px(gutter.max(58.0)), width - px(14.0));
        let (top, bottom) = (px(30.0), height - px(46.0));
        let plane = Plane::new(
            self.x.low..self.x.high,
            self.y.low..self.y.high,
            (left..right, bottom..top),
        );
        let text =
            |content: &str, at: (i32, i32), size: f64, colour: &'static RGBColor, pos: Pos| {
                area.draw(&Text::new(
                    content.to_owned(),
                    at,
                    style(size, colour).pos(pos),
                ))
            };
        let line = |from: (i32, i32), to: (i32, i32), colour: RGBColor, wide: f64| {
            area.draw(&PathElement::new(
                vec![from, to],
                colour.stroke_width(units(wide)),
            ))
        };

        text(
            &self.title,
            (left, px(6.0)),
            14.0,
            &INK,
            Pos::new(HPos::Left, VPos::Top),
        )?;
        for (at, label) in &self.y.ticks {
            let (_, y) = plane.translate(&(self.x.low, *at));
            line((left, y), (right, y), RULE, 1.0)?;
            text(
                label,
                (left - px(7.0), y),
                12.0,
                &MUTED,
                Pos::new(HPos::Right, VPos::Center),
            )?;
        }
        line((left, bottom), (right, bottom), MUTED, 1.0)?;
        let x_of = |at: f64| plane.translate(&(at, self.y.low)).0;
        for (at, _) in &self.x.ticks {
            line(
                (x_of(*at), bottom),
                (x_of(*at), bottom + px(4.0)),
                MUTED,
                1.0,
            )?;
        }
        for (at, label) in apart(&self.x.ticks, |at| f64::from(x_of(at)) / UNITS) {
            let x = x_of(*at);
            text(
                label,
                (x, bottom + px(8.0)),
                12.0,
                &MUTED,
                Pos::new(HPos::Center, VPos::Top),
            )?;
        }
        let under = ((left + right) / 2, height - px(3.0));
        text(
            &self.x.label,
            under,
            12.5,
            &INK,
            Pos::new(HPos::Center, VPos::Bottom),
        )?;
        let upright = style(12.5, &INK)
            .transform(FontTransform::Rotate270)
            .pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(
            self.y.label.clone(),
            (px(3.0), (top + bottom) / 2),
            upright,
        ))?;

        if let Some((at, name)) = &self.level {
            self.draw_level(area, &plane, *at, name, (left, right))?;
        }
        for (place, series) in self.series.iter().enumerate() {
            self.draw_series(area, &plane, series, self.dodge(place))?;
        }
        area.present()
    }

    /// Equal FLOPs mean equal x: error bars would hide each other, so each block stands a little aside.
    fn dodge(&self, place: usize) -> i32 {
        let ranges = self
            .series
            .iter()
            .flat_map(|s| &s.points)
            .any(|p| p.range.is_some());
        if !ranges {
            return 0;
        }
        let aside = place as f64 - (self.series.len() as f64 - 1.0) / 2.0;
        (aside * 5.0 * UNITS) as i32
    }

    fn draw_level(
        &self,
        area: &Area,
        plane: &Plane,
        at: f64,
        name: &str,
        (left, right): (i32, i32),
    ) -> Result<(), Failure> {
        let Some(at) = self
            .y
            .place(at)
            .filter(|at| (self.y.low..=self.y.high).contains(at))
        else {
            return Ok(());
        };
        let (_, y) = plane.translate(&(self.x.low, at));
        let dash = (5.0 * UNITS) as i32;
        for from in (left..right).step_by(2 * dash as usize) {
            let path = vec![(from, y), ((from + dash).min(right), y)];
            area.draw(&PathElement::new(path, MUTED.stroke_width(units(1.25))))?;
        }
        let corner = Pos::new(HPos::Right, VPos::Bottom);
        let label = style(11.5, &MUTED).pos(corner);
        area.draw(&Text::new(
            name.to_owned(),
            (right, y - (4.0 * UNITS) as i32),
            label,
        ))
    }

    fn draw_series(
        &self,
        area: &Area,
        plane: &Plane,
        series: &Series,
        dodge: i32,
    ) -> Result<(), Failure> {
        let colour = svg::block(series.look);
        let pixel = |x: f64, y: f64| {
            let (x, y) = plane.translate(&(self.x.place(x)?, self.y.place(y)?));
            Some((x + dodge, y))
        };
        let path: Vec<_> = series
            .points
            .iter()
            .filter_map(|p| pixel(p.x, p.y))
            .collect();
        if path.len() > 1 {
            area.draw(&PathElement::new(
                path.clone(),
                colour.stroke_width(units(1.75)),
            ))?;
        }
        for point in &series.points {
            let Some((low, high)) = point.range else {
                continue;
            };
            if let (Some(low), Some(high)) = (pixel(point.x, low), pixel(point.x, high)) {
                area.draw(&PathElement::new(
                    vec![low, high],
                    colour.stroke_width(units(1.25)),
                ))?;
                for (x, y) in [low, high] {
                    let half = (2.5 * UNITS) as i32;
                    let cap = vec![(x - half, y), (x + half, y)];
                    area.draw(&PathElement::new(cap, colour.stroke_width(units(1.25))))?;
                }
            }
        }
        let first = if self.marks {
            0
        } else {
            path.len().saturating_sub(1)
        };
        for at in &path[first..] {
            marker::draw(area, *at, series.look)?;
        }
        Ok(())
    }
}

/// plotters divides sizes by 1.24 when it writes SVG.
fn style(pixels: f64, colour: &'static RGBColor) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", pixels * UNITS * 1.24).into_font()).color(colour)
}

fn plain(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-3..1e5).contains(&size) => number::scientific(value),
        _ => number::fixed(value, 3),
    }
}

/// Width of a tick's text, in pixels, as wide as sans-serif digits are.
fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.2
}

/// The ticks whose texts fit side by side at their pixels, the roundest first to be given room.
fn apart(ticks: &[(f64, String)], pixel: impl Fn(f64) -> f64) -> Vec<&(f64, String)> {
    let roundness = |text: &str| match text.trim_start_matches('\u{2212}').chars().next() {
        Some('1') if !text.starts_with("1.") => 0,
        Some('2' | '5') => 1,
        _ => 2,
    };
    let mut order: Vec<&(f64, String)> = ticks.iter().collect();
    order.sort_by_key(|(_, text)| roundness(text));
    let mut kept: Vec<&(f64, String)> = Vec::new();
    for tick in order {
        let fits = |other: &&(f64, String)| {
            let gap = (pixel(tick.0) - pixel(other.0)).abs();
            gap > (text_width(&tick.1) + text_width(&other.1)) / 2.0 + 6.0
        };
        if kept.iter().all(fits) {
            kept.push(tick);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_texts_never_touch_and_round_ones_stay() {
        let ticks: Vec<(f64, String)> = ["8e11", "9e11", "1e12", "1.5e12", "2e12", "3e12"]
            .iter()
            .map(|text| (text.parse::<f64>().unwrap().log10(), (*text).to_owned()))
            .collect();
        let narrow = apart(&ticks, |at| (at - 11.9) * 150.0);
        let texts: Vec<&str> = narrow.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["1e12", "2e12"]);
        assert_eq!(apart(&ticks, |at| at * 2000.0).len(), ticks.len());
    }
}
