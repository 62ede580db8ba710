//! Numbers as text: few digits, a true minus sign, and a dash for a missing or non-finite value.

/// Shown for a missing or non-finite number.
pub const NONE: &str = "–";

/// `digits` decimals.
pub fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        // Minus zero is a rounded small negative number.
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.into(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// `digits` decimals with the sign always shown, for differences.
pub fn signed(value: f64, digits: usize) -> String {
    let text = fixed(value, digits);
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if value > 0.0 && value.is_finite() && !zero {
        format!("+{text}")
    } else {
        text
    }
}

/// A share as a percentage, without its unit.
pub fn percent(share: f64) -> String {
    fixed(share * 100.0, 1)
}

/// Three significant digits and a power of ten: `2.03e13`.
pub fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    format!("{value:.2e}").replace('-', "\u{2212}")
}

/// Three or four significant digits with a decimal prefix: `134 k`, `2.31 M`.
pub fn prefixed(value: f64) -> String {
    scaled(value, 1000.0, &["", "k", "M", "G", "T", "P"], "")
}

/// Bytes with a binary prefix: `1.50 MiB`.
pub fn bytes(value: f64) -> String {
    scaled(value, 1024.0, &["", "Ki", "Mi", "Gi", "Ti", "Pi"], "B")
}

fn scaled(value: f64, base: f64, prefixes: &[&str], unit: &str) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    let mut rest = value.abs();
    let mut step = 0;
    // 999.5 would print as 1000, which belongs to the next prefix.
    while rest >= base - 0.5 && step + 1 < prefixes.len() {
        rest /= base;
        step += 1;
    }
    let digits = match rest {
        _ if step == 0 && rest.fract() == 0.0 => 0,
        r if r >= 99.95 => 0,
        r if r >= 9.995 => 1,
        _ => 2,
    };
    let number = fixed(rest.copysign(value), digits);
    let ending = format!("{}{unit}", prefixes[step]);
    if ending.is_empty() {
        number
    } else {
        format!("{number}\u{a0}{ending}")
    }
}

/// Seconds, in seconds, minutes or hours.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => NONE.into(),
        s if s < 99.95 => format!("{}\u{a0}s", fixed(s, 1)),
        s if s < 5970.0 => format!("{}\u{a0}min", fixed(s / 60.0, 1)),
        s => format!("{}\u{a0}h", fixed(s / 3600.0, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_gaps() {
        assert_eq!(fixed(-1.25, 1), "\u{2212}1.2");
        assert_eq!(fixed(-0.01, 1), "0.0");
        assert_eq!(fixed(f64::NAN, 1), NONE);
        assert_eq!(signed(0.04, 1), "0.0");
        assert_eq!(signed(3.0, 1), "+3.0");
        assert_eq!(signed(f64::INFINITY, 1), NONE);
        assert_eq!(percent(0.4123), "41.2");
    }

    #[test]
    fn prefixes_change_at_the_rounded_value() {
        for (value, text) in [
            (0.0, "0"),
            (7.0, "7"),
            (999.0, "999"),
            (999.6, "1.00\u{a0}k"),
            (12_340.0, "12.3\u{a0}k"),
            (134_110_000.0, "134\u{a0}M"),
            (3.4e21, "3400000\u{a0}P"),
        ] {
            assert_eq!(prefixed(value), text);
        }
        assert_eq!(bytes(1_572_864.0), "1.50\u{a0}MiB");
        assert_eq!(bytes(512.0), "512\u{a0}B");
    }

    #[test]
    fn powers_and_times() {
        assert_eq!(scientific(2.034e13), "2.03e13");
        assert_eq!(scientific(0.0), "0");
        assert_eq!(scientific(5e-4), "5.00e\u{2212}4");
        assert_eq!(duration(42.0), "42.0\u{a0}s");
        assert_eq!(duration(600.0), "10.0\u{a0}min");
        assert_eq!(duration(7200.0), "2.0\u{a0}h");
    }
}
