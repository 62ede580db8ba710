//! Loss and gradients of a part of a batch, one segment of the decoder after the other.
//!
//! ```text
//! forward   h_1, h_2, ..  the inputs of the segments, without gradients; activations of the last segment alone
//! head      loss and dL/dh of the last output, in pieces of rows where the logits are many
//! backward  for each segment, last to first: evaluate it again from h_i, differentiate <output, dL/doutput> plus its
//!           auxiliary losses; this gives dL/dh_i and the gradients of its parameters and tables
//! ```
//!
//! The same input gives the same activations and lookups: nothing in a forward pass is drawn at random. Tokens have the experts
//! that the first evaluation chose, so that no rounding of a device changes them. Each parameter's gradient is the same to the bit
//! for any division into segments; a tied embedding has one contribution of the head and one of the embedding, and a sum of
//! two does not depend on their order.
//!
//! Where ranks divide gradients, those of a segment are exchanged after its backward pass and freed. A tied embedding is exchanged with the
//! first segment, when both contributions are added.

use std::ops::Range;

use architectures::routing::Assignments;
use architectures::{Decoder, Pass, Segment, Statistics, TokenIds, Tokens, loss};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};

use super::batches::Batch;
use super::dense_gradients;
use super::gradients::{Gradients, ParameterGradients, TableGradients, append_tables};
use super::losses::Losses;
use super::own_gradients::OwnSums;

/// The differentiated passes of one part.
struct SegmentedPass<'a, 'b> {
    /// A fork of the parameters, on the autodiff device.
    decoder: &'a Decoder,
    tokens: Tokens,
    /// Factor of the loss and of the auxiliary losses.
    scale: f64,
    /// On several ranks, those that are not in `own` yet.
    dense: GradientsParams,
    own: Option<&'a mut OwnSums<'b>>,
    /// Of each segment differentiated so far, last segment first.
    segments: Vec<SegmentGradients>,
}

/// What is kept of one segment beside the dense gradients.
struct SegmentGradients {
    tables: TableGradients,
    statistics: Statistics,
    /// Without autodiff and scale, `[1]` each.
    auxiliary: Vec<Tensor<1>>,
}

/// A segment after its forward pass.
struct Evaluated {
    /// `None` for the first segment, whose input are the token ids.
    input: Option<Tensor<3>>,
    output: Tensor<3>,
    pass: Pass,
}

/// Loss and gradients of `scale` times the loss of `batch`, in segments of `layers` layers. Of the last segment the
/// activations are kept, of all others the input. If `own` is given, the dense gradients are in it, and none in the result.
pub fn differentiate(
    decoder: &Decoder,
    (ids, targets): Batch,
    scale: f64,
    layers: usize,
    own: Option<&mut OwnSums>,
) -> Gradients {
    let fork = decoder.clone().fork(&ids.device());
    let n_layers = decoder.config().n_layers;
    let mut segments: Vec<Range<usize>> = (0..n_layers)
        .step_by(layers.max(1))
        .map(|first| first..n_layers.min(first + layers.max(1)))
        .collect();
    let last = segments.pop().unwrap_or(0..0);
    let first_pass = first_pass(&fork, &ids, &segments);
    let (mut inputs, mut assignments): (Vec<_>, Vec<_>) = first_pass.into_iter().unzip();
    let mut part = SegmentedPass {
        tokens: fork.tokens(ids),
        decoder: &fork,
        scale,
        dense: GradientsParams::new(),
        own,
        segments: Vec::new(),
    };
    let evaluated = part.evaluate(last.clone(), inputs.pop(), Pass::training());
    let (loss, mut gradient) = part.head(evaluated.output.clone().inner(), targets);
    part.exchange(Segment::Head);
    let mut next = part.backward(evaluated, gradient);
    part.exchange(Segment::Layers(last));
    for range in segments.into_iter().rev() {
        gradient = match next {
            Some(gradient) => gradient,
            None => unreachable!("only the first segment has no input"),
        };
        let pass = Pass::replay(assignments.pop().unwrap_or_default());
        let evaluated = part.evaluate(range.clone(), inputs.pop(), pass);
        next = part.backward(evaluated, gradient);
        part.exchange(Segment::Layers(range));
    }
    part.exchange(Segment::Embedding);
    part.finish(loss)
}

/// The residual stream after each of `segments`, without gradients, and the assignments of tokens to experts in it. On the autodiff
/// device: elsewhere Burn computes softmax by another operation, whose bits differ.
fn first_pass(
    fork: &Decoder,
    ids: &TokenIds,
    segments: &[Range<usize>],
) -> Vec<(Tensor<3>, Vec<Assignments>)> {
    if segments.is_empty() {
        return Vec::new();
    }
    let decoder = fork.clone().no_grad();
    let tokens = decoder.tokens(ids.clone());
    let mut pass = Pass::before_replay();
    let mut h = decoder.embed(&tokens);
    segments
        .iter()
        .map(|range| {
            h = decoder.evaluate_layers(range.clone(), h.clone(), &tokens, &mut pass);
            (h.clone().inner(), pass.take_assignments())
        })
        .collect()
}

impl SegmentedPass<'_, '_> {
    /// The forward pass `pass` of a segment; `input` is without autodiff, and none for the first segment.
    fn evaluate(
        &self,
        layers: Range<usize>,
        input: Option<Tensor<3>>,
        mut pass: Pass,
    ) -> Evaluated {
        let input = input.map(|h| Tensor::from_inner(h).require_grad());
        let h = match &input {
            Some(h) => h.clone(),
            None => self.decoder.embed(&self.tokens),
        };
        Evaluated {
            output: self
                .decoder
                .evaluate_layers(layers, h, &self.tokens, &mut pass),
            input,
            pass,
        }
    }

    /// The scaled loss, `[1]`, and its gradient with respect to the residual stream `h` after the last layer, all without
    /// autodiff. Adds the gradients of the head.
    fn head(&mut self, h: Tensor<3>, targets: Tensor<2, Int>) -> (Tensor<1>, Tensor<3>) {
        let (shape, vocab) = (h.dims(), self.decoder.config().vocab_size);
        let (mut total, mut gradients) = (None, Vec::new());
        for piece in loss::pieces(h, targets, vocab) {
            let rows = Tensor::from_inner(piece.h).require_grad();
            let logits = self.decoder.logits(rows.clone());
            let loss = loss::cross_entropy(logits, piece.targets) * (self.scale * piece.share);
            let value = loss.clone().inner();
            gradients.push(self.differentiate(loss, &rows));
            total = Some(match total {
                Some(total) => total + value,
                None => value,
            });
        }
        let gradient = match gradients.len() {
            1 => gradients.remove(0),
            _ => Tensor::cat(gradients, 1),
        };
        match total {
            Some(total) => (total, gradient.reshape(shape)),
            None => unreachable!("there is at least one piece"),
        }
    }

    /// Backward pass of `root`; adds the gradients of dense parameters and returns that of `input`.
    fn differentiate(&mut self, root: Tensor<1>, input: &Tensor<3>) -> Tensor<3> {
        let mut gradients = root.backward();
        let of_input = input.grad_remove(&mut gradients);
        self.add_dense(gradients);
        match of_input {
            Some(gradient) => gradient,
            None => unreachable!("the residual stream reaches the loss"),
        }
    }

    fn add_dense(&mut self, gradients: burn::tensor::Gradients) {
        let part = GradientsParams::from_grads(gradients, self.decoder);
        let sum = std::mem::take(&mut self.dense);
        self.dense = dense_gradients::add(self.decoder, sum, part);
    }

    /// Moves the dense gradients of `segment`, which are complete, to the ranks' sums.
    fn exchange(&mut self, segment: Segment) {
        if let Some(own) = &mut self.own {
            own.add(self.decoder, &segment, &mut self.dense);
        }
    }

    /// Backward pass of a segment, whose output has the gradient `gradient`; returns that of its input, if it has one.
    fn backward(&mut self, segment: Evaluated, gradient: Tensor<3>) -> Option<Tensor<3>> {
        let Evaluated {
            input,
            output,
            mut pass,
        } = segment;
        // The gradient of this product with respect to the output is `gradient`, to the bit.
        let root = (output * Tensor::from_inner(gradient)).sum();
        let root = match pass.auxiliary_loss() {
            Some(loss) => root + loss * self.scale,
            None => root,
        };
        let mut gradients = root.backward();
        let auxiliary = pass.auxiliary_losses().iter();
        let auxiliary = auxiliary.map(|loss| loss.clone().inner()).collect();
        let of_input = input.and_then(|input| input.grad_remove(&mut gradients));
        let statistics = pass.take_statistics();
        self.segments.push(SegmentGradients {
            tables: pass.into_table_gradients(&gradients),
            statistics,
            auxiliary,
        });
        self.add_dense(gradients);
        of_input
    }

    /// All gradients, tables and statistics in the order of the layers.
    fn finish(self, loss: Tensor<1>) -> Gradients {
        let mut parameters = ParameterGradients {
            dense: self.dense,
            tables: Vec::new(),
            statistics: Statistics::default(),
        };
        let mut auxiliary = Vec::new();
        for segment in self.segments.into_iter().rev() {
            append_tables(&mut parameters.tables, segment.tables);
            parameters.statistics.merge(&segment.statistics);
            auxiliary.extend(segment.auxiliary);
        }
        let auxiliary = auxiliary.into_iter().reduce(|sum, loss| sum + loss);
        Gradients {
            losses: Losses::of_part(loss, auxiliary.map(|loss| loss * self.scale)),
            parameters,
        }
    }
}
