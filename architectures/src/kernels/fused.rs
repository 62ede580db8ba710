//! The decoder's own work as one Burn backend extension: attention, norm, gate and loss, each one pass over memory
//! forward and one backward, where stock operations (`stock`, what a backend gets for free) take several.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata, backend_extension};

use super::adam::AdamStep;
use super::attention::AttentionShape;
use super::stock::{attention, layer};

mod on_tensors;

pub use on_tensors::{
    adamw, causal_attention, cross_entropy, rms_norm, square_sum, swiglu, weight_product,
};

/// Fused operations and their gradients; the kernels' files hold shapes and equations.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait FusedOps: Backend {
    /// Causal attention of `qkv [batch, seq, (n_heads + 2 n_kv_heads) head_dim]`: the output
    /// `[batch, seq, n_heads head_dim]` and each row's log-sum `[batch, n_heads, seq]`, which has no gradient.
    fn causal_attention(
        qkv: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        attention::attention::<Self>(qkv, &shape, attention::HELD)
    }

    /// Gradient with respect to `qkv`.
    fn causal_attention_backward(
        qkv: FloatTensor<Self>,
        out: FloatTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> FloatTensor<Self> {
        let saved = (out, log_sums, grad);
        attention::attention_backward::<Self>(qkv, saved, &shape, attention::HELD)
    }

    /// `x / rms(x) * gamma` over the last of three dimensions.
    fn rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        layer::rms_norm::<Self>(x, gamma, epsilon)
    }

    /// Gradients with respect to `x` and `gamma`.
    fn rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        layer::rms_norm_backward::<Self>(x, gamma, grad, epsilon)
    }

    /// `x weight`: `x [rows, inputs]`, `weight [inputs, outputs]`.
    fn weight_product(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(x, weight)
    }

    /// Gradients with respect to `x` and `weight`.
    fn weight_product_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        (
            Self::float_matmul(grad.clone(), Self::float_transpose(weight)),
            Self::float_matmul(Self::float_transpose(x), grad),
        )
    }

    /// `silu(x[r, ..f]) x[r, f..]` for `x [rows, 2 f]`.
    fn swiglu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        layer::swiglu::<Self>(x)
    }

    /// Gradient with respect to `x`.
    fn swiglu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        layer::swiglu_backward::<Self>(x, grad)
    }

    /// Negative log-likelihood `[rows]` of `targets [rows]` under `logits [rows, vocab]`.
    fn cross_entropy(logits: FloatTensor<Self>, targets: IntTensor<Self>) -> FloatTensor<Self> {
        layer::cross_entropy::<Self>(logits, targets)
    }

    /// Gradient with respect to the logits.
    fn cross_entropy_backward(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        layer::cross_entropy_backward::<Self>(logits, targets, grad)
    }

    /// Sum of the squares of all elements, `[1]`, added in an order that the shape alone fixes.
    fn square_sum(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let last = x.shape().num_dims() - 1;
        // By row first: one sum over all values would add up in the order in which threads finish.
        let rows = Self::float_sum_dim(Self::float_mul(x.clone(), x), last);
        Self::float_sum(rows)
    }

    /// One step of AdamW on `values` and their moments, all of one shape, in place where nothing else holds them.
    fn adamw(
        values: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        decay: f32,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        layer::adamw::<Self>(values, grad, mean, square, decay, step)
    }
}

#[derive(Debug)]
struct AttentionBackward(AttentionShape);

impl<B: FusedOps> Backward<B, 1> for AttentionBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (qkv, out, log_sums) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<B>(
                node.id,
                B::causal_attention_backward(qkv, out, log_sums, grad, self.0),
            );
        }
    }
}

#[derive(Debug)]
struct RmsNormBackward(f64);

impl<B: FusedOps> Backward<B, 2> for RmsNormBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let [x_node, gamma_node] = ops.parents;
        let (x, gamma) = ops.state;
        let (dx, dgamma) = B::rms_norm_backward(x, gamma, grad, self.0);
        if let Some(node) = x_node {
            grads.register::<B>(node.id, dx);
        }
        if let Some(node) = gamma_node {
            grads.register::<B>(node.id, dgamma);
        }
    }
}

#[derive(Debug)]
struct WeightProductBackward;

impl<B: FusedOps> Backward<B, 2> for WeightProductBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let [x_node, weight_node] = ops.parents;
        let (x, weight) = ops.state;
        let (dx, dweight) = B::weight_product_backward(x, weight, grad);
        if let Some(node) = x_node {
            grads.register::<B>(node.id, dx);
        }
        if let Some(node) = weight_node {
            grads.register::<B>(node.id, dweight);
        }
    }
}

#[derive(Debug)]
struct SwigluBackward;

impl<B: FusedOps> Backward<B, 1> for SwigluBackward {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::swiglu_backward(ops.state, grad));
        }
    }
}

#[derive(Debug)]
struct CrossEntropyBackward;

impl<B: FusedOps> Backward<B, 1> for CrossEntropyBackward {
    type State = (FloatTensor<B>, IntTensor<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (logits, targets) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::cross_entropy_backward(logits, targets, grad));
        }
    }
}

impl<B: FusedOps, C: CheckpointStrategy> FusedOps for Autodiff<B, C> {
    fn causal_attention(
        qkv: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node = qkv.node();
        let qkv = qkv.into_primitive();
        let (out, log_sums) = B::causal_attention(qkv.clone(), shape);
        let constant = <Self as burn::backend::AutodiffBackend>::from_inner(log_sums.clone());
        let out = match AttentionBackward(shape)
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((qkv, out.clone(), log_sums), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        (out, constant)
    }

    fn rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node()];
        let (x, gamma) = (x.into_primitive(), gamma.into_primitive());
        match RmsNormBackward(epsilon)
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::rms_norm(x.clone(), gamma.clone(), epsilon);
                prep.finish((x, gamma), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::rms_norm(x, gamma, epsilon)),
        }
    }

    fn weight_product(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        match WeightProductBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::weight_product(x.clone(), weight.clone());
                prep.finish((x, weight), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::weight_product(x, weight)),
        }
    }

    fn swiglu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let node = x.node();
        let x = x.into_primitive();
        match SwigluBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(x.clone(), B::swiglu(x)),
            OpsKind::UnTracked(prep) => prep.finish(B::swiglu(x)),
        }
    }

    fn cross_entropy(logits: FloatTensor<Self>, targets: IntTensor<Self>) -> FloatTensor<Self> {
        let node = logits.node();
        let logits = logits.into_primitive();
        match CrossEntropyBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::cross_entropy(logits.clone(), targets.clone());
                prep.finish((logits, targets), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::cross_entropy(logits, targets)),
        }
    }

    fn weight_product_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("weight_product has no second derivative")
    }

    fn square_sum(_: FloatTensor<Self>) -> FloatTensor<Self> {
        panic!("a gradient's norm is not differentiated")
    }

    fn causal_attention_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: AttentionShape,
    ) -> FloatTensor<Self> {
        panic!("causal_attention has no second derivative")
    }

    fn rms_norm_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("rms_norm has no second derivative")
    }

    fn swiglu_backward(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        panic!("swiglu has no second derivative")
    }

    fn cross_entropy_backward(
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        panic!("cross_entropy has no second derivative")
    }

    fn adamw(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: f32,
        _: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        panic!("an optimizer step is not differentiated: it takes plain tensors")
    }
}
