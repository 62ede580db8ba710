//! Training of small models on ranks that are threads.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use architectures::{
    Decoder, EachParameter, HasBuffers, ModelConfig, TablePart, for_each_parameter,
};
use burn::module::ParamId;
use burn::tensor::{Device, Tensor};
use collectives::{Collectives, OneRank, Traffic, thread_ranks};
use experiment::training::TrainingConfig;
use harness::train::state::TrainingState;
use harness::train::{StepReport, TrainError, TrainSpec, train};
use suites::{Dataset, SuitesConfig};

use crate::models::every_model;

const VOCAB: usize = 300;

/// A small data set, prepared once.
pub fn dataset() -> &'static Dataset {
    static DATASET: OnceLock<(tempfile::TempDir, Dataset)> = OnceLock::new();
    let prepared = DATASET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let suites = SuitesConfig {
            world: None,
            functions: None,
            bios: None,
            ..SuitesConfig::default()
        };
        let dataset = Dataset::prepare(&suites, 0, VOCAB, 20_000, folder.path()).unwrap();
        (folder, dataset)
    });
    &prepared.1
}

/// The small models of every block, with the vocabulary of the data set and with tables whose columns two and four ranks can share.
pub fn models_for_ranks() -> Vec<(String, ModelConfig)> {
    let adapted = every_model().into_iter().map(|(name, model)| {
        let mut json = serde_json::to_value(&model).unwrap();
        for placed in json["blocks"].as_array_mut().unwrap() {
            let block = placed["block"].as_object_mut().unwrap();
            for key in ["value_dim", "pre_value_dim", "head_dim"] {
                if let Some(width) = block.get_mut(key).filter(|width| width.is_u64()) {
                    *width = width.as_u64().unwrap().next_multiple_of(4).into();
                }
            }
        }
        json["decoder"]["vocab_size"] = VOCAB.into();
        (name, serde_json::from_value(json).unwrap())
    });
    adapted.collect()
}

pub fn has_tables(model: &ModelConfig) -> bool {
    model.cost().unwrap().params_table > 0
}

/// Batches of eight sequences; `more` are further keys. With a large epsilon, updates are smooth functions of the gradients.
pub fn training(more: &str) -> TrainingConfig {
    toml::from_str(&format!(
        "batch_size = 8\nlearning_rate = 0.01\ntable_learning_rate = 0.01\nepsilon = 1e-2\nvalidations = 2\nvalidation_tokens = 64\n{more}"
    ))
    .unwrap()
}

/// What one rank has seen and has after training.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Of each step: loss, auxiliary loss, norms of gradients, validation loss or zero.
    pub steps: Vec<[f64; 5]>,
    /// Bits of parameters, buffers and own columns of tables.
    pub weights: Vec<u32>,
    pub traffic: Traffic,
}

fn step_values(report: &StepReport) -> [f64; 5] {
    [
        report.loss,
        report.auxiliary_loss,
        report.grad_norm,
        report.table_grad_norm.value(),
        report.val_loss.unwrap_or(0.0),
    ]
}

/// Called after each step; training stops if it breaks.
pub type AfterStep<'a> = &'a (dyn Fn(&dyn Collectives, &TrainingState) -> ControlFlow<()> + Sync);

/// Trains `steps` steps, from the state that `first` makes.
pub fn train_on(
    ranks: &Arc<dyn Collectives>,
    (model, training, steps): (&ModelConfig, &TrainingConfig, usize),
    first: &(dyn Fn(&TrainSpec) -> TrainingState + Sync),
    after_step: AfterStep,
) -> Outcome {
    let spec = TrainSpec {
        model,
        training,
        steps,
        seed: 3,
        device: &Device::flex(),
        dataset: dataset(),
        ranks,
    };
    let mut reports = Vec::new();
    let trained = train(&spec, first(&spec), &mut |report, state| {
        reports.push(report.clone());
        after_step(ranks.as_ref(), state)
    });
    let weights = match trained {
        Ok(trained) => bits(&trained.decoder),
        Err(TrainError::Interrupted { .. }) => Vec::new(),
        Err(error) => panic!("{error}"),
    };
    Outcome {
        // Read late, as rows are.
        steps: reports.iter().map(step_values).collect(),
        weights,
        traffic: ranks.traffic(),
    }
}

/// The outcome of each of `ranks` ranks.
pub fn outcomes(ranks: usize, of: (&ModelConfig, &TrainingConfig, usize)) -> Vec<Outcome> {
    let first = |spec: &TrainSpec| TrainingState::new(spec).unwrap();
    let go_on = |_: &dyn Collectives, _: &TrainingState| ControlFlow::Continue(());
    match ranks {
        1 => vec![train_on(&OneRank::shared(), of, &first, &go_on)],
        _ => thread_ranks(ranks, |ranks| train_on(&ranks, of, &first, &go_on)),
    }
}

pub fn bits(decoder: &Decoder) -> Vec<u32> {
    struct Values(Vec<f32>);
    impl EachParameter for Values {
        fn parameter<const D: usize>(&mut self, _: &str, _: ParamId, values: Tensor<D>) {
            self.0.extend(values.into_data().iter::<f32>());
        }
    }
    let mut all = Values(Vec::new());
    for_each_parameter(decoder, &mut all);
    for table in decoder.tables() {
        let whole = table.piece(TablePart::Values, 0..table.rows(), table.columns());
        all.0.extend(whole.unwrap());
    }
    let buffers = decoder.buffers().into_iter();
    all.0.extend(buffers.flat_map(|buffer| buffer.values()));
    all.0.into_iter().map(f32::to_bits).collect()
}
