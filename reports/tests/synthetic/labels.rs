//! The blocks of the made-up sweep.

/// Labels.
pub const BLOCKS: [&str; 5] = ["dense", "moe", "peer", "memory", "memory+"];

/// Kind and further options of each block.
pub const KINDS: [(&str, &str); 5] = [
    ("dense", ""),
    ("mixture_of_experts", r#", "n_experts": 8"#),
    ("peer", ""),
    ("memory", r#", "gate": false, "shared_values": false"#),
    ("memory", r#", "gate": true, "shared_values": true"#),
];
