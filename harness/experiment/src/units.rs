//! Parsing of quantities with units, as given on the command line.
//!
//! The crate bytesize does not parse exponents (`1e9`), humantime does not parse fractions or seconds without a unit,
//! and neither parses rates.

use std::time::Duration;

/// Bytes, from text such as `80GiB`, `80 GB`, `512 MiB` or `1e9`.
///
/// # Errors
/// If the text is not a number of at least one byte with an optional unit.
pub fn bytes(text: &str) -> Result<u64, String> {
    let usage = || "write bytes such as 80GiB or 80GB".to_owned();
    let (number, unit) = split(text).ok_or_else(usage)?;
    let prefixes = ["k", "m", "g", "t", "p"];
    let unit = unit.to_lowercase();
    let stem = unit.strip_suffix('b').unwrap_or(&unit);
    let (stem, base) = match stem.strip_suffix('i') {
        Some(stem) => (stem, 1024f64),
        None => (stem, 1000f64),
    };
    let power = match prefixes.iter().position(|prefix| *prefix == stem) {
        Some(at) => at as i32 + 1,
        None if stem.is_empty() && base == 1000.0 => 0,
        None => return Err(usage()),
    };
    let bytes = number * base.powi(power);
    if bytes >= 1.0 && bytes < u64::MAX as f64 {
        Ok(bytes as u64)
    } else {
        Err(usage())
    }
}

/// FLOPs per second, from text such as `400T`, `4e14` or `400 TFLOP/s`.
///
/// # Errors
/// If the text is not a finite number above 0 with an optional unit.
pub fn flop_rate(text: &str) -> Result<f64, String> {
    let usage = || "write FLOPs per second such as 400T or 4e14".to_owned();
    let (number, unit) = split(text).ok_or_else(usage)?;
    let unit = unit.strip_suffix("FLOP/s").unwrap_or(unit);
    let power = match unit {
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        _ => return Err(usage()),
    };
    positive(number * 10f64.powi(power)).ok_or_else(usage)
}

/// A price, from text such as `2.5`.
///
/// # Errors
/// If the text is not a finite number above 0.
pub fn price(text: &str) -> Result<f64, String> {
    let price = text.parse().ok().and_then(positive);
    price.ok_or_else(|| "write a price above 0 such as 2.5".to_owned())
}

/// A duration, from text such as `90s`, `15m` or `1.5h`; a number without a unit is in seconds.
///
/// # Errors
/// If the text is not a finite number of 0 or more with an optional unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let usage = || "write a time such as 90s, 15m or 1h".to_owned();
    let (number, unit) = split(text).ok_or_else(usage)?;
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(usage()),
    };
    Duration::try_from_secs_f64(number * seconds).map_err(|_| usage())
}

fn positive(number: f64) -> Option<f64> {
    (number > 0.0 && number.is_finite()).then_some(number)
}

/// The leading number and the text after it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    // The longest prefix that parses as a number, because an exponent contains a letter.
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let number = |end: usize| Some((text[..end].parse::<f64>().ok()?, text[end..].trim()));
    ends.rev()
        .find_map(number)
        .filter(|(number, _)| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_parsed_with_decimal_and_binary_prefixes() {
        assert_eq!(bytes("80GiB"), Ok(80 << 30));
        assert_eq!(bytes("80 GB"), Ok(80_000_000_000));
        assert_eq!(bytes("1.5kib"), Ok(1536));
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("1e9B"), Ok(1_000_000_000));
        for wrong in [
            "", "GiB", "80 Gib/s", "-1GB", "0", "ib", "inf", "nan", "1e40TB",
        ] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_without_a_unit_are_in_seconds() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["", "m", "-1s", "3 cups", "9e99h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_and_prices() {
        assert_eq!(flop_rate("400T"), Ok(4e14));
        assert_eq!(flop_rate("400 TFLOP/s"), Ok(4e14));
        assert_eq!(flop_rate("4e14"), Ok(4e14));
        for wrong in ["0", "-1T", "fast", "1X", "infP"] {
            assert!(flop_rate(wrong).is_err(), "{wrong}");
        }
        assert_eq!(price("2.5"), Ok(2.5));
        assert!(price("0").is_err() && price("free").is_err());
    }
}
