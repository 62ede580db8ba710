//! Knobs: the integers of a placed block that a solver may vary. Blocks declare those of their configuration.

use std::fmt;

use architectures::{BlockConfig, DecoderConfig, KnobStep, PlacedBlock, Placement};

/// A knob of blocks of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Knob {
    /// Position in the order of declaration, which orders knobs in reports.
    rank: usize,
    name: &'static str,
    path: &'static [&'static str],
    default_max: usize,
    step: Step,
}

/// The values of a knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    One,
    HiddenMultiple,
    /// Odd integers up to the number of layers.
    CentredLayers,
}

impl Knob {
    /// The knobs of blocks of `kind`: those that the block declares, and `layers`, the count of a centred placement.
    pub fn of_kind(kind: &str) -> Vec<Self> {
        let declared = BlockConfig::knobs(kind).iter().map(|knob| Self {
            rank: 0,
            name: knob.name,
            path: knob.path,
            default_max: knob.most,
            step: match knob.step {
                KnobStep::One => Step::One,
                KnobStep::HiddenMultiple => Step::HiddenMultiple,
            },
        });
        let layers = Self {
            rank: 0,
            name: "layers",
            path: &["placement", "centred", "count"],
            default_max: usize::MAX,
            step: Step::CentredLayers,
        };
        let knobs = declared.chain([layers]).enumerate();
        knobs.map(|(rank, knob)| Self { rank, ..knob }).collect()
    }

    /// The knob of this name of blocks of `kind`; `None` if there is none.
    pub fn named(kind: &str, name: &str) -> Option<Self> {
        Self::of_kind(kind)
            .into_iter()
            .find(|knob| knob.name == name)
    }

    /// Its name in a request.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Its keys in the block's section of a sweep file, outermost first.
    pub fn path(self) -> &'static [&'static str] {
        self.path
    }

    /// Whether this is the count of a centred placement.
    pub fn is_layers(self) -> bool {
        self.step == Step::CentredLayers
    }

    /// Largest value if the request has no upper bound.
    pub fn default_max(self, decoder: &DecoderConfig) -> usize {
        match self.step {
            Step::CentredLayers => decoder.n_layers,
            _ => self.default_max,
        }
    }

    /// Difference between values if the request has no divisor: hidden widths are rounded as the decoder's, and a
    /// centred placement has a middle.
    pub fn step(self, decoder: &DecoderConfig) -> usize {
        match self.step {
            Step::One => 1,
            Step::HiddenMultiple => KnobStep::HiddenMultiple.of(decoder),
            Step::CentredLayers => 2,
        }
    }

    /// Sets the knob of `placed` to `value`; returns false if it has no such knob.
    pub fn set(self, placed: &mut PlacedBlock, value: usize) -> bool {
        if self.is_layers() {
            let Placement::Centred { count, .. } = &mut placed.placement else {
                return false;
            };
            *count = value;
            return true;
        }
        placed.block.set(self.path, value)
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
