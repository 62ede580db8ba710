//! The division of a batch with which a run fits the memory of a device.

use architectures::ConfigError;

use crate::memory_need::{Bytes, MemoryNeed, NumericFormat};
use crate::plan::Run;
use crate::training::{Division, Recompute};

/// The division with the fewest parts in sequence, a power of two or the most there can be, at which `run` needs at most
/// `memory` bytes: with the run's own recomputation if there is one, otherwise with that of every layer. `None` if none is
/// sufficient.
///
/// # Errors
/// If the model's configuration is invalid.
pub fn fitting_division(
    run: &Run,
    format: NumericFormat,
    memory: Bytes,
) -> Result<Option<Division>, ConfigError> {
    let own = Division::of(&run.training);
    let most = run.training.batch_size / own.micro_batches;
    let doubled = std::iter::successors(Some(own.accumulate), |parts| parts.checked_mul(2));
    let counts: Vec<usize> = doubled
        .take_while(|parts| *parts < most)
        .chain([most.max(own.accumulate)])
        .collect();
    for recompute in [own.recompute, Recompute::Every(1)] {
        for &accumulate in &counts {
            let division = Division {
                accumulate,
                recompute,
                ..own
            };
            if MemoryNeed::divided(run, format, division)?.total() <= memory {
                return Ok(Some(division));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;

    #[test]
    fn the_fewest_parts_are_chosen_and_recomputation_only_where_parts_are_not_enough() {
        let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
        let run = &plan.runs[1];
        let format = NumericFormat::F32;
        let total = |accumulate, recompute| {
            let division = Division {
                accumulate,
                micro_batches: 1,
                recompute,
            };
            let need = MemoryNeed::divided(run, format, division).unwrap();
            (need.total(), division)
        };
        let whole = total(1, Recompute::None);
        let halves = total(2, Recompute::None);
        let least = total(4, Recompute::Every(1));
        assert!(halves.0 < whole.0 && least.0 < total(4, Recompute::None).0);
        let fitting = |memory| fitting_division(run, format, memory).unwrap();
        assert_eq!(fitting(whole.0), Some(whole.1));
        assert_eq!(fitting(whole.0 - 1), Some(halves.1));
        assert_eq!(fitting(least.0), Some(least.1));
        assert_eq!(fitting(least.0 - 1), None);
    }
}
