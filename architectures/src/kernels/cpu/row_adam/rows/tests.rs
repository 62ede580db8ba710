use rand::Rng;
use random::stream;

use super::super::entries::SortedEntries;
use super::*;
use crate::kernels::cpu::instruction_sets::on_instruction_sets;
use crate::kernels::stochastic_rounding::RoundingCounters;

fn step() -> AdamStep {
    AdamStep {
        learning_rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        step: 3,
        max_norm: None,
        rounding: RoundingCounters::new(17, 3),
    }
}

/// A range in f32 and in bf16 after an update, and its squares.
struct Updated {
    singles: [Vec<f32>; 3],
    halves: [Vec<bf16>; 3],
    squares: [f64; 3],
}

on_instruction_sets! {
    fn updated(factors: Factors, entries: &[Entry], values: [&[f32]; 3]) -> Updated {
        let mut buffers = Buffers::new(factors.width);
        let mut singles = values.map(<[f32]>::to_vec);
        let mut halves = values.map(|values| {
            let halves = values.iter().map(|value| bf16::from_f32(*value));
            halves.collect::<Vec<_>>()
        });
        let [table, mean, square] = &mut singles;
        let range = Range { first: 5, table, mean, square };
        let of_singles = update_range(range, factors, entries, 0.5, step(), &mut buffers);
        let [table, mean, square] = &mut halves;
        let range = Range { first: 5, table, mean, square };
        let of_halves = update_range(range, factors, entries, 0.5, step(), &mut buffers);
        let mut sum = vec![0.0; factors.width];
        let alone = square_sum_of_rows(factors, entries, &mut sum);
        Updated { singles, halves, squares: [of_singles, of_halves, alone] }
    }
}

#[test]
fn all_instruction_sets_give_the_same_bits() {
    let (rows, tokens, per_token) = (40usize, 30, 6);
    for width in [1, 7, 64, 100, 256] {
        let mut rng = stream(8, "row update", width as u64);
        let mut random =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(0.0..1.0)).collect() };
        let (weights, gradient) = (random(tokens * per_token), random(tokens * width));
        let memory = [(); 3].map(|()| random(rows * width));
        // Rows 5 to 44, of which some have no entry.
        let ids: Vec<i64> = (0..tokens * per_token)
            .map(|_| 5 + rng.random_range(0..rows as i64))
            .collect();
        let factors = Factors {
            weights: &weights,
            values: &gradient,
            per_token,
            width,
        };
        let sorted = SortedEntries::new(rows + 5, &ids);
        let entries: Vec<Entry> = sorted.runs().flatten().copied().collect();
        let values = [&memory[0][..], &memory[1], &memory[2]];
        let mut buffers = Buffers::new(width);
        let mut singles = memory.clone();
        let [table, mean, square] = &mut singles;
        let range = Range {
            first: 5,
            table: &mut table[..],
            mean: &mut mean[..],
            square: &mut square[..],
        };
        let squares = f32::update_rows(range, factors, &entries, 0.5, step(), &mut buffers);
        let results = updated(factors, &entries, values);
        for (name, found) in &results {
            assert_eq!(found.singles, singles, "{name}, width {width}");
            assert_eq!(found.halves, results[0].1.halves, "{name}, width {width}");
            assert_eq!(found.squares, [squares; 3], "{name}, width {width}");
        }
        assert_ne!(singles, memory);
    }
}
