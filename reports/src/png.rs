//! Figures as PNG files, by resvg.

use crate::error::ReportError;

/// Pixels for each pixel of the SVG document, enough for print.
#[cfg(feature = "png")]
const SCALE: f32 = 3.0;

/// Families in the place of the figures' Helvetica, the first that is installed.
#[cfg(feature = "png")]
const FAMILIES: [&str; 4] = ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"];

/// Draws the figures `(id, SVG document)` of [`crate::standalone::figures`] with the fonts of the system.
#[cfg(feature = "png")]
pub struct Rasterizer(resvg::usvg::Options<'static>);

#[cfg(feature = "png")]
impl Rasterizer {
    /// Finds the fonts.
    pub fn new() -> Self {
        let mut options = resvg::usvg::Options::default();
        let fonts = options.fontdb_mut();
        fonts.load_system_fonts();
        let has = |family: &&str| {
            let named = |face: &resvg::usvg::fontdb::FaceInfo| {
                face.families.iter().any(|(name, _)| name == family)
            };
            fonts.faces().any(named)
        };
        let family = FAMILIES.iter().copied().find(has).map(str::to_owned);
        let any = || Some(fonts.faces().next()?.families.first()?.0.clone());
        if let Some(family) = family.or_else(any) {
            fonts.set_sans_serif_family(family);
        }
        Self(options)
    }

    /// The bytes of a PNG file of the figure `id`, three times as wide and high as `svg`.
    ///
    /// # Errors
    /// If no font is installed, whose letters would be missing, or the document cannot be drawn.
    pub fn png(&self, id: &str, svg: &str) -> Result<Vec<u8>, ReportError> {
        let error = |detail: String, remedy| ReportError::Png {
            figure: id.to_owned(),
            detail,
            remedy,
        };
        if self.0.fontdb.is_empty() {
            let remedy = "install one, such as DejaVu Sans";
            return Err(error("no font is installed".to_owned(), remedy));
        }
        let unexpected = |detail: String| error(detail, "use the SVG file, and report this");
        let tree = resvg::usvg::Tree::from_str(svg, &self.0)
            .map_err(|error| unexpected(error.to_string()))?;
        let side = |length: f32| (length * SCALE).ceil() as u32;
        let (width, height) = (side(tree.size().width()), side(tree.size().height()));
        let mut pixels = resvg::tiny_skia::Pixmap::new(width, height)
            .ok_or_else(|| unexpected(format!("its size is {width} x {height} pixels")))?;
        let scaling = resvg::tiny_skia::Transform::from_scale(SCALE, SCALE);
        resvg::render(&tree, scaling, &mut pixels.as_mut());
        pixels
            .encode_png()
            .map_err(|error| unexpected(error.to_string()))
    }
}

/// Without the feature `png`: each figure is an error.
#[cfg(not(feature = "png"))]
pub struct Rasterizer;

#[cfg(not(feature = "png"))]
impl Rasterizer {
    /// Finds nothing.
    pub fn new() -> Self {
        Self
    }

    /// Nothing.
    ///
    /// # Errors
    /// Always.
    pub fn png(&self, id: &str, _svg: &str) -> Result<Vec<u8>, ReportError> {
        Err(ReportError::Png {
            figure: id.to_owned(),
            detail: "this program was built without it".to_owned(),
            remedy: "build with `--features png`, or leave out `--png`",
        })
    }
}

impl Default for Rasterizer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20"
        font-family="Helvetica, Arial, sans-serif"><rect width="40" height="20" fill="white"/>
        <text x="2" y="16" font-size="14" fill="black">loss</text></svg>"#;

    #[cfg(feature = "png")]
    #[test]
    fn text_is_drawn_or_the_lack_of_fonts_is_an_error() {
        let rasterizer = Rasterizer::new();
        if rasterizer.0.fontdb.is_empty() {
            let message = rasterizer.png("a", FIGURE).unwrap_err().to_string();
            assert!(message.contains("install"), "{message}");
            return;
        }
        let png = rasterizer.png("a", FIGURE).unwrap();
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (120, 60));
        let dark = pixels.pixels().iter().filter(|pixel| pixel.red() < 64);
        assert!(dark.count() > 100);
    }

    #[cfg(not(feature = "png"))]
    #[test]
    fn a_program_without_the_feature_names_it() {
        let message = Rasterizer::new().png("a", FIGURE).unwrap_err().to_string();
        assert!(message.contains("--features png"), "{message}");
    }
}
