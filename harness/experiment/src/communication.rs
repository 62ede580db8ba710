//! What the ranks of one run exchange in a step ([`StepExchanges`]), and how long it takes on a network by a model.
//!
//! A network is two numbers, fitted to measured exchanges: an exchange of `b` bytes that a rank sends to `n - 1` others takes
//! `(n - 1) latency + b / bandwidth`. The predictions assume that
//!
//! - every pair of ranks is connected like those that were measured, however many ranks there are, and all may send at once;
//! - nothing is computed while ranks exchange, as in this program, and no rank waits for another;
//! - the batch is the same for any number of ranks, and the computation is divided by their number without loss.

use std::str::FromStr;

use crate::units;

mod step_exchanges;

pub use step_exchanges::{BUCKET_BYTES, Exchanging, StepExchanges};

/// A measured exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredExchange {
    /// Number of ranks.
    pub ranks: usize,
    /// Bytes that a rank sent to the others together.
    pub bytes: f64,
    /// Seconds.
    pub seconds: f64,
}

/// A network between ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// Seconds of an exchange for each other rank, whatever its bytes.
    pub latency_s: f64,
    /// Bytes that a rank sends in a second.
    pub bytes_per_s: f64,
}

impl Network {
    /// The network whose relative errors of the seconds of `measured` have the least sum of squares; `None` if that is no network, as
    /// with fewer than two different exchanges.
    pub fn fit(measured: &[MeasuredExchange]) -> Option<Self> {
        // Both columns and the right side divided by the seconds: a b + c d = 1.
        let rows = measured.iter().map(|exchange| {
            let others = exchange.ranks.saturating_sub(1) as f64;
            (others / exchange.seconds, exchange.bytes / exchange.seconds)
        });
        let (mut aa, mut ab, mut bb, mut a, mut b) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, y) in rows {
            (aa, ab, bb) = (aa + x * x, ab + x * y, bb + y * y);
            (a, b) = (a + x, b + y);
        }
        let determinant = aa * bb - ab * ab;
        let latency_s = (a * bb - b * ab) / determinant;
        let seconds_per_byte = (b * aa - a * ab) / determinant;
        let is_network = latency_s.is_finite() && latency_s >= 0.0 && seconds_per_byte > 0.0;
        is_network.then_some(Self {
            latency_s,
            bytes_per_s: 1.0 / seconds_per_byte,
        })
    }

    /// Seconds of the exchanges of a step.
    pub fn seconds(&self, step: &StepExchanges) -> f64 {
        let others = (step.ranks - 1.0).max(0.0);
        step.exchanges * others * self.latency_s + step.bytes / self.bytes_per_s
    }
}

impl FromStr for Network {
    type Err = String;

    /// Parses latency and bytes per second, such as `5us,50GB/s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let usage = || "write latency and bytes per second such as 5us,50GB/s".to_owned();
        let (latency, rate) = text.split_once(',').ok_or_else(usage)?;
        let units = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
        let seconds = units.into_iter().find_map(|(unit, seconds)| {
            let number = latency.trim().strip_suffix(unit)?;
            Some(number.trim().parse::<f64>().ok()? * seconds)
        });
        let rate = rate.trim().strip_suffix("/s").ok_or_else(usage)?;
        let latency_s = seconds.filter(|seconds| (0.0..=1e3).contains(seconds));
        Ok(Self {
            latency_s: latency_s.ok_or_else(usage)?,
            bytes_per_s: units::bytes(rate).map_err(|_| usage())? as f64,
        })
    }
}

/// The time of a step on some ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepPrediction {
    /// Number of ranks.
    pub ranks: usize,
    /// What a rank sends.
    pub exchanges: StepExchanges,
    /// Seconds of computation.
    pub compute_s: f64,
    /// Seconds of exchanges.
    pub exchange_s: f64,
}

impl StepPrediction {
    /// The share of exchanges in the step.
    pub fn exchange_share(&self) -> f64 {
        self.exchange_s / (self.compute_s + self.exchange_s)
    }
}

/// A step of `tokens` tokens of a model on `ranks` ranks of a network.
///
/// # Arguments
/// * `model`: with the division of the whole batch.
/// * `compute_s`: seconds of the step on one rank.
pub fn predict(
    network: &Network,
    model: Exchanging,
    (tokens, compute_s): (u64, f64),
    ranks: usize,
) -> StepPrediction {
    let exchanges = model.on_ranks(ranks).step(tokens);
    StepPrediction {
        ranks,
        exchanges,
        compute_s: compute_s / ranks as f64,
        exchange_s: network.seconds(&exchanges),
    }
}

/// Numbers of ranks that [`predictions`] are for.
pub const PREDICTED_RANKS: [usize; 3] = [8, 64, 512];

/// Lines of text: the step of a model on [`PREDICTED_RANKS`], and what is assumed.
///
/// # Arguments
/// * `model`: with the division of the whole batch.
/// * `tokens`: of a step.
/// * `flop_per_s`: of one device, as it computes this model.
pub fn predictions(
    network: &Network,
    model: Exchanging,
    tokens: u64,
    flop_per_s: f64,
) -> Vec<String> {
    let compute_s = model.cost.training() as f64 * tokens as f64 / flop_per_s;
    let mut lines = vec![format!(
        "on ranks that exchange in (n - 1) x {:.1} us + bytes / {:.2} GB/s, all pairs alike, and compute nothing meanwhile:",
        1e6 * network.latency_s,
        network.bytes_per_s / 1e9
    )];
    for ranks in PREDICTED_RANKS {
        let step = predict(network, model, (tokens, compute_s), ranks);
        lines.push(format!(
            "~{ranks:>4} ranks: {:.4} s computation + {:.4} s for {:.1} MB from each rank in {:.0} exchanges, {:.0} % of the step",
            step.compute_s,
            step.exchange_s,
            step.exchanges.bytes / 1e6,
            step.exchanges.exchanges,
            100.0 * step.exchange_share()
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Division;
    use architectures::Cost;

    pub(super) const MODEL: Cost = Cost {
        params_dense: 100_000_000,
        params_table: 1 << 30,
        params_active: 0,
        matmul: 0,
        attention: 0,
        lookup: 0,
        bytes_gathered: 0,
        lookups: 3,
        rows_read: 96,
        lookup_values: 3 * 768,
    };

    fn model() -> Exchanging<'static> {
        Exchanging {
            cost: &MODEL,
            layers: 12,
            division: Division::WHOLE,
        }
    }

    #[test]
    fn a_network_is_parsed_with_units() {
        let network = |latency_s, bytes_per_s| Network {
            latency_s,
            bytes_per_s,
        };
        assert_eq!("2ms,1GiB/s".parse(), Ok(network(2e-3, 1073741824.0)));
        assert_eq!("0s, 50 GB/s".parse(), Ok(network(0.0, 5e10)));
        for wrong in [
            "5us",
            "5us,50GB",
            "fast,50GB/s",
            "-1us,1GB/s",
            "5,50GB/s",
            "NaNs,1GB/s",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fit_finds_the_network_of_exact_measurements_and_rejects_what_is_none() {
        let network = Network {
            latency_s: 2e-6,
            bytes_per_s: 5e9,
        };
        let exchange = |ranks: usize, bytes: f64| MeasuredExchange {
            ranks,
            bytes,
            seconds: (ranks - 1) as f64 * network.latency_s + bytes / network.bytes_per_s,
        };
        let measured: Vec<MeasuredExchange> = [2, 4]
            .into_iter()
            .flat_map(|ranks| [8.0, 1e4, 1e6, 1e8].map(|bytes| exchange(ranks, bytes)))
            .collect();
        let found = Network::fit(&measured).unwrap();
        assert!(
            (found.latency_s / network.latency_s - 1.0).abs() < 1e-6,
            "{found:?}"
        );
        assert!(
            (found.bytes_per_s / network.bytes_per_s - 1.0).abs() < 1e-6,
            "{found:?}"
        );
        assert_eq!(Network::fit(&[]), None);
        assert_eq!(Network::fit(&measured[..1]), None);
    }

    #[test]
    fn more_ranks_compute_less_and_exchange_longer() {
        let network = Network {
            latency_s: 1e-5,
            bytes_per_s: 1e10,
        };
        let of = |ranks| predict(&network, model(), (1 << 20, 8.0), ranks);
        assert_eq!(of(1).exchange_s, 0.0);
        assert_eq!(of(8).compute_s, 1.0);
        assert!(of(512).exchange_share() > of(64).exchange_share());
        assert!(of(64).exchange_share() > of(8).exchange_share());
        let lines = predictions(&network, model(), 1 << 20, 1e14);
        assert_eq!(lines.len(), 1 + PREDICTED_RANKS.len());
        assert!(
            lines[0].contains("(n - 1) x 10.0 us + bytes / 10.00 GB/s"),
            "{lines:?}"
        );
        assert!(lines[3].starts_with("~ 512 ranks"), "{lines:?}");
    }
}
