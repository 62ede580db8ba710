"""Compares greedy generation by `works/generate.py`, token after token, with logits of this project for the same weights. It ends
with 1 if a logit differs by more than 1e-4, or a token is not the most probable one within that difference.

    cargo build --release --workspace --example logits --example random_models
    target/release/examples/random_models EXPORTS
    python benches/baseline/generation_logits.py target/release/examples/logits EXPORTS/*
    python benches/baseline/generation_logits.py --compile target/release/examples/logits EXPORTS/*

The arguments after `logits` are folders that `isoflop export` wrote. A model whose block or option has no counterpart is skipped.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

from exported import NoCounterpart, load
from works.cache import Index, Slice
from works.generate import compile_graphs

TOLERANCE = 1e-4
# Of a mixture, the prompts have many tokens for each expert, later tokens few: both ways of evaluating experts are compared.
BATCH, PROMPT, NEW = 64, 4, 21


def ours(program: str, folder: str, tokens):
    """Logits `[batch, seq, vocab]` of this project."""
    with tempfile.TemporaryDirectory() as work:
        ids, output = os.path.join(work, "tokens.json"), os.path.join(work, "logits")
        with open(ids, "w", encoding="utf-8") as file:
            json.dump(tokens.tolist(), file)
        subprocess.run([program, folder, ids, output], check=True)
        return torch.from_numpy(np.fromfile(output, dtype="<f4")).view(*tokens.shape, -1)


@torch.no_grad()
def generated(decoder, is_compiled: bool):
    """Tokens `[batch, PROMPT + NEW]` and the logits `[batch, NEW, vocab]` that chose the new ones."""
    vocabulary = decoder.head.out_features
    tokens = torch.randint(vocabulary, (BATCH, PROMPT), generator=torch.Generator().manual_seed(0))
    logits = [decoder.logits(tokens, Slice(0, PROMPT))]
    seq = len(decoder.cos)
    after = compile_graphs(decoder, decoder.logits_at) if is_compiled else decoder.logits_at
    for position in range(PROMPT, PROMPT + NEW):
        tokens = torch.cat([tokens, logits[-1].argmax(-1)], 1)
        if position < seq:
            new = tokens[:, -1:]
            logits.append(
                after(new, torch.tensor([position])) if is_compiled else decoder.logits(new, Slice(position, position + 1))
            )
    return tokens, torch.cat(logits, 1)


def compare(program: str, folder: str, is_compiled: bool) -> bool:
    # A limit of compilations applies to all models together.
    torch.compiler.reset()
    decoder = load(folder, batch=BATCH, prompt=PROMPT, new=NEW)
    tokens, logits = generated(decoder, is_compiled)
    expected = ours(program, folder, tokens)[:, PROMPT - 1 : -1]
    difference = (logits - expected).abs().max().item()
    # How far the chosen token is below the most probable one.
    chosen = expected.gather(-1, tokens[:, PROMPT:].unsqueeze(-1)).squeeze(-1)
    below = (expected.max(-1).values - chosen).max().item()
    same = (expected.argmax(-1) == tokens[:, PROMPT:]).float().mean().item()
    name = os.path.basename(os.path.normpath(folder))
    print(f"{name:30} {difference:9.2e}   largest logit {expected.abs().max():6.2f}   same tokens {same:.0%}", flush=True)
    return difference <= TOLERANCE and below <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the example `logits`")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--compile", action="store_true", help="the compiled variant after the prompt")
    arguments = parser.parse_args()
    results = []
    for folder in arguments.folders:
        if not os.path.isdir(folder):
            continue
        try:
            results.append(compare(arguments.program, folder, arguments.compile))
        except NoCounterpart as missing:
            print(f"{os.path.basename(os.path.normpath(folder)):30} skipped, no counterpart: {missing}")
    print(f"{sum(results)} of {len(results)} within {TOLERANCE}")
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
