//! The tables. Units are in the field's name or its comment; shares are in [0, 1]; times are seconds.

use crate::row::rows;

/// The task name of a score that covers a whole suite.
pub const WHOLE_SUITE: &str = "all";

/// The metrics that are a share of right answers and can be paired item by item; the first that a suite has is its
/// headline. A metric that is not listed is in the tables, and in no score, comparison or claim.
pub const SHARE_METRICS: [&str; 3] = ["exact_match", "pass@1", "accuracy"];

rows! {
    /// One trained model: what was evaluated, what it cost, what it reached, and where it came from.
    "runs" => RunRow by [sweep, size, block, seed, run] {
        /// Hash of everything that determines the run.
        run: String,
        /// Name of the sweep.
        sweep: String,
        /// Label of the size.
        size: String,
        /// Label of the feed-forward block, such as `memory+`.
        block: String,
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
        /// Training FLOPs spent: a whole number of steps never meets the target exactly.
        train_flops: f64,
        /// Training tokens.
        tokens: u64,
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
        /// Per token.
        forward_matmul_flops: f64,
        /// Per token.
        forward_attention_flops: f64,
        /// Per token.
        forward_lookup_flops: f64,
        /// Bytes of table rows read per token in the forward pass.
        bytes_gathered: f64,
        /// Nats per token, over the last steps.
        train_loss: f64,
        /// Nats per token, on the held-out set.
        val_loss: f64,
        /// Held-out tokens that `val_loss` averages.
        val_tokens: u64,
        /// Training throughput.
        tokens_per_s: f64,
        /// Training FLOPs as counted by `flop_convention`, per second.
        flop_per_s: f64,
        /// What the FLOP counts include.
        flop_convention: String,
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
        /// RFC 3339, UTC.
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
        /// Seen so far.
        tokens: u64,
        /// Spent so far.
        train_flops: f64,
        /// Training time so far, evaluation excluded.
        wall_s: f64,
        /// Nats per token.
        loss: f64,
        /// Nats per token, at the steps where the held-out set was read.
        val_loss: Option<f64>,
        /// Learning rate of the dense parameters at this step.
        learning_rate: f64,
        /// Global norm before clipping, tables apart.
        grad_norm: f64,
        /// Norm of the tables' gradients before clipping.
        table_grad_norm: f64,
        /// Balance and z losses, already weighted.
        auxiliary_loss: f64,
        /// Tokens per second.
        tokens_per_s: f64,
    }

    /// One number that a suite gives a run.
    "scores" => ScoreRow by [run, suite, task, metric] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Name of the suite.
        suite: String,
        /// A part of the suite, or [`WHOLE_SUITE`].
        task: String,
        /// `exact_match`, `pass@1`, `nll_bits`, `bits_per_parameter`, ...
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
        /// What a majority guess would score, where that means something.
        baseline: Option<f64>,
        /// How the interval was made, such as `wilson`.
        interval: String,
    }

    /// One answer. Paired differences need these.
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
        /// Of the expected answer.
        nll_bits: f64,
        /// The reference answer.
        expected: String,
        /// The answer of the model.
        given: String,
        /// How the answer was judged, where there is more to say than right or wrong: the sandbox's verdict.
        detail: String,
    }

    /// How one layer spread its reads over its slots, experts or neurons.
    "usage" => UsageRow by [run, layer, unit] {
        /// Name of the run that the row belongs to.
        run: String,
        /// Layer, from 0.
        layer: u64,
        /// `slot`, `expert` or `neuron`.
        unit: String,
        /// Number of slots or experts.
        units: u64,
        /// Share of the units read at least once.
        used_share: f64,
        /// Divergence of the weight of use from the uniform distribution; 0 is even.
        kl_nats: f64,
        /// Weight of the most used unit.
        max_share: f64,
    }

    /// What a solver chose so that a run meets the sweep's target, and how near it came.
    "matches" => MatchRow by [run, target] {
        /// Name of the run that the row belongs to.
        run: String,
        /// What was to be equal: `flops_per_token`, `params_total`, `params_active`, `bytes_per_token`, `train_flops`.
        target: String,
        /// The value requested, in the target's unit.
        wanted: f64,
        /// The value reached.
        reached: f64,
        /// Largest relative difference that the sweep allows.
        tolerance: f64,
        /// The knobs turned, such as `n_keys = 181`.
        knobs: String,
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
        /// Why it was not measured; empty when it was.
        reason: String,
        /// Width of the residual stream.
        d_model: u64,
        /// Tokens of one pass.
        tokens: u64,
        /// Passes timed.
        repeats: u64,
        /// Median seconds of one pass.
        seconds: f64,
        /// Fastest pass.
        seconds_low: f64,
        /// Slowest pass.
        seconds_high: f64,
        /// Tokens per second.
        tokens_per_s: f64,
        /// Per token in this phase, as counted by `flop_convention`.
        flops: f64,
        /// Per token in this phase: weights, table rows and optimizer state read and written, by formula.
        bytes: f64,
        /// FLOPs per second.
        flop_per_s: f64,
        /// Bytes per second.
        bytes_per_s: f64,
        /// Fastest matrix product measured on this device in the same session.
        peak_flop_per_s: f64,
        /// Fastest sequential read measured on this device in the same session.
        peak_bytes_per_s: f64,
        /// Highest resident memory while it was measured; of the device where that has its own.
        peak_memory_bytes: u64,
        /// What it was expected to need.
        needed_memory_bytes: u64,
        /// Parameters outside tables.
        params_dense: u64,
        /// Parameters of tables.
        params_table: u64,
        /// What the FLOP counts include.
        flop_convention: String,
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
        /// RFC 3339, UTC.
        started: String,
        /// The command that repeats this probe.
        command: String,
    }
}
