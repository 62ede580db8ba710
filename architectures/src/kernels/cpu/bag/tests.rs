use super::*;
use crate::kernels::cpu::instruction_sets::on_instruction_sets;
use rand::Rng;
use random::stream;

/// A table in bf16 gives exactly what the same numbers in f32 give: sums are in f32.
#[test]
fn rows_in_bf16_are_read_exactly() {
    let (rows, tokens, per_token) = (40, 35, 5);
    for width in [1, 16, 48, 64, 100, 128, 256] {
        let mut rng = stream(3, "bag", width as u64);
        let mut values =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let narrow: Vec<bf16> = values(rows * width)
            .into_iter()
            .map(bf16::from_f32)
            .collect();
        let wide: Vec<f32> = narrow.iter().map(|value| value.to_f32()).collect();
        let (weights, inputs) = (values(tokens * per_token), values(tokens * width));
        let ids: Vec<i64> = (0..tokens * per_token)
            .map(|_| rng.random_range(0..rows as i64))
            .collect();
        let found = bag(&narrow, width, &ids, &weights, per_token);
        let expected = bag(&wide, width, &ids, &weights, per_token);
        assert_eq!(found, expected);
        let count = tokens * per_token;
        let (mut found, mut expected) = (vec![0.0; count], vec![0.0; count]);
        dot(&narrow, width, &ids, &inputs, per_token, &mut found);
        dot(&wide, width, &ids, &inputs, per_token, &mut expected);
        assert_eq!(found, expected);
    }
}

#[test]
fn equals_the_definition_at_any_width() {
    let (rows, tokens, per_token) = (50, 67, 7);
    for width in [1, 3, 16, 32, 48, 64, 100, 128, 192, 256, 512] {
        let mut rng = stream(1, "bag", width as u64);
        let mut values =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let table = values(rows * width);
        let weights = values(tokens * per_token);
        let inputs = values(tokens * width);
        let ids: Vec<i64> = (0..tokens * per_token)
            .map(|_| rng.random_range(0..rows as i64))
            .collect();
        let sums = bag(&table, width, &ids, &weights, per_token);
        let mut dots = vec![0.0; tokens * per_token];
        dot(&table, width, &ids, &inputs, per_token, &mut dots);
        for token in 0..tokens {
            for column in 0..width {
                let expected: f32 = (0..per_token)
                    .map(|j| {
                        weights[token * per_token + j]
                            * table[ids[token * per_token + j] as usize * width + column]
                    })
                    .sum();
                assert!((sums[token * width + column] - expected).abs() < 1e-5);
            }
            for j in 0..per_token {
                let expected: f32 = (0..width)
                    .map(|c| {
                        inputs[token * width + c]
                            * table[ids[token * per_token + j] as usize * width + c]
                    })
                    .sum();
                assert!((dots[token * per_token + j] - expected).abs() < 1e-4);
            }
        }
    }
}

on_instruction_sets! {
    fn sums_and_dots(table: &[f32], width: usize, ids: &[i64], factors: [&[f32]; 2]) -> [Vec<f32>; 3] {
        let [weights, inputs] = factors;
        let (mut whole, mut parts) = (vec![0.0; inputs.len()], vec![0.0; inputs.len()]);
        bag_tokens::<true, _>(table, width, ids, weights, &mut whole);
        bag_tokens::<false, _>(table, width, ids, weights, &mut parts);
        let mut dots = vec![0.0; ids.len()];
        dot_tokens(table, width, ids, inputs, &mut dots);
        [whole, parts, dots]
    }
}

#[test]
fn all_instruction_sets_give_the_same_bits() {
    let (rows, tokens, per_token) = (50, 9, 30);
    for width in [1, 16, 32, 64, 100, 128, 192, 256, 384, 512, 1024] {
        let mut rng = stream(7, "bag", width as u64);
        let mut values =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let table = values(rows * width);
        let (weights, inputs) = (values(tokens * per_token), values(tokens * width));
        let ids: Vec<i64> = (0..tokens * per_token)
            .map(|_| rng.random_range(0..rows as i64))
            .collect();
        let sums = bag(&table, width, &ids, &weights, per_token);
        let mut dots = vec![0.0; tokens * per_token];
        dot(&table, width, &ids, &inputs, per_token, &mut dots);
        for (name, found) in sums_and_dots(&table, width, &ids, [&weights, &inputs]) {
            assert_eq!(
                found,
                [sums.clone(), sums.clone(), dots.clone()],
                "{name}, width {width}"
            );
        }
    }
}
