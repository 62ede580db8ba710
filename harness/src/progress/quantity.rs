//! Numbers for people.

use std::time::Duration;

/// `12 s`, `3 min 20 s`, `5 h 2 min`.
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
        _ => format!("{} d {} h", whole / 86_400, whole / 3600 % 24),
    }
}

/// Three digits and a decimal prefix: `1.23 G`.
pub fn count(value: f64) -> String {
    scaled(value, 1000.0, &["", "k", "M", "G", "T", "P", "E", "Z", "Y"])
}

/// Three digits and a binary prefix: `1.23 GiB`.
pub fn bytes(value: u64) -> String {
    scaled(
        value as f64,
        1024.0,
        &["B", "KiB", "MiB", "GiB", "TiB", "PiB"],
    )
}

/// Reads what [`bytes`] writes, and the like: `8GiB`, `1.5 TiB`, `500 MB`, `4096`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = [
        ("", 0, 0),
        ("B", 0, 0),
        ("KB", 1000, 1),
        ("MB", 1000, 2),
        ("GB", 1000, 3),
        ("TB", 1000, 4),
        ("KiB", 1024, 1),
        ("MiB", 1024, 2),
        ("GiB", 1024, 3),
        ("TiB", 1024, 4),
    ];
    let (value, unit) = split(text);
    let found = units
        .iter()
        .find(|(name, _, _)| name.eq_ignore_ascii_case(unit));
    match (value, found) {
        (Some(value), Some(&(_, base, power))) => {
            Ok((value * f64::powi(f64::from(base), power)) as u64)
        }
        _ => Err("write bytes such as 8GiB or 500MiB".to_owned()),
    }
}

/// Reads `90s`, `15m`, `1.5h`; a bare number is of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (value, unit) = split(text);
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    let duration = value.map(|value| Duration::try_from_secs_f64(value * seconds));
    match duration {
        Some(Ok(duration)) => Ok(duration),
        _ => Err("write a time such as 90s, 15m or 1h".to_owned()),
    }
}

/// A number that is not negative, and what follows it.
fn split(text: &str) -> (Option<f64>, &str) {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let end = text.find(|c| !digits(c)).unwrap_or(text.len());
    let (value, unit) = text.split_at(end);
    (value.parse().ok(), unit.trim())
}

fn scaled(value: f64, base: f64, prefixes: &[&str]) -> String {
    let mut value = value;
    let mut prefix = prefixes.iter();
    let mut unit = prefix.next().copied().unwrap_or("");
    // 999.5 would be written 1000.
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
        let all = [0.25, 59.4, 200.0, 18_120.0, 266_400.0, f64::NAN].map(duration);
        assert_eq!(
            all,
            [
                "0.2 s",
                "59 s",
                "3 min 20 s",
                "5 h 2 min",
                "3 d 2 h",
                "unknown"
            ]
        );
    }

    #[test]
    fn what_people_write_is_read() {
        assert_eq!(parse_bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("4096"), Ok(4096));
        assert_eq!(parse_bytes("2 mb"), Ok(2_000_000));
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["", "GiB", "-1GiB", "3 cups", "1.2.3"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert!(parse_duration("9e9h").is_err());
    }

    #[test]
    fn counts_have_three_digits() {
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
