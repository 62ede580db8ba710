//! What the figures of probes share.

use results::study::probe_groups::ProbeGroup;

/// The look of a block within a group of probes.
pub fn look(group: &ProbeGroup, block: &str) -> usize {
    let mut blocks = group.blocks.iter();
    blocks.position(|other| *other == block).unwrap_or(0)
}

/// A phase in words.
pub fn words(phase: &str) -> &'static str {
    match phase {
        "step" => "forward, backward and update",
        _ => "forward",
    }
}
