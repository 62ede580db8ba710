//! Selection of compositions and their split.

use super::catalog::all_operations;
use super::composition::Composition;
use super::config::FunctionsConfig;
use random::permutation;

/// The (trained, tested) functions. Single operations are trained on; irreducible compositions are selected at random,
/// an equal number of each length if there are enough, and split. Functions that a trained body solves are not tested,
/// so that memorised bodies score zero.
pub(super) fn select(config: &FunctionsConfig, seed: u64) -> (Vec<Composition>, Vec<Composition>) {
    let mut trained: Vec<Composition> = all_operations().map(Composition::single).collect();
    let mut pools = Vec::new();
    let mut shorter = trained.clone();
    for length in 2..=config.operations {
        let longer: Vec<Composition> = shorter.iter().flat_map(extensions).collect();
        let irreducible: Vec<&Composition> = longer
            .iter()
            .filter(|composition| composition.is_irreducible(seed))
            .collect();
        let order = permutation(irreducible.len(), seed, "functions.choice", length as u64);
        pools.push(
            order
                .into_iter()
                .map(|index| irreducible[index].clone())
                .collect::<Vec<_>>()
                .into_iter(),
        );
        shorter = longer;
    }
    let wanted = config.compositions.saturating_sub(trained.len());
    let mut chosen = Vec::with_capacity(wanted);
    while chosen.len() < wanted {
        let before = chosen.len();
        chosen.extend(pools.iter_mut().filter_map(Iterator::next));
        if chosen.len() == before {
            break;
        }
    }
    chosen.truncate(wanted);
    let size = (chosen.len() as f64 * config.train_fraction).round() as usize;
    let mut tested = chosen.split_off(size.clamp(1, chosen.len().saturating_sub(1).max(1)));
    trained.append(&mut chosen);
    tested.retain(|candidate| !trained.iter().any(|known| known.solves(candidate, seed)));
    (trained, tested)
}

/// The composition followed by each operation whose input type is that of its result.
fn extensions(composition: &Composition) -> Vec<Composition> {
    let output = composition.output();
    all_operations()
        .filter(|operation| Some(operation.input()) == output)
        .map(|operation| composition.then(operation))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_are_selected_and_a_number_above_the_maximum_selects_all() {
        let config = FunctionsConfig {
            compositions: 100_000,
            ..FunctionsConfig::default()
        };
        let (trained, tested) = select(&config, 1);
        assert!(
            trained.len() + tested.len() > 1000,
            "{}",
            trained.len() + tested.len()
        );
        let (_, tested) = select(&FunctionsConfig::default(), 1);
        let long = tested
            .iter()
            .filter(|composition| composition.len() == 3)
            .count();
        assert!(
            (tested.len() / 3..=2 * tested.len() / 3).contains(&long),
            "{long} of {}",
            tested.len()
        );
    }
}
