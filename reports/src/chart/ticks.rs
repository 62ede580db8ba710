//! Selection of the ticks of an axis whose texts do not overlap.

/// Estimated width of a tick's text in sans-serif digits, in pixels.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.2
}

/// The ticks whose texts fit side by side at their pixels, the roundest first.
pub fn apart(ticks: &[(f64, String)], pixel: impl Fn(f64) -> f64) -> Vec<&(f64, String)> {
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
    fn tick_texts_never_overlap_and_round_ones_are_kept() {
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
