"""Compares logits of this project with those of transformers, in both directions, and with `load_exported.py`. It ends with 1 if
a difference exceeds 1e-4.

    python3 -m venv venv && venv/bin/pip install torch==2.9.0 transformers==4.57.1 numpy
    cargo build --release --workspace --example logits --example random_models
    target/release/examples/random_models EXPORTS
    venv/bin/python benches/transformers_logits.py target/release/examples/logits EXPORTS/* RUN...

The arguments after `logits` are folders that `isoflop export` wrote.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers

from load_exported import Model

transformers.utils.logging.disable_progress_bar()

TOLERANCE = 1e-4
# Sequences, and their length where the model has no shorter ones.
SEQUENCES, LENGTH = 4, 64


def ours(program, folder, tokens):
    """Logits of the model in `folder` by this project."""
    with tempfile.TemporaryDirectory() as work:
        ids, output = os.path.join(work, "tokens.json"), os.path.join(work, "logits")
        with open(ids, "w", encoding="utf-8") as file:
            json.dump(tokens.tolist(), file)
        subprocess.run([program, folder, ids, output], check=True)
        return np.fromfile(output, dtype="<f4").reshape(*tokens.shape, -1)


def theirs(folder, tokens):
    """Logits by transformers, in float32 on the CPU."""
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    loaded_otherwise = {name: keys for name, keys in info.items() if keys}
    if loaded_otherwise:
        raise ValueError(f"{folder}: {loaded_otherwise}")
    with torch.no_grad():
        return model.eval()(torch.from_numpy(tokens)).logits.numpy()


def random_tokens(vocab_size, longest):
    return np.random.default_rng(0).integers(0, vocab_size, (SEQUENCES, min(LENGTH, longest)))


def report(name, way, ours, reference):
    difference = np.abs(ours - reference).max()
    print(f"{name:44} {way:34} {difference:9.2e}   largest logit {np.abs(reference).max():8.2f}")
    return difference <= TOLERANCE


def exported(program, folder):
    """A folder that this project wrote."""
    with open(os.path.join(folder, "isoflop.json"), encoding="utf-8") as file:
        manifest = json.load(file)["description"]
    decoder = manifest["model"]["decoder"]
    tokens = random_tokens(decoder["vocab_size"], decoder["seq_len"])
    found = ours(program, folder, tokens)
    name = os.path.basename(os.path.normpath(folder))
    if manifest["layout"] == "isoflop":
        return report(name, "exported, load_exported.py", found, Model(folder).logits(tokens))
    # The tokenizer too must load.
    transformers.AutoTokenizer.from_pretrained(folder)
    way = f"exported, transformers {manifest['layout']}"
    return report(name, way, found, theirs(folder, tokens))


SIZES = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "eos_token_id": 0,
    "bos_token_id": 0,
    # Larger than usual, so that logits are not near zero.
    "initializer_range": 0.2,
}


def written_by_transformers():
    """Configurations of models that transformers draws and saves, and their name."""
    yield "llama", transformers.LlamaConfig(**SIZES, rope_theta=500000.0)
    llama3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    llama3["original_max_position_embeddings"] = 16
    yield "llama, scaled", transformers.LlamaConfig(**SIZES, rope_scaling=llama3)
    yield "llama, scaled linearly", transformers.LlamaConfig(**SIZES, rope_scaling={"rope_type": "linear", "factor": 4.0})
    yield "llama, tied", transformers.LlamaConfig(**SIZES, tie_word_embeddings=True)
    yield "mistral", transformers.MistralConfig(**SIZES, sliding_window=None)
    yield "qwen2", transformers.Qwen2Config(**SIZES)
    sparse = {"num_experts": 4, "moe_intermediate_size": 40, "shared_expert_intermediate_size": 0, "mlp_only_layers": [1]}
    yield "qwen2_moe", transformers.Qwen2MoeConfig(**SIZES, **sparse, num_experts_per_tok=3, norm_topk_prob=False)
    yield "mixtral", transformers.MixtralConfig(**SIZES, num_local_experts=4, num_experts_per_tok=2)


def imported(program, name, config, tokenizer, dtype, shards):
    """A folder that transformers wrote."""
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() == 1:
            # Norms and biases, which are drawn as ones and zeros.
            torch.nn.init.normal_(parameter, 1.0, 0.2)
    model = model.to(dtype)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, max_shard_size="60KB" if shards else "5GB")
        with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
            json.dump(tokenizer, file)
        tokens = random_tokens(config.vocab_size, config.max_position_embeddings)
        # Loaded again, as `Module.to` would also round the rotary frequencies.
        reference = theirs(folder, tokens)
        way = f"imported, {str(dtype).removeprefix('torch.')}{', in shards' if shards else ''}"
        return report(name, way, ours(program, folder, tokens), reference)


def main():
    program, *folders = sys.argv[1:]
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    results = [exported(program, folder) for folder in folders if os.path.isdir(folder)]
    vocabulary = {f"w{number}": number for number in range(SIZES["vocab_size"])}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"},
    }
    for name, config in written_by_transformers():
        for dtype, shards in [(torch.float32, False), (torch.bfloat16, True), (torch.float16, False)]:
            results.append(imported(program, name, config, tokenizer, dtype, shards))
    print(f"{sum(results)} of {len(results)} within {TOLERANCE}")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
