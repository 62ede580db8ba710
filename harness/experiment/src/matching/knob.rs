//! Knobs: the integers of a block that change its cost.

use std::fmt;

use architectures::{BlockConfig, DecoderConfig, PlacedBlock, Placement};

/// An integer of a block's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// Experts of a mixture.
    NExperts,
    /// Hidden width of an expert, or of a dense block.
    DFf,
    /// Half-keys of a product-key block.
    NKeys,
    /// Slots that a head reads, or experts that a token passes.
    TopK,
    /// Heads of a product-key block.
    NHeads,
    /// Layers of a centred placement: odd.
    Layers,
}

impl Knob {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::NExperts,
        Self::DFf,
        Self::NKeys,
        Self::TopK,
        Self::NHeads,
        Self::Layers,
    ];

    /// The largest value tried where no bound is given: beyond what anybody trains.
    pub fn most(self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::NExperts => 4096,
            Self::DFf => 1 << 17,
            Self::NKeys => 1 << 16,
            Self::TopK => 1024,
            Self::NHeads => 256,
            Self::Layers => decoder.n_layers,
        }
    }

    /// From one value to the next where no multiple is given: hidden widths keep the decoder's rounding, and a
    /// centred placement has a middle.
    pub fn step(self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::DFf => decoder.d_ff_multiple,
            Self::Layers => 2,
            _ => 1,
        }
    }

    /// Turns it to `value`; false where the block has no such knob.
    pub fn turn(self, placed: &mut PlacedBlock, value: usize) -> bool {
        let knob = match (self, &mut placed.block, &mut placed.placement) {
            (Self::Layers, _, Placement::Centred { count, .. }) => count,
            (Self::NExperts, BlockConfig::MixtureOfExperts(block), _) => &mut block.n_experts,
            (Self::TopK, BlockConfig::MixtureOfExperts(block), _) => &mut block.top_k,
            (Self::DFf, BlockConfig::MixtureOfExperts(block), _) => {
                block.d_ff = Some(value);
                return true;
            }
            (Self::DFf, BlockConfig::Dense(block), _) => {
                block.d_ff = Some(value);
                return true;
            }
            (knob, BlockConfig::Memory(architectures::memory::MemoryConfig { keys, .. }), _)
            | (knob, BlockConfig::Peer(architectures::peer::PeerConfig { keys }), _) => {
                match knob {
                    Self::NKeys => &mut keys.n_keys,
                    Self::TopK => &mut keys.top_k,
                    Self::NHeads => &mut keys.n_heads,
                    _ => return false,
                }
            }
            _ => return false,
        };
        *knob = value;
        true
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NExperts => "n_experts",
            Self::DFf => "d_ff",
            Self::NKeys => "n_keys",
            Self::TopK => "top_k",
            Self::NHeads => "n_heads",
            Self::Layers => "layers",
        })
    }
}
