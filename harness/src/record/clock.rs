//! Time stamps of records.

/// The present time in UTC, in whole seconds, as RFC 3339.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn now_is_rfc_3339_in_utc_with_whole_seconds() {
        let text = super::now();
        assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
        let read: jiff::Timestamp = text.parse().unwrap();
        let age = jiff::Timestamp::now().duration_since(read);
        assert!((0..60).contains(&age.as_secs()), "{text}");
    }
}
