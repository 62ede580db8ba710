//! Copies of tensors to the host, counted.
//!
//! A copy waits until the device has finished everything before it, which leaves a GPU without work until the host has launched
//! more. What a forward pass, a backward pass or an update copies, it copies by these functions.

use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::{Int, Tensor};

static COPIES: AtomicU64 = AtomicU64::new(0);

/// Number of copies that this process has made so far.
pub fn count() -> u64 {
    COPIES.load(Ordering::Relaxed)
}

/// All elements of a tensor, row by row.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    COPIES.fetch_add(1, Ordering::Relaxed);
    let data = tensor.into_data();
    match data.as_slice::<f32>() {
        // Element by element, a conversion takes several times as long as the copy.
        Ok(floats) => floats.to_vec(),
        Err(_) => data.iter::<f32>().collect(),
    }
}

/// All elements of a tensor, row by row.
pub fn integers<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i64> {
    COPIES.fetch_add(1, Ordering::Relaxed);
    tensor.into_data().iter::<i64>().collect()
}

/// The element of a tensor of one.
pub fn number(tensor: Tensor<1>) -> f32 {
    COPIES.fetch_add(1, Ordering::Relaxed);
    tensor.into_scalar()
}

/// The elements of tensors `[1]` of one device, by one copy.
pub fn numbers(tensors: Vec<Tensor<1>>) -> Vec<f32> {
    match tensors.is_empty() {
        true => Vec::new(),
        false => floats(Tensor::cat(tensors, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn several_numbers_are_one_copy() {
        let number = |x: f32| Tensor::from_data([x], &Device::flex());
        assert_eq!(numbers(vec![number(2.0), number(-3.0)]), [2.0, -3.0]);
        assert_eq!(numbers(Vec::new()), Vec::<f32>::new());
    }
}
