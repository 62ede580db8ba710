//! Knobs: integers of a block's configuration that change its cost.

use std::fmt;

use architectures::{BlockConfig, DecoderConfig, PlacedBlock, Placement};

/// A knob: an integer of a block's configuration for which the solver can solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// Number of experts of a mixture.
    NExperts,
    /// Hidden width of an expert, or of a dense block.
    DFf,
    /// Number of half-keys of a product-key block.
    NKeys,
    /// Number of slots that a head reads, or of experts that a token is routed to.
    TopK,
    /// Number of heads of a product-key block.
    NHeads,
    /// Number of layers of a centred placement, odd.
    Layers,
}

impl Knob {
    /// All knobs.
    pub const ALL: [Self; 6] = [
        Self::NExperts,
        Self::DFf,
        Self::NKeys,
        Self::TopK,
        Self::NHeads,
        Self::Layers,
    ];

    /// Default upper bound, above the values of published models.
    pub fn default_max(self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::NExperts => 4096,
            Self::DFf => 1 << 17,
            Self::NKeys => 1 << 16,
            Self::TopK => 1024,
            Self::NHeads => 256,
            Self::Layers => decoder.n_layers,
        }
    }

    /// Default step between values: hidden widths are multiples of the decoder's `d_ff_multiple`, and the number of
    /// layers of a centred placement is odd.
    pub fn step(self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::DFf => decoder.d_ff_multiple,
            Self::Layers => 2,
            _ => 1,
        }
    }

    /// Sets the knob to `value`; returns false if the block does not have it.
    pub fn set(self, placed: &mut PlacedBlock, value: usize) -> bool {
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
