//! A trained decoder for evaluation by rank 0. If it has tables, no rank need hold one whole: each rank reads its columns of the weights, and
//! the others serve the lookups of rank 0.

use std::path::Path;
use std::sync::Arc;

use architectures::{Decoder, ModelConfig, ServedLookups};
use burn::tensor::Device;
use collectives::Collectives;

use super::ending::end_all;
use super::order::{EvaluateOrder, Order, give};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::manifest::Manifest;
use crate::checkpoint::snapshot;

/// A decoder without autodiff, whose lookups in split tables the other ranks serve until it is dropped.
pub struct ServedDecoder {
    /// The decoder.
    pub decoder: Decoder,
    served: Option<ServedLookups>,
}

impl ServedDecoder {
    /// Whether the other ranks serve its lookups.
    pub fn is_served(&self) -> bool {
        self.served.is_some()
    }
}

impl From<Decoder> for ServedDecoder {
    /// A decoder with whole tables, or without any.
    fn from(decoder: Decoder) -> Self {
        let served = None;
        Self { decoder, served }
    }
}

/// The decoder of `config` with the weights of the run named `run` in `folder`, whose verified manifest is `manifest`. To be called by
/// rank 0 while the others wait for an order. An error after it ends all ranks.
///
/// # Errors
/// On one rank, or without tables, as [`snapshot::read_weights`].
pub fn served_decoder(
    (folder, run): (&Path, &str),
    manifest: &Manifest,
    config: &ModelConfig,
    device: &Device,
    ranks: &Arc<dyn Collectives>,
) -> Result<ServedDecoder, CheckpointError> {
    if ranks.ranks() == 1 || config.tables()?.is_empty() {
        let decoder = snapshot::read_weights(folder, manifest, config, device)?;
        return Ok(decoder.into());
    }
    let order = EvaluateOrder {
        model: config.clone(),
        weights: folder.to_owned(),
        run: run.to_owned(),
    };
    give(ranks.as_ref(), &Order::Evaluate(Box::new(order)));
    match snapshot::read_weights_on_ranks(folder, manifest, config, device, ranks) {
        Ok(decoder) => {
            let served = decoder.with_served_lookups();
            Ok(ServedDecoder { decoder, served })
        }
        Err(error) => end_all(ranks.as_ref(), &error.to_string()),
    }
}

/// Serves the lookups of rank 0 in the model of `order` until it has evaluated it. To be called by the other ranks.
///
/// # Errors
/// If the weights cannot be read.
pub fn serve(
    order: &EvaluateOrder,
    device: &Device,
    ranks: &Arc<dyn Collectives>,
) -> Result<(), CheckpointError> {
    let folder = &order.weights;
    let manifest = snapshot::verify(folder, &order.run)?;
    let decoder = snapshot::read_weights_on_ranks(folder, &manifest, &order.model, device, ranks)?;
    decoder.serve_lookups();
    Ok(())
}
