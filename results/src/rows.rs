//! The tables. Units are in the field's name or its comment; shares are in [0, 1]; times are seconds.

use crate::format_name::FormatName;
use crate::row::rows;

/// The task name of a score that covers a whole suite.
pub const WHOLE_SUITE: &str = "all";

/// The metrics that are a share of right answers and can be paired item by item; the first that a suite has is its
/// headline. A metric that is not listed is in the tables, and in no score, comparison or claim.
pub const SHARE_METRICS: [&str; 4] = ["exact_match", "pass@1", "accuracy", "acc"];

rows! {
    /// One run: its configuration, cost, losses and provenance.
    "runs" => RunRow by [sweep, size, block, seed, run] {
        /// Hash of everything that determines the run.
        run: String,
        /// Name of the sweep.
        sweep: String,
        /// Label of the size.
        size: String,
        /// Label of the blocks, such as `memory+`.
        block: String,
        /// Kinds of the blocks, such as `memory`, joined by ` + `; `dense` for a decoder without others.
        block_kind: String,
        /// The blocks with their options, placements and sites, a list in JSON.
        block_options: String,
        /// Seed of parameters and data order.
        seed: u64,
        /// `finished` or `failed`.
        status: String,
        /// Why it failed; empty when it did not.
        reason: String,
        /// What was held equal between blocks: `flops` or `tokens`.
        matching: String,
        /// Training FLOPs requested.
        target_flops: f64,
        /// Training FLOPs spent, which differ from the target since steps are whole.
        train_flops: f64,
        /// Training tokens.
        tokens: u64,
        /// Tokens of one epoch of the corpus.
        epoch_tokens: u64,
        /// Epochs of the corpus in the training tokens.
        epochs: f64,
        /// Optimizer steps.
        steps: u64,
        /// Width of the residual stream.
        d_model: u64,
        /// Number of layers.
        n_layers: u64,
        /// Parameters outside tables.
        params_dense: u64,
        /// Parameters of tables.
        params_table: u64,
        /// Parameters that take part in one token's forward pass.
        params_active: u64,
        /// All parameters.
        params_total: u64,
        /// Forward FLOPs per token in products with weights.
        forward_matmul_flops: f64,
        /// Forward FLOPs per token in attention.
        forward_attention_flops: f64,
        /// Forward FLOPs per token in weighted sums over table rows.
        forward_lookup_flops: f64,
        /// Bytes of table rows read per token in the forward pass.
        bytes_gathered: f64,
        /// Training loss in nats per token, over the last steps.
        train_loss: f64,
        /// Validation loss in nats per token, on the held-out set.
        val_loss: f64,
        /// Held-out tokens that `val_loss` averages.
        val_tokens: u64,
        /// Training throughput.
        tokens_per_s: f64,
        /// Training FLOPs as counted by `flop_convention`, per second.
        flop_per_s: f64,
        /// What the FLOP counts include.
        flop_convention: String,
        /// Format of products and tables, `f32` or `bf16`, of FLOPs and FLOP/s.
        numeric_format: FormatName,
        /// Peak memory of the process in bytes.
        peak_memory_bytes: u64,
        /// Seconds of training, validation not counted.
        train_wall_s: f64,
        /// Seconds of evaluation.
        eval_wall_s: f64,
        /// Bytes of all tables.
        table_bytes: u64,
        /// Commit of the harness.
        commit: String,
        /// Whether the working tree differed from the commit.
        dirty: bool,
        /// Harness, tensor library and compiler.
        version: String,
        /// Resolved configuration, TOML.
        config: String,
        /// Hash of the suites' documents and items.
        data_fingerprint: String,
        /// Hash of the tokenizer.
        tokenizer_fingerprint: String,
        /// Name of the device.
        device: String,
        /// Worker threads.
        threads: u64,
        /// The processor's architecture and those of its extensions that select loops, such as `x86_64 avx2 fma`.
        instruction_set: String,
        /// Name of the processor; empty where the system does not say.
        processor: String,
        /// BLAKE3 of the lock file of the build's dependencies.
        lock_file: String,
        /// BLAKE3 of the final weights, tables and buffers; empty if the run failed.
        weights_hash: String,
        /// Times that training continued from a checkpoint.
        resumes: u64,
        /// Steps whose update was skipped as an outlier.
        skipped_steps: u64,
        /// Start of the run, RFC 3339, UTC.
        started: String,
        /// The command that repeats this run.
        command: String,
    }

    /// One training step, or as often as the sweep logs.
    "steps" => StepRow by [run, step] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Optimizer steps done, from 1.
        step: u64,
        /// Training tokens so far.
        tokens: u64,
        /// Training FLOPs so far.
        train_flops: f64,
        /// Seconds of training so far, evaluation excluded.
        wall_s: f64,
        /// Training loss in nats per token.
        loss: f64,
        /// Validation loss in nats per token, at the steps where it was evaluated.
        val_loss: Option<f64>,
        /// Learning rate of the dense parameters at this step.
        learning_rate: f64,
        /// Global gradient norm before clipping, without tables.
        grad_norm: f64,
        /// Norm of the tables' gradients before clipping.
        table_grad_norm: f64,
        /// Balance and z losses, already weighted.
        auxiliary_loss: f64,
        /// Tokens per second.
        tokens_per_s: f64,
    }

    /// How often a run was trained on the facts of a suite.
    "exposures" => ExposureRow by [run, suite, split, form] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Name of the suite.
        suite: String,
        /// `train`: subjects with questions in training; `test`: the others.
        split: String,
        /// `statement` or `question`.
        form: String,
        /// Number of facts.
        facts: u64,
        /// Mean number of documents in training that state one of them in this form.
        mean: f64,
        /// The same of the fact with the fewest; null where documents are drawn by chance.
        least: Option<f64>,
        /// The same of the fact with the most.
        most: Option<f64>,
    }

    /// A trial of the search that gave a run its training settings, before any run that is compared.
    "trials" => TrialRow by [run, size, setting, trial] {
        /// Name of the run that has the settings.
        run: String,
        /// Name of the trial, in the records of the search.
        trial: String,
        /// Label of the size of the trial: that of the run, or one from which the rate was transferred.
        size: String,
        /// `learning_rate`, `table_ratio` or `weight_decay`.
        setting: String,
        /// The value tried.
        value: f64,
        /// The loss that was minimised; NaN if the trial failed.
        loss: f64,
        /// Which loss: `validation_loss` or `answer_loss`.
        measure: String,
        /// Training FLOPs of the trial.
        train_flops: f64,
        /// The value picked at the size of the trial.
        picked: f64,
        /// Whether the best value was at the edge of the values tried.
        at_edge: bool,
        /// The law by which the rate was transferred, in words; empty where the run's own size was searched.
        law: String,
    }

    /// An event of training that did not end the run.
    "warnings" => WarningRow by [run, step, kind, subject] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Step, from 1.
        step: u64,
        /// `loss_spike`, `skipped_step`, `collapse`, `damaged_checkpoint` or `continued_elsewhere`.
        kind: String,
        /// What it is about, such as `loss` or `layer 3 slot`.
        subject: String,
        /// The measured value; NaN where there is none.
        value: f64,
        /// The value beyond which a warning is raised; NaN where there is none.
        threshold: f64,
        /// Further explanation; may be empty.
        detail: String,
    }

    /// One score of a run on a suite.
    "scores" => ScoreRow by [run, suite, task, metric] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Name of the suite.
        suite: String,
        /// A part of the suite, or [`WHOLE_SUITE`].
        task: String,
        /// `exact_match`, `pass@1`, `answer_nll_bits`, `bits_per_parameter`, ...
        metric: String,
        /// `scored` or `skipped`.
        status: String,
        /// Why it was skipped; empty when it was not.
        reason: String,
        /// The score; NaN where it was skipped.
        value: f64,
        /// Lower end of the 95 % interval.
        low: f64,
        /// Upper end of the 95 % interval.
        high: f64,
        /// Items behind the value.
        n: u64,
        /// Score of the majority guess, where it is defined.
        baseline: Option<f64>,
        /// Method of the interval, such as `wilson`.
        interval: String,
    }

    /// One evaluated item. Paired differences require these rows.
    "items" => ItemRow by [run, suite, task, item] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Name of the suite.
        suite: String,
        /// Name of the task.
        task: String,
        /// Name of the item within its task.
        item: String,
        /// Whether the answer is right.
        correct: bool,
        /// Tokens of the expected answer, which carry the fact.
        answer_tokens: u64,
        /// Negative log-likelihood of these tokens, in bits.
        answer_nll_bits: f64,
        /// Negative log-likelihood of the separator after them, in bits.
        end_nll_bits: f64,
        /// The reference answer.
        expected: String,
        /// The answer of the model.
        given: String,
        /// Further result of the evaluation, where there is one: the sandbox's verdict.
        detail: String,
    }

    /// The distribution of one layer's reads over its slots, experts or neurons.
    "usage" => UsageRow by [run, layer, unit] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Layer, from 0.
        layer: u64,
        /// `slot`, `expert`, `neuron` or `n-gram`.
        unit: String,
        /// Number of slots, experts, neurons or rows of n-grams.
        units: u64,
        /// Reads during evaluation: tokens times the units of a token.
        reads: u64,
        /// Distinct n-grams beyond the first in each row, of units that are addressed by a hash.
        collisions: Option<f64>,
        /// Share of the units read at least once.
        used_share: f64,
        /// KL divergence of the distribution of weight over units from the uniform one, in nats; 0 is uniform.
        kl_nats: f64,
        /// Share of the total weight on the most used unit.
        max_share: f64,
    }

    /// The knobs that the solver chose for a run, with target and actual value.
    "matches" => MatchRow by [run, target] {
        /// Name of the run that the row belongs to.
        run: String,
        /// What was to be equal: `flops_per_token`, `params_total`, `params_active`, `bytes_per_token`, `train_flops`.
        target: String,
        /// The value requested, in the target's unit.
        wanted: f64,
        /// The actual value, in the same unit.
        reached: f64,
        /// Largest relative difference that the sweep allows.
        tolerance: f64,
        /// The values of the free knobs, such as `n_keys = 181`.
        knobs: String,
    }

    /// The model whose parameters a run began with; none for a run that began with drawn ones.
    "initial_weights" => InitialWeightsRow by [run] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Folder of the model.
        folder: String,
        /// Hash of its configuration, tokenizer and weights.
        fingerprint: String,
        /// Parameters that were taken from it, those of value tables included.
        taken: u64,
        /// All parameters of the run's model.
        parameters: u64,
    }

    /// One block measured, or one model derived from its layers, at a true shape on one device.
    "probes" => ProbeRow by [device, threads, size, block, table_slots, phase, basis, run] {
        /// Hash of the shape, the phase, the device and the harness.
        run: String,
        /// The size whose layer was measured, such as `1.3b`.
        size: String,
        /// Label of the feed-forward block.
        block: String,
        /// Rows of the value table; 0 where the block has none.
        table_slots: u64,
        /// `forward`, or `step`: forward, backward and update.
        phase: String,
        /// `measured` for one layer, `derived` for a whole model computed from measured layers.
        basis: String,
        /// `finished`, `failed`, or `skipped` where it does not fit.
        status: String,
        /// Why it was not measured; empty where it was.
        reason: String,
        /// Width of the residual stream.
        d_model: u64,
        /// Tokens of one pass.
        tokens: u64,
        /// Passes timed.
        repeats: u64,
        /// Median seconds of one pass.
        seconds: f64,
        /// Seconds of the fastest pass.
        seconds_low: f64,
        /// Seconds of the slowest pass.
        seconds_high: f64,
        /// Tokens per second.
        tokens_per_s: f64,
        /// FLOPs per token in this phase, as counted by `flop_convention`.
        flops: f64,
        /// Bytes per token in this phase, by formula: weights, table rows and optimizer state read and written.
        bytes: f64,
        /// FLOPs per second.
        flop_per_s: f64,
        /// Bytes per second.
        bytes_per_s: f64,
        /// FLOP/s of the fastest matrix product measured on this device in the same session.
        peak_flop_per_s: f64,
        /// Bytes/s of the fastest sequential read measured on this device in the same session.
        peak_bytes_per_s: f64,
        /// Peak resident memory in bytes during the measurement; of the device's own memory where it has one.
        peak_memory_bytes: u64,
        /// Estimated memory in bytes.
        needed_memory_bytes: u64,
        /// Parameters outside tables.
        params_dense: u64,
        /// Parameters of tables.
        params_table: u64,
        /// What the FLOP counts include.
        flop_convention: String,
        /// Format of products and tables, `f32` or `bf16`, of FLOPs and FLOP/s.
        numeric_format: FormatName,
        /// Name of the device.
        device: String,
        /// Worker threads.
        threads: u64,
        /// Commit of the program.
        commit: String,
        /// Whether its sources differed from the commit.
        dirty: bool,
        /// Versions of harness, tensor library and compiler.
        version: String,
        /// Start of the probe, RFC 3339, UTC.
        started: String,
        /// The command that repeats this probe.
        command: String,
    }

    /// What a run was evaluated on, of a published benchmark; the scores are in `scores`, under the task's name as the suite.
    "evaluations" => EvaluationRow by [run, task] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Name of the task.
        task: String,
        /// Version of the task.
        version: u64,
        /// Hash of the task's declaration.
        fingerprint: String,
        /// Hash of the prompts and references of the evaluated items.
        items_hash: String,
        /// What was evaluated, such as `test`.
        split: String,
        /// Few-shot examples.
        n_shot: u64,
        /// Most tokens that the model read.
        max_length: u64,
        /// Items of the split.
        items: u64,
        /// Items evaluated; fewer where the sweep draws a part.
        evaluated: u64,
        /// Items whose prompt lost tokens at its start, for want of space.
        prompts_cut: u64,
        /// Items whose generated answer ended for want of space or at the largest number of tokens.
        answers_cut: u64,
        /// Records that could not be read and were left out.
        skipped: u64,
        /// Whether answers that are programs were run.
        programs_run: bool,
    }

    /// The answer of a model to one item of a published benchmark, kept so that it is not computed again.
    "answers" => AnswerRow by [run, request] {
        /// Hash of the weights, the tokenizer, the task and the numeric format.
        run: String,
        /// Hash of the prompt and of what is scored after it.
        request: String,
        /// The answer as JSON, without its place in the data.
        answer: String,
        /// Tokens removed from the start of the prompt.
        removed: u64,
        /// Whether a generated text ended for want of space or at the largest number of tokens.
        is_cut: bool,
    }

    /// One evaluated item of a published benchmark: prompt, answer and verdict.
    "samples" => SampleRow by [run, task, doc_id] {
        /// The model.
        run: String,
        /// Name of the task.
        task: String,
        /// Place in the evaluated split, from 0.
        doc_id: u64,
        /// Group of the item; empty without groups.
        group: String,
        /// Few-shot examples in the prompt.
        n_shot: u64,
        /// The prompt.
        prompt: String,
        /// Accepted answers, choices with the right ones marked, or the reference solution, as JSON.
        target: String,
        /// What the model gave, as JSON.
        answer: String,
        /// The metrics, as JSON.
        metrics: String,
        /// Tokens removed from the start of the prompt.
        removed: u64,
        /// Whether a generated text ended for want of space or at the largest number of tokens.
        is_cut: bool,
    }
}
