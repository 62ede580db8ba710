//! The figures of a page as SVG files that stand alone: colours, font and background are in the file.

/// The light colours of the page's roles, from its style sheet.
const STYLE: &str = include_str!("page.css");
/// Drawing units per pixel of the panels.
const UNITS: f64 = crate::svg::UNITS;
/// Distance between parts, in pixels.
const GAP: f64 = 16.0;
/// Width of a legend entry beside its text, and of a character, in pixels.
const KEY: f64 = 40.0;
const CHARACTER: f64 = 8.5;
const LEGEND: f64 = 24.0;

/// Each figure of a page that [`crate::render`] made: its id, and an SVG document with its legend above its panels, two or three beside
/// each other.
pub fn figures(page: &str) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    for part in page.split("<figure id=\"").skip(1) {
        let (Some((id, _)), Some((figure, _))) =
            (part.split_once('"'), part.split_once("</figure>"))
        else {
            continue;
        };
        let legend = between(figure, "<li>", "</li>");
        let panels = between(figure, "<div class=\"panel\">", "</div>");
        if !panels.is_empty() {
            figures.push((id.to_owned(), document(&legend, &panels)));
        }
    }
    figures
}

fn document(legend: &[&str], panels: &[&str]) -> String {
    let sizes: Vec<(f64, f64)> = panels.iter().map(|panel| size(panel)).collect();
    let columns = if panels.len() == 3 {
        3
    } else {
        panels.len().min(2)
    };
    let column = sizes.iter().map(|size| size.0).fold(0.0, f64::max);
    let width = GAP + (column + GAP) * columns as f64;
    let (mut body, mut top) = (String::new(), GAP);
    let (mut left, mut has_legend) = (GAP, false);
    for entry in legend {
        let Some((key, name)) = entry.split_once("</svg>") else {
            continue;
        };
        let advance = KEY + CHARACTER * name.chars().count() as f64 + GAP;
        if has_legend && left + advance > width {
            (left, top) = (GAP, top + LEGEND);
        }
        let key = placed(key, (left, top), (34.0, 16.0));
        body.push_str(&format!("{key}</svg>\n<text x=\"{}\" y=\"{}\" font-size=\"14\" fill=\"var(--ink)\">{name}</text>\n", left + KEY, top + 13.0));
        (left, has_legend) = (left + advance, true);
    }
    top += if has_legend { LEGEND + GAP / 2.0 } else { 0.0 };
    for (row, sizes) in panels.chunks(columns).zip(sizes.chunks(columns)) {
        for (place, (panel, size)) in row.iter().zip(sizes).enumerate() {
            let at = (GAP + place as f64 * (column + GAP), top);
            body.push_str(&placed(panel, at, *size));
            body.push('\n');
        }
        top += sizes.iter().map(|size| size.1).fold(0.0, f64::max) + GAP;
    }
    let open = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" viewBox=\"0 0 {width} {top}\" \
         font-family=\"Helvetica, Arial, sans-serif\">\n<rect width=\"{width}\" height=\"{top}\" fill=\"var(--paper)\"/>\n"
    );
    resolved(&format!("{open}{body}</svg>\n"))
}

/// The pixels of a panel, from its view box.
fn size(panel: &str) -> (f64, f64) {
    let view = between(panel, "viewBox=\"", "\"");
    let numbers: Vec<f64> = view
        .first()
        .map(|view| {
            view.split(' ')
                .filter_map(|number| number.parse().ok())
                .collect()
        })
        .unwrap_or_default();
    match numbers[..] {
        [_, _, width, height] => (width / UNITS, height / UNITS),
        _ => (0.0, 0.0),
    }
}

/// An `<svg ...` with a place and a size.
fn placed(svg: &str, (x, y): (f64, f64), (width, height): (f64, f64)) -> String {
    svg.trim().replacen(
        "<svg ",
        &format!("<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" "),
        1,
    )
}

/// Colours in place of the variables of the style sheet.
fn resolved(svg: &str) -> String {
    let mut resolved = svg.to_owned();
    for declaration in STYLE.split("--").skip(1) {
        if let Some((name, rest)) = declaration.split_once(':')
            && let Some((value, _)) = rest.split_once(';')
        {
            // Only the first declaration of a name, the light one, finds anything to replace.
            resolved = resolved.replace(&format!("var(--{})", name.trim()), value.trim());
        }
    }
    resolved
}

/// The texts between `start` and the next `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let parts = text.split(start).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(end)?.0))
        .collect()
}
