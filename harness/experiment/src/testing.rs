//! A sweep file for tests.

/// A sweep of two sizes and two blocks.
pub const SWEEP: &str = r#"
seeds = [0]
match = { mode = "flops" }
[decoder]
n_layers = 2
seq_len = 32
[sizes.xs]
d_model = 16
n_heads = 2
tokens = 2048
[sizes.s]
d_model = 32
n_heads = 2
tokens = 4096
blocks.memory.keys.n_keys = 16
training.batch_size = 8
[blocks.dense]
kind = "dense"
[blocks.memory]
kind = "memory"
placement = "middle"
keys = { n_keys = 8, top_k = 4 }
[suites]
vocab_size = 400
[suites.biographies]
people = 12
questions = 6
[training]
batch_size = 4
learning_rate = 1e-3
table_learning_rate = 1e-3
"#;
