//! The tables. Units are in the field's name or its comment; shares lie in [0, 1]; times are seconds.

use crate::row::rows;

/// The task name of a score that covers a whole suite.
pub const WHOLE_SUITE: &str = "all";

rows! {
    /// One trained model: what was asked, what it cost, what it reached, and where it came from.
    "runs" => RunRow by [sweep, size, block, seed, run] {
        /// Hash of everything that determines the run.
        run: String,
        sweep: String,
        size: String,
        /// Label of the feed-forward block, such as `memory+`.
        block: String,
        seed: u64,
        /// `finished` or `failed`.
        status: String,
        /// Why it failed; empty when it did not.
        reason: String,
        /// What was held equal between blocks: `flops` or `tokens`.
        matching: String,
        /// Training FLOPs asked for.
        target_flops: f64,
        /// Training FLOPs spent: a whole number of steps never meets the target exactly.
        train_flops: f64,
        tokens: u64,
        steps: u64,
        d_model: u64,
        n_layers: u64,
        params_dense: u64,
        params_table: u64,
        /// Parameters that take part in one token's forward pass.
        params_active: u64,
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
        val_tokens: u64,
        /// Training throughput.
        tokens_per_s: f64,
        /// Training FLOPs as counted by `flop_convention`, per second.
        flop_per_s: f64,
        flop_convention: String,
        peak_memory_bytes: u64,
        train_wall_s: f64,
        eval_wall_s: f64,
        table_bytes: u64,
        /// Commit of the harness.
        commit: String,
        /// Whether the working tree differed from the commit.
        dirty: bool,
        /// Harness, tensor library and compiler.
        version: String,
        /// Resolved configuration, TOML.
        config: String,
        data_fingerprint: String,
        tokenizer_fingerprint: String,
        device: String,
        threads: u64,
        /// RFC 3339, UTC.
        started: String,
        /// The command that repeats this run.
        command: String,
    }

    /// One training step, or as often as the sweep logs.
    "steps" => StepRow by [run, step] {
        run: String,
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
        learning_rate: f64,
        /// Global norm before clipping, tables apart.
        grad_norm: f64,
        table_grad_norm: f64,
        /// Balance and z losses, already weighted.
        auxiliary_loss: f64,
        tokens_per_s: f64,
    }

    /// One number that a suite gives a run.
    "scores" => ScoreRow by [run, suite, task, metric] {
        run: String,
        suite: String,
        /// A part of the suite, or [`WHOLE_SUITE`].
        task: String,
        /// `exact_match`, `pass@1`, `nll_bits`, `bits_per_parameter`, ...
        metric: String,
        /// `scored` or `skipped`.
        status: String,
        /// Why it was skipped; empty when it was not.
        reason: String,
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
        run: String,
        suite: String,
        task: String,
        item: String,
        correct: bool,
        /// Of the expected answer.
        nll_bits: f64,
        expected: String,
        given: String,
        /// How the answer was judged, where there is more to say than right or wrong: the sandbox's verdict.
        detail: String,
    }

    /// How one layer spread its reads over its slots, experts or neurons.
    "usage" => UsageRow by [run, layer, unit] {
        run: String,
        layer: u64,
        /// `slot`, `expert` or `neuron`.
        unit: String,
        units: u64,
        /// Share of the units read at least once.
        used_share: f64,
        /// Divergence of the weight of use from the uniform distribution; 0 is even.
        kl_nats: f64,
        /// Weight of the most used unit.
        max_share: f64,
    }
}
