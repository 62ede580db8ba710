//! Stochastic rounding of f32 to bf16 by counter: a number is rounded up with the probability of its position between its
//! two neighbours, so that the expected value of the result is the number, and changes that are smaller than half a unit in
//! the last place are kept on average (Gupta et al. 2015). The random bits are a hash of the seed, the table, the update, the
//! row and the column: they do not depend on the order of rows, the number of threads or the device.

use burn::tensor::bf16;

/// Multiples of it are the counters of rows.
pub const ROW_STEP: u32 = 0x9e37_79b9;
/// Multiples of it are the counters of columns.
pub const COLUMN_STEP: u32 = 0x85eb_ca6b;

/// What is rounded, each with bits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundedPart {
    /// The values of a table.
    Values,
    /// Running means of gradients.
    Mean,
    /// Running means of squared gradients.
    Square,
}

/// The counters of one update of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundingCounters {
    /// Counter of the first row.
    pub row: u32,
    /// Counter of the first column.
    pub column: u32,
}

impl RoundingCounters {
    /// The counters of the update of this number.
    ///
    /// # Arguments
    /// * `table`: random bits of the seed and the table.
    pub fn new(table: u64, update: u32) -> Self {
        let update = update.wrapping_mul(ROW_STEP);
        Self {
            row: mixed(mixed(table as u32 ^ update).wrapping_add(update)),
            column: mixed((table >> 32) as u32 ^ mixed(update)),
        }
    }

    /// Those of the part of the table that begins at `column`.
    #[must_use]
    pub fn from_column(self, column: usize) -> Self {
        let columns = (column as u32).wrapping_mul(COLUMN_STEP);
        Self {
            column: self.column.wrapping_add(columns),
            ..self
        }
    }

    /// Those of the part of the table that begins at `row`.
    #[must_use]
    pub fn from_row(self, row: usize) -> Self {
        let rows = (row as u32).wrapping_mul(ROW_STEP);
        Self {
            row: self.row.wrapping_add(rows),
            ..self
        }
    }

    /// Rounds the first row, `values`, to `row`.
    #[inline(always)]
    pub fn round_row(self, part: RoundedPart, values: &[f32], row: &mut [bf16]) {
        let of_row = mixed(self.row);
        for (column, (value, rounded)) in values.iter().zip(row).enumerate() {
            let counter = (column as u32).wrapping_mul(COLUMN_STEP);
            let bits = mixed(of_row ^ self.column.wrapping_add(counter));
            let bits = match part {
                RoundedPart::Values => bits >> 16,
                RoundedPart::Mean => bits & 0xffff,
                RoundedPart::Square => mixed(bits.wrapping_add(ROW_STEP)) >> 16,
            };
            *rounded = round(*value, bits);
        }
    }
}

/// `value` truncated to bf16 after `bits`, below 2^16, were added to the half that is lost. Infinity and NaN stay what they are.
#[inline(always)]
fn round(value: f32, bits: u32) -> bf16 {
    let own = value.to_bits();
    let is_finite = own & 0x7f80_0000 != 0x7f80_0000;
    // Without the quiet bit a NaN whose lower half alone is not zero would become infinity.
    let kept = own | if value.is_nan() { 0x0040_0000 } else { 0 };
    let upper = if is_finite {
        own.wrapping_add(bits)
    } else {
        kept
    } >> 16;
    bf16::from_bits(upper as u16)
}

/// The finaliser of MurmurHash3.
#[inline(always)]
fn mixed(bits: u32) -> u32 {
    let bits = (bits ^ bits >> 16).wrapping_mul(0x85eb_ca6b);
    let bits = (bits ^ bits >> 13).wrapping_mul(0xc2b2_ae35);
    bits ^ bits >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [RoundedPart; 3] = [RoundedPart::Values, RoundedPart::Mean, RoundedPart::Square];

    /// `value` rounded at `width` columns of each of `rows` rows.
    fn rounded(part: RoundedPart, value: f32, update: u32, rows: usize, width: usize) -> Vec<f32> {
        let counters = RoundingCounters::new(0x1234_5678_9abc_def0, update);
        let (values, mut row) = (vec![value; width], vec![bf16::ZERO; width]);
        let of_row = |at| {
            counters.from_row(at).round_row(part, &values, &mut row);
            row.iter().map(|value| value.to_f32()).collect::<Vec<_>>()
        };
        (0..rows).flat_map(of_row).collect()
    }

    #[test]
    fn the_mean_is_the_value_within_its_standard_error() {
        for part in PARTS {
            for value in [
                1.0 + 1e-3,
                -0.3,
                1e-30,
                65_500.0,
                3.0f32.sqrt(),
                -1.999_9,
                1e-39,
            ] {
                let unit = {
                    let below = f32::from_bits(value.to_bits() & 0xffff_0000);
                    f64::from(f32::from_bits((value.to_bits() & 0xffff_0000) + 0x1_0000) - below)
                };
                let position =
                    f64::from(value - f32::from_bits(value.to_bits() & 0xffff_0000)) / unit;
                for update in 1..6 {
                    let found = rounded(part, value, update, 200, 100);
                    let n = found.len() as f64;
                    let mean = found.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
                    let error = (position * (1.0 - position) / n).sqrt() * unit.abs();
                    let distance = (mean - f64::from(value)).abs();
                    // 105 comparisons; the granularity of 16 bits adds at most 2^-17 of a unit.
                    assert!(
                        distance < 4.5 * error + unit.abs() * 2f64.powi(-17),
                        "{part:?} of {value}, update {update}: {mean}, {distance} {error}"
                    );
                }
            }
        }
    }

    #[test]
    fn rows_columns_updates_and_parts_are_uncorrelated() {
        // 1 + 2^-8 is half way between two neighbours.
        let value = 1.0 + 2f32.powi(-8);
        let ups = |part, update| -> Vec<f64> {
            let found = rounded(part, value, update, 128, 128).into_iter();
            found.map(|x| if x > value { 1.0 } else { -1.0 }).collect()
        };
        let base = ups(RoundedPart::Values, 1);
        let correlation = |other: &[f64], by: usize| -> f64 {
            let pairs = base.iter().zip(other.iter().cycle().skip(by));
            pairs.map(|(a, b)| a * b).sum::<f64>() / base.len() as f64
        };
        // Standard deviation 1/128.
        for by in [1, 2, 127, 128, 129, 256] {
            assert!(correlation(&base, by).abs() < 4.5 / 128.0, "{by}");
        }
        for other in [
            ups(RoundedPart::Mean, 1),
            ups(RoundedPart::Square, 1),
            ups(RoundedPart::Values, 2),
        ] {
            assert!(correlation(&other, 0).abs() < 4.5 / 128.0);
        }
    }

    #[test]
    fn parts_of_a_table_have_the_bits_of_the_whole() {
        let counters = RoundingCounters::new(7, 3);
        let (values, mut whole) = (vec![0.1f32; 10], vec![bf16::ZERO; 10]);
        counters.round_row(RoundedPart::Values, &values, &mut whole);
        let mut part = vec![bf16::ZERO; 6];
        let of_part = counters.from_column(4);
        of_part.round_row(RoundedPart::Values, &values[4..], &mut part);
        assert_eq!(whole[4..], part);
    }

    #[test]
    fn exact_and_special_values_are_kept() {
        for bits in [0, 1, 0x7fff, 0xffff] {
            for value in [0.0, -0.0, 1.5, -3.0e38, f32::INFINITY, f32::NEG_INFINITY] {
                let exact = f32::from_bits(value.to_bits() & 0xffff_0000);
                assert_eq!(round(exact, bits).to_f32().to_bits(), exact.to_bits());
            }
            assert!(round(f32::from_bits(0x7f80_0001), bits).is_nan());
            assert!(round(f32::NAN, bits).is_nan());
        }
    }
}
