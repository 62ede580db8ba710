//! The order in which blocks are listed everywhere.

use super::BlockRole;

/// Sorts labels by role (dense, mixtures, PEER, memory, memory+, then all others) and name; without duplicates.
pub fn ordered<'a>(
    labels: impl Iterator<Item = &'a str>,
    role: impl Fn(&str) -> BlockRole,
) -> Vec<&'a str> {
    let mut labels: Vec<&str> = labels.collect();
    labels.sort_by_key(|label| (role(label), *label));
    labels.dedup();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_blocks_come_first_in_their_order() {
        let role = |label: &str| match label {
            "baseline" => BlockRole::Dense,
            "moe" | "experts" => BlockRole::MixtureOfExperts,
            "gated" => BlockRole::MemoryPlus,
            _ => BlockRole::Other,
        };
        let labels = [
            "zeta", "gated", "moe", "alpha", "baseline", "experts", "moe",
        ];
        let order = ["baseline", "experts", "moe", "gated", "alpha", "zeta"];
        assert_eq!(ordered(labels.into_iter(), role), order);
    }
}
