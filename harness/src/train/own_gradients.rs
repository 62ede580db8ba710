//! Dense gradients of a whole batch, summed over the ranks that computed its parts: of each parameter the elements that a rank updates.
//!
//! Each rank's gradients of some parameters are exchanged as soon as they are complete, and the rank keeps the sums of its elements
//! alone, also over parts of the batch that are computed one after the other (Rajbhandari et al. 2020, "ZeRO: Memory Optimizations
//! Toward Training Trillion Parameter Models", gradient partitioning). A rank then never has the whole dense gradient.

use std::collections::{HashMap, HashSet};

use architectures::kernels::fused;
use architectures::{Decoder, Segment};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use collectives::Collectives;

use super::element_ranges::Bucket;

/// The elements that this rank updates of the gradients of dense parameters.
pub struct OwnGradients {
    /// By parameter, `[m]` with padding.
    pub elements: HashMap<ParamId, Tensor<1>>,
    /// The sum of their squares, `[1]`; `None` if there are no gradients.
    pub square_sum: Option<Tensor<1>>,
}

impl OwnGradients {
    /// The elements, scaled so that the norm over all ranks, which is `norm`, is at most `max_norm`; 0 for no limit.
    pub fn clipped(self, norm: f64, max_norm: f64) -> HashMap<ParamId, Tensor<1>> {
        if max_norm == 0.0 || norm <= max_norm {
            return self.elements;
        }
        let factor = max_norm / norm;
        let scaled = self.elements.into_iter();
        scaled
            .map(|(id, part)| (id, part.mul_scalar(factor)))
            .collect()
    }
}

/// Sums over ranks, and over the parts of the batch so far, of the elements that this rank updates.
pub struct OwnSums<'a> {
    ranks: &'a dyn Collectives,
    /// Whole gradients of this rank that are exchanged together.
    bucket: Bucket<ParamId>,
    sums: HashMap<ParamId, Tensor<1>>,
    /// The parameters of which this rank had a gradient: an expert to which no token is routed has none.
    present: HashSet<ParamId>,
}

impl<'a> OwnSums<'a> {
    /// Sums of nothing.
    pub fn new(ranks: &'a dyn Collectives) -> Self {
        Self {
            ranks,
            bucket: Bucket::new(),
            sums: HashMap::new(),
            present: HashSet::new(),
        }
    }

    /// Adds the gradients of one part of the batch, of the parameters of `segment`, which are taken from `gradients` and exchanged. All
    /// ranks call this with the same segments in the same order.
    pub fn add(&mut self, decoder: &Decoder, segment: &Segment, gradients: &mut GradientsParams) {
        self.wait(decoder, segment, gradients);
        self.exchange_waiting();
    }

    /// Adds the gradients of one part of the batch, of all parameters.
    pub fn add_all(&mut self, decoder: &Decoder, mut gradients: GradientsParams) {
        let layers = Segment::Layers(0..decoder.config().n_layers);
        for segment in [Segment::Head, layers, Segment::Embedding] {
            self.wait(decoder, &segment, &mut gradients);
        }
        self.exchange_waiting();
    }

    /// Of each parameter of `module`, in the order of visits, whether this rank had a gradient.
    pub fn present(&self, module: &impl Module) -> Vec<bool> {
        let mut each = Parameters(Vec::new());
        module.visit(&mut each);
        let ids = each.0.iter();
        ids.map(|id| self.present.contains(id)).collect()
    }

    /// The sums over all parts, with the sum of their squares.
    ///
    /// # Arguments
    /// * `present`: of each parameter of `module`, in the order of visits, whether any rank had a gradient.
    pub fn finish(mut self, module: &impl Module, present: &[bool]) -> OwnGradients {
        let mut each = Parameters(Vec::new());
        module.visit(&mut each);
        let present = each.0.into_iter().zip(present).filter(|(_, any)| **any);
        let own: Vec<(ParamId, Tensor<1>)> = present
            .filter_map(|(id, _)| Some((id, self.sums.remove(&id)?)))
            .collect();
        let squares = own.iter().map(|(_, part)| fused::square_sum(part.clone()));
        let squares: Vec<Tensor<1>> = squares.collect();
        OwnGradients {
            square_sum: (!squares.is_empty()).then(|| Tensor::cat(squares, 0).sum()),
            elements: own.into_iter().collect(),
        }
    }

    /// Moves the gradients of `segment` into the bucket, which is exchanged when it is full.
    fn wait(&mut self, decoder: &Decoder, segment: &Segment, gradients: &mut GradientsParams) {
        let mut adding = Adding {
            sums: self,
            gradients,
        };
        decoder.visit_segment(segment, &mut adding);
    }

    fn exchange_waiting(&mut self) {
        let bucket = std::mem::replace(&mut self.bucket, Bucket::new());
        self.exchange(bucket);
    }

    fn push(&mut self, id: ParamId, gradient: Tensor<1>) {
        if Bucket::<ParamId>::is_filled_by(gradient.dims()[0]) {
            let mut alone = Bucket::new();
            alone.push(id, gradient);
            return self.exchange(alone);
        }
        self.bucket.push(id, gradient);
        if self.bucket.is_full() {
            self.exchange_waiting();
        }
    }

    fn exchange(&mut self, bucket: Bucket<ParamId>) {
        for (id, part) in bucket.reduce_scatter(self.ranks) {
            let sum = match self.sums.remove(&id) {
                Some(sum) => sum + part,
                None => part,
            };
            self.sums.insert(id, sum);
        }
    }
}

/// Takes the gradients of the visited parameters.
struct Adding<'a, 'b> {
    sums: &'a mut OwnSums<'b>,
    gradients: &'a mut GradientsParams,
}

impl ModuleVisitor for Adding<'_, '_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let elements: usize = param.val().dims().iter().product();
        let gradient = match self.gradients.remove::<D>(param.id) {
            Some(gradient) => {
                self.sums.present.insert(param.id);
                gradient.reshape([elements])
            }
            // Another rank may have one.
            None => Tensor::zeros([elements], &param.val().device().inner()),
        };
        self.sums.push(param.id, gradient);
    }
}

/// The parameters of a module in the order of visits.
struct Parameters(Vec<ParamId>);

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.id);
    }
}
