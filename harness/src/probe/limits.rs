//! Limits of memory and time as people write them.

use std::time::Duration;

/// Bytes: `8GiB`, `1.5 TiB`, `500 MB`, `4096`.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
