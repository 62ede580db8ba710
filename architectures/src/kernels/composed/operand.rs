//! A backend's float tensor with arithmetic operators, so that bodies read as their formulas.

use std::ops::{Add, Div, Mul, Neg, Range, Sub};

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, DType, Shape, Slice, TensorMetadata};

/// A float tensor; operators broadcast dimensions of one.
pub struct Operand<B: Backend>(pub FloatTensor<B>);

impl<B: Backend> Clone for Operand<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> Operand<B> {
    /// Zeros of this shape.
    pub fn zeros<const D: usize>(shape: [usize; D], device: &Device<B>, dtype: DType) -> Self {
        Self(B::float_zeros(Shape::from(shape), device, dtype.into()))
    }

    /// The `D` dimensions; panics if there are not `D`.
    pub fn dims<const D: usize>(&self) -> [usize; D] {
        self.0.shape().dims()
    }

    pub fn device(&self) -> Device<B> {
        self.0.device()
    }

    pub fn reshape<const D: usize>(self, shape: [usize; D]) -> Self {
        Self(B::float_reshape(self.0, Shape::from(shape)))
    }

    pub fn swap(self, first: usize, second: usize) -> Self {
        Self(B::float_swap_dims(self.0, first, second))
    }

    /// Part of one dimension.
    pub fn narrow(&self, dim: usize, range: Range<usize>) -> Self {
        Self(B::float_slice(self.0.clone(), &self.slices(dim, range)))
    }

    /// This tensor with part of one dimension replaced.
    pub fn replace(self, dim: usize, range: Range<usize>, part: Self) -> Self {
        let slices = self.slices(dim, range);
        Self(B::float_slice_assign(self.0, &slices, part.0))
    }

    fn slices(&self, dim: usize, range: Range<usize>) -> Vec<Slice> {
        let shape = self.0.shape();
        (0..shape.num_dims())
            .map(|d| match d == dim {
                true => Slice::from(range.clone()),
                false => Slice::from(0..shape[d]),
            })
            .collect()
    }

    pub fn cat(parts: Vec<Self>, dim: usize) -> Self {
        let mut parts: Vec<_> = parts.into_iter().map(|part| part.0).collect();
        match parts.len() {
            1 => Self(parts.remove(0)),
            _ => Self(B::float_cat(parts, dim)),
        }
    }

    /// The elements `ids [n]` along one dimension.
    pub fn select(self, dim: usize, ids: IntTensor<B>) -> Self {
        Self(B::float_select(self.0, dim, ids))
    }

    pub fn matmul(self, right: Self) -> Self {
        Self(B::float_matmul(self.0, right.0))
    }

    /// The same numbers in another format, rounded to nearest.
    pub fn cast(self, dtype: DType) -> Self {
        match self.0.dtype() == dtype {
            true => self,
            false => Self(B::float_cast(self.0, dtype.into())),
        }
    }

    /// The product of f32 operands that are rounded to `dtype`, in f32.
    pub fn product_in(self, right: Self, dtype: DType) -> Self {
        self.cast(dtype).matmul(right.cast(dtype)).cast(DType::F32)
    }

    pub fn exp(self) -> Self {
        Self(B::float_exp(self.0))
    }

    pub fn log(self) -> Self {
        Self(B::float_log(self.0))
    }

    pub fn sqrt(self) -> Self {
        Self(B::float_sqrt(self.0))
    }

    pub fn recip(self) -> Self {
        Self(B::float_recip(self.0))
    }

    pub fn sigmoid(self) -> Self {
        Self(B::sigmoid(self.0))
    }

    pub fn at_most(self, bound: f32) -> Self {
        Self(B::float_clamp_max(self.0, bound.into()))
    }

    /// Sum over one dimension, which is kept with size one.
    pub fn sum(self, dim: usize) -> Self {
        Self(B::float_sum_dim(self.0, dim))
    }

    /// Mean over one dimension, which is kept with size one.
    pub fn mean(self, dim: usize) -> Self {
        Self(B::float_mean_dim(self.0, dim))
    }

    /// Maximum over one dimension, which is kept with size one.
    pub fn max(self, dim: usize) -> Self {
        Self(B::float_max_dim(self.0, dim))
    }

    /// Sum of all elements, `[1]`.
    pub fn total(self) -> Self {
        Self(B::float_sum(self.0))
    }
}

impl<B: Backend> Neg for Operand<B> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(B::float_neg(self.0))
    }
}

/// Implements one operator between two tensors and between a tensor and a number.
macro_rules! operator {
    ($operator:ident, $method:ident, $tensors:ident, $number:ident) => {
        impl<B: Backend> $operator for Operand<B> {
            type Output = Self;
            fn $method(self, right: Self) -> Self {
                Self(B::$tensors(self.0, right.0))
            }
        }

        impl<B: Backend> $operator<f32> for Operand<B> {
            type Output = Self;
            fn $method(self, right: f32) -> Self {
                Self(B::$number(self.0, right.into()))
            }
        }
    };
}

operator!(Add, add, float_add, float_add_scalar);
operator!(Sub, sub, float_sub, float_sub_scalar);
operator!(Mul, mul, float_mul, float_mul_scalar);
operator!(Div, div, float_div, float_div_scalar);
