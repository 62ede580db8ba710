//! The order in which blocks are listed everywhere.

/// Sorts labels: dense, mixtures, PEER, memory, memory+, then all others by name; without duplicates.
pub fn ordered<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut labels: Vec<&str> = labels.collect();
    labels.sort_by_key(|label| (rank(label), *label));
    labels.dedup();
    labels
}

/// The block that others are compared with.
pub const REFERENCE: &str = "dense";

fn rank(label: &str) -> u8 {
    match label {
        REFERENCE => 0,
        _ if label.starts_with("moe") => 1,
        "peer" => 2,
        "memory" => 3,
        "memory+" => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_blocks_come_first_in_their_order() {
        let labels = [
            "zeta",
            "memory+",
            "peer",
            "moe-expert",
            "alpha",
            "dense",
            "moe",
            "memory",
            "peer",
        ];
        let order = [
            "dense",
            "moe",
            "moe-expert",
            "peer",
            "memory",
            "memory+",
            "alpha",
            "zeta",
        ];
        assert_eq!(ordered(labels.into_iter()), order);
    }
}
