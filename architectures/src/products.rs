//! Matrix products in a model's number format, from and to f32.

use burn::tensor::{DType, Int, Tensor};

use crate::kernels::{AttentionShape, fused, product_key_search};
use crate::numeric_format::NumericFormat;

impl NumericFormat {
    /// `x` rounded to this format; its gradient is in f32.
    pub fn operand<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::F32 => x,
            Self::Bf16 => x.cast(DType::BF16),
        }
    }

    /// A product's result in f32; its gradient is rounded to this format.
    pub(crate) fn result<const D: usize>(self, y: Tensor<D>) -> Tensor<D> {
        match self {
            Self::F32 => y,
            Self::Bf16 => y.cast(DType::F32),
        }
    }

    /// `x weight` in this format, from and to f32: `x [rows, inputs]`, `weight [inputs, outputs]`.
    pub fn weight_product(self, x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
        self.result(fused::weight_product(self.operand(x), self.operand(weight)))
    }

    /// The products of the last two dimensions in this format, from and to f32: `left [.., m, k]`, `right [.., k, n]`.
    pub fn batched_product<const D: usize>(self, left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
        self.result(fused::batched_product(
            self.operand(left),
            self.operand(right),
        ))
    }

    /// Causal attention with products in this format, from and to f32: `qkv [batch, seq, (n_heads + 2 n_kv_heads) head_dim]`.
    pub fn causal_attention(self, qkv: Tensor<3>, shape: AttentionShape) -> Tensor<3> {
        self.result(fused::causal_attention(self.operand(qkv), shape))
    }

    /// The scores of the best slots and their ids, `[tokens, heads, top_k]`, by products in this format:
    /// `queries [tokens, heads * 2, half]`, `keys [heads * 2, n_keys, half]`.
    pub fn product_key_search(
        self,
        queries: Tensor<3>,
        keys: Tensor<3>,
        top_k: usize,
    ) -> (Tensor<3>, Tensor<3, Int>) {
        product_key_search::product_key_search(self.operand(queries), self.operand(keys), top_k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
        x.into_data().iter().collect()
    }

    #[test]
    fn a_product_rounds_its_operands_and_its_result_and_sums_in_f32() {
        let device = Device::flex();
        // 1 + 2^-9 is rounded to 1; 1 + 2^-7 is a bf16. The sum of 300 terms needs more bits than bf16 has.
        let x = Tensor::<2>::from_floats([[1.0 + 2f32.powi(-9), 1.0 + 2f32.powi(-7)]], &device);
        let weight = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 3.0]], &device);
        let y = values(NumericFormat::Bf16.weight_product(x, weight));
        // 3 + 3 2^-7 has 9 significant bits and is half way: to even.
        assert_eq!(y, [1.0, 3.0 + 2f32.powi(-5)]);
        let ones = |shape: [usize; 2]| Tensor::<2>::ones(shape, &device);
        let y = NumericFormat::Bf16.weight_product(ones([1, 300]), ones([300, 1]));
        assert_eq!(values(y), [300.0]);
    }

    #[test]
    fn gradients_are_products_of_rounded_operands_and_reach_parameters_in_f32() {
        let device = Device::flex().autodiff();
        let third = 1.0f32 / 3.0;
        let rounded = f32::from_bits((third.to_bits() + 0x8000) & 0xffff_0000);
        let x = Tensor::<2>::from_floats([[third]], &device).require_grad();
        let weight = Tensor::<2>::from_floats([[third]], &device).require_grad();
        let y = NumericFormat::Bf16.weight_product(x.clone(), weight.clone());
        let gradients = (y * third).sum().backward();
        for leaf in [x, weight] {
            let gradient = leaf.grad(&gradients).unwrap();
            assert_eq!(gradient.dtype(), DType::F32);
            let exact = rounded * rounded;
            let found = values(gradient)[0];
            assert_eq!(found.to_bits() & 0xffff, 0, "a bf16: {found}");
            assert!((found - exact).abs() <= exact * 2f32.powi(-8));
        }
    }
}
