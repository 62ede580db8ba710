//! SVG of plotters as inline SVG of the page.
//!
//! plotters writes colours as numbers, while the page uses variables that change between light and dark. Drawing therefore
//! uses reserved colours, one for each role, which [`finish`] replaces by the role's variable.

use maud::{PreEscaped, Render};
use plotters::style::RGBColor;

/// Drawing units per CSS pixel: plotters rounds to whole units, and whole pixels would be too coarse for curves.
pub const UNITS: f64 = 8.0;

/// Pixels as drawing units.
pub fn units(pixels: f64) -> u32 {
    (pixels * UNITS).round() as u32
}

/// Text and axes.
pub const INK: RGBColor = RGBColor(0, 1, 0);
/// Labels of lesser weight.
pub const MUTED: RGBColor = RGBColor(0, 1, 1);
/// Grid lines.
pub const RULE: RGBColor = RGBColor(0, 1, 2);

/// Background of the page, and the inside of hollow marks.
pub const PAPER: RGBColor = RGBColor(0, 1, 3);

/// Number of block colours; more blocks repeat them with another marker.
const COLOURS: usize = 8;

/// The colour of block number `look`.
pub fn block(look: usize) -> RGBColor {
    RGBColor(1, 0, (look % COLOURS) as u8)
}

/// A panel: scales with the page and has `description` as its accessible label.
pub fn finish(raw: &str, description: &str) -> String {
    let label = PreEscaped(description.render().into_string())
        .0
        .replace('"', "&quot;");
    with_head(raw, &format!("role=\"img\" aria-label=\"{label}\""))
}

/// A drawing without information beyond the text beside it.
pub fn decoration(raw: &str) -> String {
    with_head(raw, "aria-hidden=\"true\" focusable=\"false\"")
}

fn with_head(raw: &str, attributes: &str) -> String {
    // Without width and height the size is not fixed, and inline SVG needs no namespace.
    let (head, body) = raw.split_once(">\n").unwrap_or(("", raw));
    let view = head
        .split_once("viewBox=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(view, _)| view);
    let mut body = body
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "")
        .replace("\"#000100\"", "\"var(--ink)\"")
        .replace("\"#000101\"", "\"var(--muted)\"")
        .replace("\"#000102\"", "\"var(--rule)\"")
        .replace("\"#000103\"", "\"var(--paper)\"");
    for look in 0..COLOURS {
        // With the quotation marks the pattern cannot occur in text, where plotters escapes them.
        body = body.replace(
            &format!("\"#0100{look:02X}\""),
            &format!("\"var(--block-{look})\""),
        );
    }
    format!("<svg viewBox=\"{view}\" {attributes}>\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "<svg width=\"8\" height=\"4\" viewBox=\"0 0 8 4\" xmlns=\"http://www.w3.org/2000/svg\">\n\
        <line opacity=\"1\" stroke=\"#010004\" x1=\"0\"/>\n<text fill=\"#000100\">\n#000100\n</text>\n</svg>\n";

    #[test]
    fn colours_become_roles_and_text_is_unchanged() {
        let done = finish(RAW, "a");
        assert!(done.starts_with("<svg viewBox=\"0 0 8 4\" role=\"img\" aria-label=\"a\">\n"));
        assert!(done.contains("<line stroke=\"var(--block-4)\" x1=\"0\"/>"));
        assert!(done.contains("fill=\"var(--ink)\">\n#000100\n"));
        assert!(!done.contains("http"));
    }

    #[test]
    fn descriptions_are_escaped() {
        assert!(
            finish(RAW, "<b> \"x\" & y").contains("aria-label=\"&lt;b&gt; &quot;x&quot; &amp; y\"")
        );
    }
}
