//! What the other ranks do while rank 0 writes a checkpoint. Of dense parameters, which all ranks have, it writes the values; it asks
//! for moments by the name of a parameter, and all ranks send their elements.

use architectures::{Decoder, EachParameter, for_each_parameter};
use burn::module::ParamId;
use burn::tensor::Tensor;
use collectives::Collectives;

use super::ending::end_all;
use super::order::{Order, give, receive};
use super::table_files::write_with_others;
use crate::train::dense_adamw::{DenseAdamW, Moments};

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

/// Does what rank 0 asks for while it writes a checkpoint of `decoder`, or weights, without an optimizer. To be called by the other ranks.
pub fn answer(
    ranks: &dyn Collectives,
    decoder: &Decoder,
    optimizer: Option<&DenseAdamW>,
) -> AfterCheckpoint {
    loop {
        match receive(ranks) {
            Order::Moments(name) => send_moments(ranks, decoder, optimizer, &name),
            // Rank 0 has every error, and decides.
            Order::Tables(order) => drop(write_with_others(ranks, decoder, &order)),
            Order::Continue => return AfterCheckpoint::Continue,
            Order::Leave => return AfterCheckpoint::Leave,
            Order::End => return AfterCheckpoint::End,
            Order::Train(_) | Order::Evaluate(_) => end_all(
                ranks,
                "was told to begin another run before it left this one",
            ),
        }
    }
}

fn send_moments(
    ranks: &dyn Collectives,
    decoder: &Decoder,
    optimizer: Option<&DenseAdamW>,
    name: &str,
) {
    let own = parameter_id(decoder, name).and_then(|id| optimizer?.moments::<1>(id));
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
