"""The decoder of `works/generate.py` with the options and weights of a folder that `isoflop export` wrote."""

import json
import os
import re
import sys
from argparse import Namespace

import torch

from works.generate import CachedDecoder

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from load_exported import read_safetensors  # noqa: E402


class NoCounterpart(Exception):
    """The model has a block or an option that this decoder lacks."""


# Where `works` has no option, the value that a key must have, by kind.
FIXED = {
    "mixture_of_experts": {"routing": "token_choice", "normalise_weights": False},
    "deepseek_moe": {"normalise_weights": True, "route_scale": 1.0},
    "engram": {"sqrt_gate": True, "pad_token": 0},
}
FIXED_KEYS = {"score": "softmax", "qk_norm": False, "share_keys": False}
FIXED_DECODER = {
    "rope_theta": 10000.0, "norm_eps": 1e-5, "tie_embeddings": False, "qkv_bias": False, "n_kv_heads": None, "rope_scaling": None,
}  # fmt: skip
SITES = {"ultra_mem": "beside", "engram": "before_attention", "hashed_bigram": "before_attention"}

# Options by the names of ours, and what they are called here.
OPTIONS = {
    "mixture_of_experts": {"n_experts": "experts", "top_k": "experts_per_token", "d_ff": "expert_d_ff"},
    "deepseek_moe": {
        "n_experts": "experts", "top_k": "experts_per_token", "d_ff": "expert_d_ff", "n_shared": "shared_experts",
    },
    "ultra_mem": {
        "n_keys": "n_keys", "top_k": "top_k", "rank": "rank", "n_cores": "cores", "key_dim": "key_dim", "value_dim": "value_dim",
        "pre_value_dim": "pre_value_dim",
    },
    "engram": {
        "n_rows": "rows", "n_heads": "hash_heads", "head_dim": "head_dim", "max_order": "max_order", "kernel": "kernel",
    },
    "hashed_bigram": {"n_rows": "rows"},
}  # fmt: skip
KEYS = {"n_keys": "n_keys", "n_heads": "key_heads", "top_k": "top_k", "key_dim": "key_dim"}


def require(found: dict, expected: dict):
    for key, value in expected.items():
        if found.get(key, value) != value:
            raise NoCounterpart(f"{key} = {found[key]}")


def placed(placement, layers: int) -> list[int]:
    """The layers of a placement."""
    if placement == "all":
        return list(range(layers))
    if placement == "middle":
        return [layers // 2]
    if "layers" in placement:
        return placement["layers"]
    count, stride = placement["centred"]["count"], placement["centred"]["stride"]
    return [layers // 2 + stride * (number - count // 2) for number in range(count)]


def options_of(model: dict, **lengths) -> Namespace:
    """Options of `works/generate.py` for a model; `lengths` are batch, prompt and new."""
    sizes = model["decoder"]
    require(sizes, FIXED_DECODER)
    if len(model["blocks"]) != 1:
        raise NoCounterpart("several kinds of blocks")
    (entry,) = model["blocks"]
    block, layers = entry["block"], placed(entry["placement"], sizes["n_layers"])
    kind = name = block["kind"]
    require(block, FIXED.get(kind, {}))
    if entry.get("site", "feed_forward") != SITES.get(kind, "feed_forward"):
        raise NoCounterpart(f"{kind} at the site {entry['site']}")
    if kind == "hashed_bigram" and len(layers) < sizes["n_layers"]:
        raise NoCounterpart("bigrams in some layers")
    if kind == "ultra_mem":
        require(block, {"n_candidates": min(block["top_k"], block["n_keys"])})
    if kind == "engram" and not block["kernel"]:
        raise NoCounterpart("kernel = 0")
    of_block = {here: block.get(ours) for ours, here in OPTIONS.get(kind, {}).items()}
    if kind in ("peer", "memory"):
        require(block["keys"], FIXED_KEYS)
        of_block = {here: block["keys"].get(ours) for ours, here in KEYS.items()}
    if kind == "memory":
        gated = block.get("gate", False)
        require(block, {"value_dim": sizes["d_model"], "shared_values": gated})
        name = "memory+" if gated else "memory"
    elif kind == "mixture_of_experts":
        name = "moe"
    elif kind not in ("dense", "peer", *OPTIONS):
        raise NoCounterpart(f"the block {kind}")
    of_others = dict.fromkeys([here for options in [*OPTIONS.values(), KEYS] for here in options.values()])
    return Namespace(
        **of_others | of_block | lengths, block=name, placed=layers, vocab=sizes["vocab_size"], d_model=sizes["d_model"],
        d_ff=sizes["d_ff"], layers=sizes["n_layers"], heads=sizes["n_heads"],
    )  # fmt: skip


# Patterns of our names of tensors and of transformers', and the name here.
NAMES = [
    (r"^embedding\.rows$|^model\.embed_tokens\.weight$", "embedding.weight"),
    (r"^head\.norm\.gamma$|^model\.norm\.weight$", "norm.weight"),
    (r"^head\.own\.|^lm_head\.", "head."),
    (r"^model\.", ""),
    (r"\.input_layernorm\.", ".attention_norm."),
    (r"\.post_attention_layernorm\.", ".block_norm."),
    (r"\.self_attn\.o_proj\.", ".output."),
    (r"\.mlp\.gate\.", ".block.router."),
    (r"\.mlp\.", ".block."),
    (r"\.down_proj\.", ".down."),
    (r"^shared\.bigrams\..*", "ngrams.table"),
    (r"\.frame\.(attention\.)?", "."),
    (r"^layers\.(\d+)\.before_attention\.0\.block\.gate$", r"ngrams.gates.\1"),
    (r"^layers\.(\d+)\.before_attention\.0\.block\.", r"ngrams.of_layer.\1."),
    (r"\.convolution\.(norm\.|(?=taps))", lambda found: ".convolution_norm." if found[1] else "."),
    (r"\.ngrams$", ".table"),
    (r"\.gamma$", ".weight"),
]


def name_here(name: str, options: Namespace) -> str:
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    if options.block == "ultra_mem":
        at = re.match(r"layers\.(\d+)\.", name)
        if at and int(at[1]) in options.placed:
            name = name.replace(".block.", ".block.feed_forward.").replace(".beside.0.", ".block.block.")
        name = re.sub(r"\.query$", ".query.weight", name).replace(".buffers.0", ".vectors")
    if name.startswith("shared.values."):
        return f"layers.{options.placed[0]}.block.values"
    return name.replace(".buffers.0", ".bias")


def tensors_by_name_here(folder: str, options: Namespace, layout: str) -> dict:
    """All tensors of the folder in f32, matrices as `[outputs, inputs]`, stacked ones of experts one by one."""
    made, parts = {}, {}
    for name, values in read_safetensors(os.path.join(folder, "model.safetensors")).items():
        values = torch.from_numpy(values).float()
        here = name_here(name, options)
        is_matrix = here.endswith(".weight") and values.dim() == 2 and here != "embedding.weight"
        if is_matrix and layout == "isoflop":
            values = values.T
        if part := re.fullmatch(r"(.*)\.self_attn\.([qkv])_proj\.weight", here):
            parts.setdefault(f"{part[1]}.qkv.weight", {})["qkv".index(part[2])] = values
        elif part := re.fullmatch(r"(.*)\.(gate|up)_proj\.weight", here):
            parts.setdefault(f"{part[1]}.gate_up.weight", {})[part[2] == "up"] = values
        elif stacked := re.fullmatch(r"(.*\.experts)\.(gate_up|down)", here):
            made |= {f"{stacked[1]}.{number}.{stacked[2]}.weight": of_one.T for number, of_one in enumerate(values)}
        else:
            made[here] = values
    made |= {name: torch.cat([by_order[number] for number in sorted(by_order)]) for name, by_order in parts.items()}
    # The layout of transformers has a shared expert of width zero.
    return {name: values for name, values in made.items() if ".shared_expert" not in name}


def load(folder: str, **lengths) -> CachedDecoder:
    """The decoder of a folder; `lengths` are batch, prompt and new.

    Raises NoCounterpart if there is none, and ValueError unless every tensor has its place and every parameter its tensor.
    """
    with open(os.path.join(folder, "isoflop.json"), encoding="utf-8") as file:
        manifest = json.load(file)["description"]
    options = options_of(manifest["model"], **lengths)
    decoder = CachedDecoder(options).eval()
    targets = dict(decoder.named_parameters()) | dict(decoder.named_buffers())
    parameters = {name for name, _ in decoder.named_parameters()}
    tensors = tensors_by_name_here(folder, options, manifest["layout"])
    if missing := parameters - set(tensors) or set(tensors) - set(targets):
        raise ValueError(f"{folder}: no counterpart of {sorted(missing)}")
    for name, values in tensors.items():
        targets[name].data.copy_(values.view_as(targets[name]))
    for number, layer in enumerate(manifest.get("layers", [])):
        for block in layer["before_attention"]:
            if constants := block.get("constants"):
                engram = decoder.ngrams.of_layer[str(number)]
                engram.multipliers.copy_(torch.tensor(constants["multipliers"]))
                if engram.primes.flatten().tolist() != constants["primes"]:
                    raise ValueError(f"{folder}: other numbers of rows than {constants['primes']}")
    return decoder
