//! One row of a comparison: a quantity with its unit, and a value for each model.

use crate::statistics::{Interval, Side};

/// The kind of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuantityKind {
    /// Budget and size.
    Matching,
    /// Cost per token, by formula.
    Cost,
    /// Measured time, rate or memory.
    Speed,
    /// Loss or score.
    Score,
    /// Paired difference to the first model.
    Difference,
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Floating-point operations.
    Flops,
    /// Floating-point operations per second.
    FlopsPerSecond,
    /// Tokens.
    Tokens,
    /// Tokens per second.
    TokensPerSecond,
    /// Parameters.
    Parameters,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Natural logarithm units per token.
    Nats,
    /// A share, or a difference of shares, in [-1, 1].
    Share,
    /// As the name of the metric states.
    Plain,
}

impl Unit {
    /// The name in the CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flops => "FLOP",
            Self::FlopsPerSecond => "FLOP/s",
            Self::Tokens => "tokens",
            Self::TokensPerSecond => "tokens/s",
            Self::Parameters => "parameters",
            Self::Bytes => "bytes",
            Self::Seconds => "s",
            Self::Nats => "nats/token",
            Self::Share => "share",
            Self::Plain => "",
        }
    }
}

/// One row: a value for each model of the group, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The group of rows that it belongs to.
    pub kind: QuantityKind,
    /// Name of the metric.
    pub metric: String,
    /// Unit of its values.
    pub unit: Unit,
    /// By model; none where a model has no value. What is counted or timed has no interval.
    pub values: Vec<Option<Interval>>,
}

impl Quantity {
    /// Whether a difference of this quantity shows the model to be better than the first, or worse; none where its
    /// interval includes zero, and for what is no difference. A loss is better the lower it is, a share the higher.
    pub fn is_better(&self, difference: &Interval) -> Option<bool> {
        if self.kind != QuantityKind::Difference {
            return None;
        }
        match difference.side(0.0) {
            Side::Above => Some(self.unit == Unit::Share),
            Side::Below => Some(self.unit != Unit::Share),
            Side::Undecided => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_loss_and_a_higher_share_are_better() {
        let of = |kind, unit| Quantity {
            kind,
            metric: String::new(),
            unit,
            values: Vec::new(),
        };
        let interval = |low, high| Interval {
            value: f64::midpoint(low, high),
            low,
            high,
            n: 9,
            method: "",
        };
        let loss = of(QuantityKind::Difference, Unit::Nats);
        let share = of(QuantityKind::Difference, Unit::Share);
        assert_eq!(loss.is_better(&interval(-0.2, -0.1)), Some(true));
        assert_eq!(loss.is_better(&interval(0.1, 0.2)), Some(false));
        assert_eq!(share.is_better(&interval(0.1, 0.2)), Some(true));
        assert_eq!(share.is_better(&interval(-0.1, 0.2)), None);
        assert_eq!(
            of(QuantityKind::Score, Unit::Share).is_better(&interval(0.1, 0.2)),
            None
        );
    }
}
