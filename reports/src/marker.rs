//! The mark of a block: a colour and a shape, so that blocks can be distinguished without colour.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::chart::Style;
use crate::svg::{self, UNITS};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// Draws the mark of block number `look` around a point.
pub fn draw<'a>(area: &Area<'a>, at: (i32, i32), look: usize) -> Drawn<'a> {
    shape(area, at, look, 4.5, svg::block(look))
}

/// The same in outline, for points that were not measured.
pub fn draw_hollow<'a>(area: &Area<'a>, at: (i32, i32), look: usize) -> Drawn<'a> {
    shape(area, at, look, 4.5, svg::block(look))?;
    shape(area, at, look, 2.4, svg::PAPER)
}

fn shape<'a>(
    area: &Area<'a>,
    (x, y): (i32, i32),
    look: usize,
    pixels: f64,
    colour: RGBColor,
) -> Drawn<'a> {
    let fill = colour.filled();
    let r = (pixels * UNITS) as i32;
    // Shapes of equal visual weight have unequal radii.
    let (narrow, wide) = (r * 7 / 8, r * 5 / 4);
    let polygon = |corners: &[(i32, i32)]| {
        let points: Vec<_> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
        area.draw(&Polygon::new(points, fill))
    };
    match look % 6 {
        0 => area.draw(&Circle::new((x, y), r, fill)),
        1 => area.draw(&Rectangle::new(
            [(x - narrow, y - narrow), (x + narrow, y + narrow)],
            fill,
        )),
        2 => polygon(&[(0, -wide), (wide, r * 4 / 5), (-wide, r * 4 / 5)]),
        3 => polygon(&[(0, -wide), (wide, 0), (0, wide), (-wide, 0)]),
        4 => polygon(&star(wide + r / 8)),
        _ => polygon(&[(0, wide), (wide, -r * 4 / 5), (-wide, -r * 4 / 5)]),
    }
}

/// Five points, the first upward.
fn star(radius: i32) -> Vec<(i32, i32)> {
    (0..10)
        .map(|corner| {
            let angle = f64::from(corner) * std::f64::consts::PI / 5.0;
            let reach = f64::from(radius) * if corner % 2 == 0 { 1.0 } else { 0.48 };
            (
                (reach * angle.sin()).round() as i32,
                (-reach * angle.cos()).round() as i32,
            )
        })
        .collect()
}

/// The legend key of a series of this style: a line with its mark.
pub fn key(look: usize, style: Style) -> Result<String, String> {
    let size = (svg::units(30.0), svg::units(14.0));
    let mut raw = String::new();
    {
        let area = SVGBackend::with_string(&mut raw, size).into_drawing_area();
        let middle = (size.0 as i32 / 2, size.1 as i32 / 2);
        let stroke = svg::block(look).stroke_width(svg::units(2.0));
        let end = size.0 as i32;
        let lines: &[(i32, i32)] = match style {
            Style::Joined => &[(0, end)],
            Style::Apart => &[],
            Style::Hollow => &[(0, end / 5), (end * 4 / 5, end)],
        };
        let mut drawn = lines.iter().map(|&(from, to)| {
            let path = vec![(from, middle.1), (to, middle.1)];
            area.draw(&PathElement::new(path, stroke))
        });
        drawn
            .try_for_each(|line| line)
            .and_then(|()| match style {
                Style::Hollow => draw_hollow(&area, middle, look),
                _ => draw(&area, middle, look),
            })
            .and_then(|()| area.present())
            .map_err(|error| error.to_string())?;
    }
    Ok(svg::decoration(&raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_blocks_have_five_shapes() {
        let shape = |look| {
            let mut raw = String::new();
            {
                let area = SVGBackend::with_string(&mut raw, (100, 100)).into_drawing_area();
                draw(&area, (50, 50), look).unwrap();
                area.present().unwrap();
            }
            raw.replace(&format!("#0100{look:02X}"), "")
        };
        let mut shapes: Vec<_> = (0..6).map(shape).collect();
        shapes.sort();
        shapes.dedup();
        assert_eq!(shapes.len(), 6);
    }
}
