//! Formatting of numbers: three significant digits with a unit prefix.
//!
//! The crates bytesize and humantime format bytes and times, but neither formats counts such as `1.23 G`, nor
//! fractional years.

/// Seconds of a Julian year.
const YEAR: f64 = 365.25 * 86_400.0;

/// A duration given in seconds, as `12 s`, `3 min 20 s`, `5 h 2 min`, `3 d 2 h` or `7.29 y`; `unknown` if it is not
/// finite.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown".to_owned();
    }
    let whole = seconds.round() as u64;
    match whole {
        0 => format!("{seconds:.1} s"),
        1..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        172_800..63_072_000 => format!("{} d {} h", whole / 86_400, whole / 3600 % 24),
        _ => format!("{} y", count(seconds / YEAR)),
    }
}

/// A count with three significant digits and a decimal prefix, such as `1.23 G`.
pub fn count(value: f64) -> String {
    scaled(value, 1000.0, &["", "k", "M", "G", "T", "P", "E", "Z", "Y"])
}

/// A number of bytes with three significant digits and a binary prefix, such as `1.23 GiB`.
pub fn bytes(value: u64) -> String {
    scaled(
        value as f64,
        1024.0,
        &["B", "KiB", "MiB", "GiB", "TiB", "PiB"],
    )
}

fn scaled(value: f64, base: f64, prefixes: &[&str]) -> String {
    let mut value = value;
    let mut prefix = prefixes.iter();
    let mut unit = prefix.next().copied().unwrap_or("");
    // 999.5 would be rounded to 1000.
    while value.abs() >= 0.9995 * base {
        let Some(next) = prefix.next() else { break };
        value /= base;
        unit = next;
    }
    let decimals = match value.abs() {
        below if below < 9.995 => 2,
        below if below < 99.95 => 1,
        _ => 0,
    };
    let decimals = if value.fract() == 0.0 && unit == prefixes[0] {
        0
    } else {
        decimals
    };
    format!("{value:.decimals$} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let all = [0.25, 59.4, 200.0, 18_120.0, 266_400.0, 2.3e8, f64::NAN].map(duration);
        assert_eq!(
            all,
            [
                "0.2 s",
                "59 s",
                "3 min 20 s",
                "5 h 2 min",
                "3 d 2 h",
                "7.29 y",
                "unknown"
            ]
        );
    }

    #[test]
    fn counts_have_three_significant_digits() {
        let all = [7.0, 999.6, 1234.0, 12_345.0, 999_600.0, 6.9e7, 1e30].map(count);
        assert_eq!(
            all,
            [
                "7",
                "1.00 k",
                "1.23 k",
                "12.3 k",
                "1.00 M",
                "69.0 M",
                "1000000 Y"
            ]
        );
        assert_eq!(bytes(3 << 29), "1.50 GiB");
    }
}
