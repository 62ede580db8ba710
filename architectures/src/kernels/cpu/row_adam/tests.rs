use super::*;
use crate::kernels::table_memory;

/// A table of more than 8 GiB, of which few pages are written.
#[test]
fn rows_beyond_2_to_the_31_values_are_updated() {
    let (rows, width) = ((1 << 25) + 3, 64);
    let (mut near, mut far) = (vec![0f32; 64], Vec::new());
    let ids = [rows as i64 - 1, 5, rows as i64 - 1];
    let step = AdamStep {
        learning_rate: 0.5,
        beta_1: 0.9,
        beta_2: 0.9,
        epsilon: 1e-8,
        step: 1,
        max_norm: None,
        rounding: Default::default(),
    };
    let gradient = RowGradient::new(rows, &ids, &[1.0; 3], &[2.0; 3 * 64], 1, width);
    let mut memory = Vec::new();
    for _ in 0..3 {
        match table_memory::zeros(rows, width) {
            Ok(data) => memory.push(data),
            Err(rejected) => return eprintln!("skipped: {rejected}"),
        }
    }
    let mut slices = memory
        .iter_mut()
        .map(|data| data.as_mut_slice::<f32>().unwrap());
    let (Some(table), Some(mean), Some(square)) = (slices.next(), slices.next(), slices.next())
    else {
        unreachable!()
    };
    gradient.update(table, mean, square, 1.0, step);
    near.copy_from_slice(&table[5 * width..6 * width]);
    far.extend_from_slice(&table[(rows - 1) * width..]);
    // Adam's first step is the learning rate against the gradient's sign.
    assert!(near.iter().all(|value| (value + 0.5).abs() < 1e-6));
    assert_eq!(near, far);
    assert!((mean[(rows - 1) * width] - 0.4).abs() < 1e-6);
    assert_eq!(gradient.norm(), (64.0f32 * (4.0 + 16.0)).sqrt());
    let sums = crate::kernels::cpu::bag::bag(table, width, &ids[..2], &[1.0, 2.0], 2);
    assert!(
        sums.iter().all(|value| (value + 1.5).abs() < 1e-6),
        "{sums:?}"
    );
}
