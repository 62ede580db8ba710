# Every recipe is one command; `just` lists them.

_default:
    @just --list

# Compare the five blocks: the main sweep
sweep *arguments:
    cargo run --release -- sweep {{arguments}}

# All tests
test:
    cargo test --release --workspace

# Everything that CI checks
ci:
    .ci/run

# Every block and suite once, in seconds
smoke *arguments:
    cargo run --release -- sweep smoke {{arguments}}

# What a sweep would run
plan *arguments:
    cargo run --release -- plan {{arguments}}

# Write the report again, from the records
report *arguments:
    cargo run --release -- report {{arguments}}

# Time each part of the paper's models alone, on this machine
probe *arguments:
    cargo run --release -- probe {{arguments}}

# Benchmarks of the lookup kernels
bench *arguments:
    cargo bench --workspace --bench lookup -- {{arguments}}

# The same work here and in PyTorch, alternating (docs/performance.md)
against-pytorch *arguments:
    cargo bench -p harness --bench against_pytorch -- {{arguments}}

# Write the page of every recorded sweep from results/measured, and hold the tables of docs/findings.md to them
findings:
    for sweep in quick quick-again quick-decided quick-larger quick-rates split newer capacity-rates entityquestions precision knowledge; do \
        cargo run --release -- report $sweep --output results/measured || exit 1; \
    done
    cargo test --release --workspace --test findings
