"""A reference loader of models that `isoflop export` wrote in the layout `isoflop`, in numpy and float64: every block, equation by
equation, for whole sequences. It is short rather than fast.

    from load_exported import Model
    logits = Model("FOLDER").logits([[1, 2, 3], [4, 5, 6]])      # [sequences, length, vocab_size]
"""

import json
import math
import os
import struct

import numpy as np

erf = np.vectorize(math.erf, otypes=[np.float64])


def read_safetensors(path):
    """The tensors of a file by name, in float64; F32, BF16 and F16."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, info in header.items():
        start, end = (8 + length + offset for offset in info["data_offsets"])
        if info["dtype"] == "BF16":
            halves = np.frombuffer(content[start:end], dtype="<u2").astype(np.uint32)
            values = (halves << 16).view(np.float32)
        else:
            values = np.frombuffer(content[start:end], dtype={"F32": "<f4", "F16": "<f2"}[info["dtype"]])
        tensors[name] = values.astype(np.float64).reshape(info["shape"])
    return tensors


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def gelu(x, exact=True):
    if exact:
        return 0.5 * x * (1 + erf(x / math.sqrt(2)))
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def softmax(x):
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def rms_norm(x, gain, epsilon):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * gain


def top(scores, count):
    """Indices of the `count` largest values of the last dimension, largest first; of equal ones the first."""
    return np.argsort(-scores, axis=-1, kind="stable")[..., :count]


def swiglu(x, gate_up, down):
    """W1 and W3 are side by side in `gate_up`."""
    hidden = x @ gate_up
    half = hidden.shape[-1] // 2
    return (silu(hidden[..., :half]) * hidden[..., half:]) @ down


def frequencies(decoder, half):
    """Rotary frequencies of the pairs of a head, radians per position."""
    plain = decoder["rope_theta"] ** (-np.arange(half) / half)
    scaling = decoder.get("rope_scaling")
    if scaling is None:
        return plain
    if scaling["kind"] == "linear":
        return plain / scaling["factor"]
    turns = scaling["original_seq_len"] * plain / (2 * math.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return kept * plain + (1 - kept) * plain / scaling["factor"]


class Model:
    """A model with its weights."""

    def __init__(self, folder):
        with open(os.path.join(folder, "isoflop.json"), encoding="utf-8") as file:
            self.manifest = json.load(file)["description"]
        if self.manifest["format"] != 1 or self.manifest["layout"] != "isoflop":
            raise ValueError(f"{folder} is not in the layout isoflop, format 1")
        self.tensors = {}
        for file in self.manifest["files"]:
            if file["name"].endswith(".safetensors"):
                self.tensors.update(read_safetensors(os.path.join(folder, file["name"])))
        self.decoder = self.manifest["model"]["decoder"]
        self.epsilon = self.decoder["norm_eps"]

    def logits(self, tokens):
        """Logits `[sequences, length, vocab_size]` of token ids `[sequences, length]`."""
        tokens, weights = np.asarray(tokens), self.tensors
        h = weights["embedding.rows"][tokens]
        for number, layer in enumerate(self.manifest["layers"]):
            for at, block in enumerate(layer["before_attention"]):
                norm = f"layers.{number}.before_attention.{at}.norm.gamma"
                # Blocks without a norm normalise what they read, or read nothing.
                x = rms_norm(h, weights[norm], self.epsilon) if norm in weights else h
                h = h + self.block(block, x, tokens)
            frame = f"layers.{number}.frame"
            h = h + self.attention(rms_norm(h, weights[f"{frame}.attention_norm.gamma"], self.epsilon), f"{frame}.attention")
            x = rms_norm(h, weights[f"{frame}.block_norm.gamma"], self.epsilon)
            for block in [layer["feed_forward"], *layer["beside"]]:
                h = h + self.block(block, x, tokens)
        h = rms_norm(h, weights["head.norm.gamma"], self.epsilon)
        tied = self.decoder["tie_embeddings"]
        return h @ (weights["embedding.rows"].T if tied else weights["head.own.weight"])

    def attention(self, x, path):
        batch, length, d_model = x.shape
        heads = self.decoder["n_heads"]
        kv_heads = self.decoder.get("n_kv_heads") or heads
        width = d_model // heads
        qkv = x @ self.tensors[f"{path}.qkv.weight"] + self.tensors.get(f"{path}.qkv.bias", 0)
        qkv = qkv.reshape(batch, length, heads + 2 * kv_heads, width).transpose(0, 2, 1, 3)
        half = width // 2
        angles = np.arange(length)[:, None] * frequencies(self.decoder, half)
        cos, sin = np.cos(angles), np.sin(angles)

        def rotated(x):
            first, second = x[..., :half], x[..., half:]
            return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1)

        query = rotated(qkv[:, :heads])
        key = rotated(qkv[:, heads : heads + kv_heads]).repeat(heads // kv_heads, 1)
        value = qkv[:, heads + kv_heads :].repeat(heads // kv_heads, 1)
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(width)
        scores = np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
        mixed = (softmax(scores) @ value).transpose(0, 2, 1, 3).reshape(batch, length, d_model)
        return mixed @ self.tensors[f"{path}.output.weight"]

    def block(self, described, x, tokens):
        """The output of a block for its input `x [sequences, length, d_model]`."""
        options = described["block"]
        prefix = described["prefix"] + "."
        weights = {name[len(prefix) :]: values for name, values in self.tensors.items() if name.startswith(prefix)}
        tables = {name: self.tensors[tensor] for name, tensor in described["tables"].items()}
        kind = options["kind"]
        if kind in ("engram", "hashed_bigram"):
            evaluate = engram if kind == "engram" else hashed_bigram
            return evaluate(options, weights, tables, described.get("constants"), x, tokens, self.epsilon)
        rows = x.reshape(-1, x.shape[-1])
        return BLOCKS[kind](options, weights, tables, rows).reshape(x.shape)


def dense(options, weights, tables, x):
    return swiglu(x, weights["gate_up.weight"], weights["down.weight"])


def mlp(options, weights, tables, x):
    hidden = gelu(x @ weights["up.weight"] + weights["up.bias"], options.get("exact_gelu", False))
    return hidden @ weights["down.weight"] + weights["down.bias"]


def routed(weights, x, chosen, shares):
    """The sum of the outputs of each token's experts `chosen [tokens, top_k]`, weighted by `shares`."""
    y = np.zeros_like(x)
    for token, (experts, of_token) in enumerate(zip(chosen, shares)):
        for expert, share in zip(experts, of_token):
            y[token] += share * swiglu(x[token], weights["experts.gate_up"][expert], weights["experts.down"][expert])
    return y


def mixture_of_experts(options, weights, tables, x):
    probabilities = softmax(x @ weights["router.weight"])
    # Expert choice selects in training only.
    chosen = top(probabilities, options["top_k"] if options["routing"] == "token_choice" else 1)
    shares = np.take_along_axis(probabilities, chosen, -1)
    if options["normalise_weights"]:
        shares = shares / shares.sum(-1, keepdims=True)
    return routed(weights, x, chosen, shares)


def deepseek_moe(options, weights, tables, x):
    affinities = sigmoid(x @ weights["router.weight"])
    # State without gradient: the bias of the selection.
    chosen = top(affinities + weights["buffers.0"], options["top_k"])
    shares = np.take_along_axis(affinities, chosen, -1)
    if options["normalise_weights"]:
        shares = shares / shares.sum(-1, keepdims=True)
    y = routed(weights, x, chosen, shares * options["route_scale"])
    if options["n_shared"]:
        y = y + swiglu(x, weights["shared.gate_up.weight"], weights["shared.down.weight"])
    return y


def product_keys(options, weights, x):
    """Slots and their weights, both `[tokens, n_heads * top_k]`."""
    heads, n_keys, top_k = options["n_heads"], options["n_keys"], options["top_k"]
    keys = weights["keys.keys"]
    half = keys.shape[-1]
    queries = (x @ weights["keys.query.weight"] + weights["keys.query.bias"]).reshape(len(x), heads, 2, half)
    if options["qk_norm"]:
        queries = rms_norm(queries, weights["keys.gain"][:, None, None] / math.sqrt(half), 1e-6)
        keys = rms_norm(keys, 1, 1e-6)
    if options["share_keys"]:
        keys = np.tile(keys, (heads, 1, 1))
    scores = np.einsum("thsd,hsnd->thsn", queries, keys.reshape(heads, 2, n_keys, half))
    pairs = (scores[:, :, 0, :, None] + scores[:, :, 1, None, :]).reshape(len(x), heads, n_keys**2)
    slots = top(pairs, top_k)
    activation = {"softmax": softmax, "relu": lambda s: np.maximum(s, 0), "sigmoid": sigmoid}[options["score"]]
    shares = activation(np.take_along_axis(pairs, slots, -1))
    return slots.reshape(len(x), -1), shares.reshape(len(x), -1)


def peer(options, weights, tables, x):
    slots, shares = product_keys(options["keys"], weights, x)
    activated = gelu(np.einsum("td,tmd->tm", x, tables["down"][slots]))
    return np.einsum("tm,tmd->td", activated * shares, tables["up"][slots])


def memory(options, weights, tables, x):
    (values,) = tables.values()
    slots, shares = product_keys(options["keys"], weights, x)
    y = np.einsum("tm,tmd->td", shares, values[slots])
    if "gate.weight" in weights:
        y = y * silu(x @ weights["gate.weight"] + weights["gate.bias"])
    if "output.weight" in weights:
        y = y @ weights["output.weight"] + weights["output.bias"]
    return y


def ultra_mem(options, weights, tables, x):
    rank, n_keys, top_k = options["rank"], options["n_keys"], options["top_k"]
    candidates = min(options.get("n_candidates") or top_k, n_keys)
    key_dim, tokens = weights["query_gain"].shape[0], len(x)
    query = (x @ weights["query"]).reshape(tokens, 2, rank, key_dim)
    query = rms_norm(query, weights["query_gain"], 1e-5)
    keys = rms_norm(weights["keys"], weights["key_gain"], 1e-5).reshape(2, rank, n_keys, key_dim)
    scores = np.einsum("tsrd,srnd->tsrn", query, keys)
    # State without gradient: the leading singular vectors of the sum of the cores.
    approximate = np.einsum("tsrn,sr->tsn", scores, weights["buffers.0"].reshape(2, rank))
    chosen = top(approximate, candidates)
    exact = np.take_along_axis(scores, chosen[:, :, None, :], -1)
    by_core = np.einsum("tri,crq,tqj->tcij", exact[:, 0], weights["cores"], exact[:, 1])
    by_core = by_core.reshape(tokens, len(weights["cores"]), -1)
    pairs = top(by_core.sum(1), top_k)
    rows = np.take_along_axis(chosen[:, 0], pairs // candidates, -1)
    columns = np.take_along_axis(chosen[:, 1], pairs % candidates, -1)
    slots = rows * n_keys + columns
    pre_query = x @ weights["pre_value_query.weight"]
    activation = np.einsum("td,tmd->tm", pre_query, tables["pre_values"][slots])
    parts = []
    for core in range(len(weights["cores"])):
        shares = np.take_along_axis(by_core[:, core], pairs, -1) * activation
        parts.append(np.einsum("tm,tmd->td", shares, tables[f"values.{core}"][slots]))
    return np.concatenate(parts, -1) @ weights["output.weight"]


BLOCKS = {
    "dense": dense,
    "mlp": mlp,
    "mixture_of_experts": mixture_of_experts,
    "deepseek_moe": deepseek_moe,
    "peer": peer,
    "memory": memory,
    "ultra_mem": ultra_mem,
}


def engram(options, weights, tables, constants, h, tokens, epsilon):
    batch, length, d_model = h.shape
    primes = np.asarray(constants["primes"]).reshape(options["max_order"] - 1, options["n_heads"])
    offsets = (np.cumsum(primes) - primes.ravel()).reshape(primes.shape)

    def shifted(back):
        """The tokens `back` positions before."""
        before = np.full((batch, min(back, length)), options["pad_token"])
        return np.concatenate([before, tokens[:, : length - before.shape[1]]], 1).astype(np.int64)

    mix = shifted(0) * constants["multipliers"][0]
    rows = []
    for order in range(1, options["max_order"]):
        mix = mix ^ (shifted(order) * constants["multipliers"][order])
        rows.append(offsets[order - 1] + mix[..., None] % primes[order - 1])
    e = tables["ngrams"][np.concatenate(rows, -1)].reshape(batch, length, -1)
    key = e @ weights["key.weight"] + weights["key.bias"]
    value = e @ weights["value.weight"] + weights["value.bias"]
    score = rms_norm(h, weights["hidden_norm.gamma"], epsilon) * rms_norm(key, weights["key_norm.gamma"], epsilon)
    score = score.sum(-1, keepdims=True) / math.sqrt(d_model)
    if options["sqrt_gate"]:
        score = np.sign(score) * np.sqrt(np.maximum(np.abs(score), 1e-6))
    gated = sigmoid(score) * value
    if not options["kernel"]:
        return gated
    past = (options["kernel"] - 1) * options["max_order"]
    normed = rms_norm(gated, weights["convolution.norm.gamma"], epsilon)
    padded = np.concatenate([np.zeros((batch, past, d_model)), normed], 1)
    taps = weights["convolution.taps"]
    terms = (padded[:, tap * options["max_order"] :][:, :length] * taps[tap] for tap in range(len(taps)))
    return silu(sum(terms)) + gated


def hashed_bigram(options, weights, tables, constants, h, tokens, epsilon):
    (table,) = tables.values()

    def wrapped(product):
        """The product as a signed number of 32 bits."""
        return ((product + 2**31) % 2**32) - 2**31

    last = len(table) - 1
    mix = wrapped(36313 * tokens[:, 1:].astype(np.int64)) ^ wrapped(27191 * tokens[:, :-1].astype(np.int64))
    first = np.full((len(tokens), 1), last)
    rows = np.concatenate([first, mix % last], 1)
    return weights["gate"][0] * table[rows]
