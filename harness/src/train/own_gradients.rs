//! Dense gradients of a whole batch, summed over the ranks that computed its parts: of each parameter the elements that a rank updates.

use std::collections::HashMap;

use architectures::kernels::fused;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use collectives::Collectives;

use super::element_ranges::Bucket;

/// The elements that this rank updates of the gradients of dense parameters.
pub struct OwnGradients {
    /// By parameter, `[m]` with padding.
    pub elements: HashMap<ParamId, Tensor<1>>,
    /// Global norm over all elements of all ranks.
    pub norm: f64,
}

impl OwnGradients {
    /// The elements of this rank of the sum over ranks of `gradients`.
    ///
    /// # Arguments
    /// * `present`: of each parameter of `module`, whether any rank has a gradient of it.
    pub fn sum(
        ranks: &dyn Collectives,
        module: &impl Module,
        gradients: GradientsParams,
        present: &[bool],
    ) -> Self {
        let mut sum = Sum {
            ranks,
            gradients,
            present: present.iter(),
            bucket: Bucket::new(),
            own: Vec::new(),
        };
        module.visit(&mut sum);
        sum.exchange();
        let squares = sum
            .own
            .iter()
            .map(|(_, part)| fused::square_sum(part.clone()));
        let squares: Vec<Tensor<1>> = squares.collect();
        let norm = match squares.is_empty() {
            true => 0.0,
            false => {
                let square = ranks.all_reduce(Tensor::cat(squares, 0).sum());
                f64::from(square.sqrt().into_scalar::<f32>())
            }
        };
        Self {
            elements: sum.own.into_iter().collect(),
            norm,
        }
    }

    /// Scaled so that the norm, which is `norm`, is at most `max_norm`; 0 for no limit.
    pub fn clipped(self, norm: f64, max_norm: f64) -> Self {
        if max_norm == 0.0 || norm <= max_norm {
            return self;
        }
        let factor = max_norm / norm;
        let scaled = self.elements.into_iter();
        Self {
            elements: scaled
                .map(|(id, part)| (id, part.mul_scalar(factor)))
                .collect(),
            norm: max_norm,
        }
    }
}

struct Sum<'a> {
    ranks: &'a dyn Collectives,
    gradients: GradientsParams,
    present: std::slice::Iter<'a, bool>,
    bucket: Bucket<ParamId>,
    own: Vec<(ParamId, Tensor<1>)>,
}

impl Sum<'_> {
    fn exchange(&mut self) {
        let bucket = std::mem::replace(&mut self.bucket, Bucket::new());
        self.own.extend(bucket.reduce_scatter(self.ranks));
    }
}

impl ModuleVisitor for Sum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.present.next() != Some(&true) {
            return;
        }
        let elements: usize = param.val().dims().iter().product();
        let gradient = match self.gradients.remove::<D>(param.id) {
            Some(gradient) => gradient.reshape([elements]),
            None => {
                let device = param.val().device().inner();
                Tensor::zeros([elements], &device)
            }
        };
        self.bucket.push(param.id, gradient);
        if self.bucket.is_full() {
            self.exchange();
        }
    }
}
