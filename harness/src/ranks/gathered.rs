//! Moments of dense parameters for a checkpoint: rank 0 asks for them by name, and all ranks send their elements.

use architectures::{Decoder, EachParameter, for_each_parameter};
use burn::module::ParamId;
use burn::tensor::Tensor;
use collectives::Collectives;

use super::ending::end_all;
use super::order::{Order, give, receive};
use crate::train::dense_adamw::{DenseAdamW, Moments};
use crate::train::state::TrainingState;

/// The moments of the parameter `name`, which is `parameter`, whole; `None` before its first update. On several ranks, to be called by rank
/// 0 while the others [`answer`].
pub fn moments<const D: usize>(
    optimizer: &DenseAdamW,
    (name, id): (&str, ParamId),
    parameter: &Tensor<D>,
) -> Option<Moments<D>> {
    let ranks = optimizer.ranks().as_ref();
    if ranks.ranks() == 1 {
        return optimizer.moments(id);
    }
    let own = optimizer.moments::<1>(id)?;
    give(ranks, &Order::Moments(name.to_owned()));
    let shape = parameter.dims();
    let whole = |own: Tensor<1>| {
        let all = ranks.all_gather(own);
        all.narrow(0, 0, shape.iter().product()).reshape(shape)
    };
    Some(Moments {
        updates: own.updates,
        mean: whole(own.mean),
        square: whole(own.square),
    })
}

/// What follows a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCheckpoint {
    /// Training goes on, or has ended.
    Continue,
    /// The run is left.
    Leave,
    /// All ranks end.
    End,
}

/// Sends what rank 0 asks for while it writes a checkpoint of `state`. To be called by the other ranks.
pub fn answer(ranks: &dyn Collectives, state: &TrainingState) -> AfterCheckpoint {
    loop {
        match receive(ranks) {
            Order::Moments(name) => send_moments(ranks, state, &name),
            Order::Continue => return AfterCheckpoint::Continue,
            Order::Leave => return AfterCheckpoint::Leave,
            Order::End => return AfterCheckpoint::End,
            Order::Train(_) => end_all(ranks, "was told to train a run before it left another"),
        }
    }
}

fn send_moments(ranks: &dyn Collectives, state: &TrainingState, name: &str) {
    let id = parameter_id(&state.decoder, name);
    let own = id.and_then(|id| state.optimizers.dense.moments::<1>(id));
    match own {
        Some(own) => {
            ranks.all_gather(own.mean);
            ranks.all_gather(own.square);
        }
        None => end_all(ranks, &format!("has no moments of parameter {name}")),
    }
}

fn parameter_id(decoder: &Decoder, name: &str) -> Option<ParamId> {
    struct Find<'a>(&'a str, Option<ParamId>);
    impl EachParameter for Find<'_> {
        fn parameter<const D: usize>(&mut self, name: &str, id: ParamId, _: Tensor<D>) {
            if name == self.0 {
                self.1 = Some(id);
            }
        }
    }
    let mut find = Find(name, None);
    for_each_parameter(decoder, &mut find);
    find.1
}
