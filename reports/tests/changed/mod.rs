//! The made-up frames with changed runs.

use results::{Frames, RunRow};

use crate::synthetic::frames;

/// The frames with `change` applied to every run. Matches and probes are left out.
pub fn changed(change: impl Fn(&mut RunRow)) -> Frames {
    let all = frames();
    let mut runs = all.runs().to_vec();
    runs.iter_mut().for_each(change);
    Frames::new(
        runs,
        all.steps().to_vec(),
        all.scores().to_vec(),
        all.items().to_vec(),
        all.usage().to_vec(),
    )
}
