//! Drawing a panel, from back to front: grid, bands, guides, lines, error bars, marks.

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ticks::{apart, text_width};
use super::{Band, Chart, Guide, Series, Style};
use crate::marker;
use crate::svg::{self, INK, MUTED, RULE, UNITS, units};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;
type Failure = DrawingAreaErrorKind<std::io::Error>;

impl Chart {
    pub(super) fn draw(&self, area: &Area, (width, height): (i32, i32)) -> Result<(), Failure> {
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

        for band in &self.bands {
            self.draw_band(area, &plane, band)?;
        }
        for guide in &self.guides {
            self.draw_guide(area, &plane, guide)?;
        }
        if let Some((at, name)) = &self.level {
            self.draw_level(area, &plane, *at, name, (left, right))?;
        }
        for (position, series) in self.series.iter().enumerate() {
            self.draw_series(area, &plane, series, self.dodge(position))?;
        }
        area.present()
    }

    /// Horizontal offset of a series in drawing units: at equal FLOPs the error bars of blocks would overlap.
    fn dodge(&self, position: usize) -> i32 {
        let ranges = self
            .series
            .iter()
            .flat_map(|s| &s.points)
            .any(|p| p.range.is_some());
        if !ranges {
            return 0;
        }
        let aside = position as f64 - (self.series.len() as f64 - 1.0) / 2.0;
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
            .position(at)
            .filter(|at| (self.y.low..=self.y.high).contains(at))
        else {
            return Ok(());
        };
        let (_, y) = plane.translate(&(self.x.low, at));
        dashes(area, &[(left, y), (right, y)], MUTED, 1.25)?;
        let corner = Pos::new(HPos::Right, VPos::Bottom);
        let label = style(11.5, &MUTED).pos(corner);
        area.draw(&Text::new(
            name.to_owned(),
            (right, y - (4.0 * UNITS) as i32),
            label,
        ))
    }

    fn pixels(&self, plane: &Plane, path: impl Iterator<Item = (f64, f64)>) -> Vec<(i32, i32)> {
        path.filter_map(|(x, y)| Some(plane.translate(&(self.x.position(x)?, self.y.position(y)?))))
            .collect()
    }

    fn draw_band(&self, area: &Area, plane: &Plane, band: &Band) -> Result<(), Failure> {
        let edges = band.edges.iter();
        let lows = edges.clone().map(|(at, low, _)| (*at, *low));
        let highs = edges.rev().map(|(at, _, high)| (*at, *high));
        let outline = self.pixels(plane, lows.chain(highs));
        area.draw(&Polygon::new(
            outline,
            svg::block(band.look).mix(0.15).filled(),
        ))
    }

    fn draw_guide(&self, area: &Area, plane: &Plane, guide: &Guide) -> Result<(), Failure> {
        let colour = guide.look.map_or(MUTED, svg::block);
        let path = self.pixels(plane, guide.path.iter().copied());
        if guide.dashed {
            return dashes(area, &path, colour, 1.25);
        }
        let stroke = colour.stroke_width(units(1.25));
        area.draw(&PathElement::new(path, stroke))
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
            let (x, y) = plane.translate(&(self.x.position(x)?, self.y.position(y)?));
            Some((x + dodge, y))
        };
        let path: Vec<_> = series
            .points
            .iter()
            .filter_map(|p| pixel(p.x, p.y))
            .collect();
        match series.style {
            Style::Joined if path.len() > 1 => area.draw(&PathElement::new(
                path.clone(),
                colour.stroke_width(units(1.75)),
            ))?,
            Style::Hollow => dashes(area, &path, colour, 1.5)?,
            Style::Joined | Style::Apart => {}
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
            match series.style {
                Style::Hollow => marker::draw_hollow(area, *at, series.look)?,
                Style::Joined | Style::Apart => marker::draw(area, *at, series.look)?,
            }
        }
        Ok(())
    }
}

/// A dashed line through these pixels; the pattern continues around corners.
fn dashes(area: &Area, path: &[(i32, i32)], colour: RGBColor, wide: f64) -> Result<(), Failure> {
    let dash = 5.0 * UNITS;
    let mut walked = 0.0;
    for pair in path.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let (dx, dy) = (f64::from(x1 - x0), f64::from(y1 - y0));
        let length = dx.hypot(dy);
        let at = |along: f64| {
            let share = along / length;
            (x0 + (dx * share) as i32, y0 + (dy * share) as i32)
        };
        let mut along = 0.0;
        while along < length {
            // Position within one period of dash and gap.
            let phase: f64 = (walked + along) % (2.0 * dash);
            let next = if phase < dash {
                dash - phase
            } else {
                2.0 * dash - phase
            };
            // At least one unit, so that rounding cannot give a step of zero.
            let to = (along + next.max(1.0)).min(length);
            if phase < dash {
                let stroke = colour.stroke_width(units(wide));
                area.draw(&PathElement::new(vec![at(along), at(to)], stroke))?;
            }
            along = to;
        }
        walked += length;
    }
    Ok(())
}

/// plotters divides sizes by 1.24 when it writes SVG.
fn style(pixels: f64, colour: &'static RGBColor) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", pixels * UNITS * 1.24).into_font()).color(colour)
}
