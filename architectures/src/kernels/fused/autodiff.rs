//! Gradients of the fused operations, for any backend that has them.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};

use super::FusedOps;
use crate::kernels::adam_step::AdamStep;
use crate::kernels::attention_shape::AttentionShape;

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
struct BatchedProductBackward;

impl<B: FusedOps> Backward<B, 2> for BatchedProductBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let [left_node, right_node] = ops.parents;
        let (left, right) = ops.state;
        if let Some(node) = left_node {
            let right = B::float_transpose(right);
            grads.register::<B>(node.id, B::batched_product(grad.clone(), right));
        }
        if let Some(node) = right_node {
            let left = B::float_transpose(left);
            grads.register::<B>(node.id, B::batched_product(left, grad));
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
        let (saved, targets) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::cross_entropy_backward(saved, targets, grad));
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

    fn batched_product(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [left.node(), right.node()];
        let (left, right) = (left.into_primitive(), right.into_primitive());
        match BatchedProductBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::batched_product(left.clone(), right.clone());
                prep.finish((left, right), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::batched_product(left, right)),
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

    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node = logits.node();
        let (losses, saved) = B::cross_entropy(logits.into_primitive(), targets.clone());
        let untracked = <Self as burn::backend::AutodiffBackend>::from_inner(saved.clone());
        let losses = match CrossEntropyBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((saved, targets), losses),
            OpsKind::UnTracked(prep) => prep.finish(losses),
        };
        (losses, untracked)
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
        panic!("an optimizer step is not differentiated: its tensors have no autodiff node")
    }
}
