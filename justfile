# Every recipe is one cargo line; `just` lists them.

_default:
    @just --list

# Compare the five blocks: the main job
sweep *arguments:
    cargo run --release -- sweep {{arguments}}

# All tests
test:
    cargo test --release --workspace

# Every part once, in seconds
smoke *arguments:
    cargo run --release -- sweep smoke {{arguments}}

# What a sweep would run
plan *arguments:
    cargo run --release -- plan {{arguments}}

# The report again, from the records
report *arguments:
    cargo run --release -- report {{arguments}}

# Each part of the paper's models alone, on this machine
probe *arguments:
    cargo run --release -- probe {{arguments}}

# Kernels and blocks against the clock
bench *arguments:
    cargo bench --workspace --bench lookup -- {{arguments}}

# The same work here and in PyTorch, in turn (docs/performance.md)
against-pytorch *arguments:
    cargo bench -p harness --bench against_pytorch -- {{arguments}}
