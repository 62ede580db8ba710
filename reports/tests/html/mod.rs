//! The page of the made-up frames, and parts of its HTML.

use std::sync::LazyLock;

use reports::render;

use crate::synthetic::frames;

/// Rendered once: the bootstraps behind it take their time.
pub fn page() -> String {
    static PAGE: LazyLock<String> = LazyLock::new(|| render(&frames()).unwrap());
    PAGE.clone()
}

/// The text between each `open` and the `close` after it.
pub fn between<'a>(page: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    page.split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once(close))
        .map(|(inside, _)| inside)
        .collect()
}
