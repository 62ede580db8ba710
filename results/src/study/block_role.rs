//! The roles of blocks in published comparisons, decided by their recorded configuration.

use serde_json::Value;

use crate::RunRow;

/// The role of a block. Labels play no part: a PEER block labelled `memory+` is a PEER block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockRole {
    /// The dense decoder without options, to which others are compared.
    Dense,
    /// Mixture of experts alone, in place of the feed-forward.
    MixtureOfExperts,
    /// PEER alone, in place of the feed-forward.
    Peer,
    /// Product-key memory alone, without gate and shared values.
    Memory,
    /// Product-key memory alone, with gate and shared values.
    MemoryPlus,
    /// Any other.
    Other,
}

impl BlockRole {
    /// The role of the blocks of a run.
    pub fn of(run: &RunRow) -> Self {
        // Options that cannot be read are those of no known block.
        let Ok(blocks) = serde_json::from_str::<Vec<Value>>(&run.block_options) else {
            return Self::Other;
        };
        let placed = match blocks.as_slice() {
            [] if run.block_kind == "dense" => return Self::Dense,
            [one] if one.get("site").is_none() => one,
            _ => return Self::Other,
        };
        let block = &placed["block"];
        let flag = |key: &str| block[key].as_bool() == Some(true);
        let keys = block.as_object().into_iter().flat_map(|block| block.keys());
        let options = keys.filter(|key| *key != "kind").count();
        match block["kind"].as_str() {
            Some("dense") if options == 0 => Self::Dense,
            Some("mixture_of_experts") => Self::MixtureOfExperts,
            Some("peer") => Self::Peer,
            Some("memory") => match (flag("gate"), flag("shared_values")) {
                (false, false) => Self::Memory,
                (true, true) => Self::MemoryPlus,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::MixtureOfExperts => "a mixture of experts",
            Self::Peer => "peer",
            Self::Memory => "memory",
            Self::MemoryPlus => "memory+",
            Self::Other => "another block",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_rows::finished_run;

    fn role(kind: &str, options: &str) -> BlockRole {
        BlockRole::of(&RunRow {
            block_kind: kind.into(),
            block_options: options.into(),
            ..finished_run("memory+", 0, 1.0)
        })
    }

    #[test]
    fn roles_follow_from_the_configuration() {
        use BlockRole::*;
        let placed = |block: &str| format!(r#"[{{"block": {block}, "placement": "all"}}]"#);
        for (kind, block, expected) in [
            ("dense", r#"{"kind": "dense"}"#, Dense),
            ("dense", r#"{"kind": "dense", "d_ff": 512}"#, Other),
            ("peer", r#"{"kind": "peer", "keys": {}}"#, Peer),
            (
                "memory",
                r#"{"kind": "memory", "gate": false, "shared_values": false}"#,
                Memory,
            ),
            (
                "memory",
                r#"{"kind": "memory", "gate": true, "shared_values": true}"#,
                MemoryPlus,
            ),
            (
                "memory",
                r#"{"kind": "memory", "gate": true, "shared_values": false}"#,
                Other,
            ),
            ("engram", r#"{"kind": "engram"}"#, Other),
        ] {
            assert_eq!(role(kind, &placed(block)), expected, "{block}");
        }
        assert_eq!(role("dense", "[]"), Dense);
        assert_eq!(role("dense", "[{\"block\": "), Other);
        assert_eq!(role("dense", &placed("{}")), Other);
        let beside = r#"[{"block": {"kind": "peer"}, "placement": "all", "site": "beside"}]"#;
        assert_eq!(role("peer", beside), Other);
    }
}
