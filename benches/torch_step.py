"""Seconds of a training step in PyTorch, for the ratio to the last lines of `device_benchmark`.

    python benches/torch_step.py --device cuda --peak 495              # f32 (tf32 products), eager and compiled
    python benches/torch_step.py --device cuda --peak 989 --bf16       # products in bf16 by autocast, f32 weights
    python benches/torch_step.py --device cpu --small                  # whether it runs

The decoders are those of `architectures/examples/device_benchmark.rs`: 134m of sweeps/paper.toml, dense and Memory+, on
sequences of 2048 tokens. Attention is `scaled_dot_product_attention`, which is FlashAttention for bf16 on a GPU. The step is
forward, backward, clipping by the global norm and AdamW (fused on a GPU); the value table has sparse gradients and
`SparseAdam`, whose update reads no rows but those looked up. The loss is read once a step. Needs torch 2.1 or newer, nothing else.
"""

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn

FULL = {
    "batch": 8, "seq": 2048, "vocab": 32_000, "d_model": 768, "d_ff": 2048, "layers": 12, "heads": 12,
    "n_keys": 1024, "key_heads": 4, "top_k": 32, "stride": 4,
}
SMALL = {
    "batch": 2, "seq": 64, "vocab": 256, "d_model": 64, "d_ff": 160, "layers": 4, "heads": 2,
    "n_keys": 32, "key_heads": 4, "top_k": 8, "stride": 1,
}


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x.float(), self.gain.shape, self.gain, 1e-5)


class Attention(nn.Module):
    def __init__(self, d_model, heads, seq):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)
        half = d_model // heads // 2
        frequency = 10_000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(seq, dtype=torch.float64)[:, None] * frequency
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)

    def rotate(self, x):
        low, high = x.float().chunk(2, dim=-1)
        rotated = torch.cat([low * self.cos - high * self.sin, high * self.cos + low * self.sin], dim=-1)
        return rotated.to(x.dtype)

    def forward(self, x):
        batch, seq, d_model = x.shape
        qkv = self.qkv(x).view(batch, seq, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = self.rotate(qkv[0]), self.rotate(qkv[1]), qkv[2]
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(batch, seq, d_model))


class SwiGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_up = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Memory(nn.Module):
    """Memory+ of Berges et al. 2024: product keys, a value table shared by all memory layers, and a gate."""

    def __init__(self, sizes, values):
        super().__init__()
        d_model, heads, n_keys = sizes["d_model"], sizes["key_heads"], sizes["n_keys"]
        half = d_model // 4
        self.heads, self.top_k, self.n_keys = heads, sizes["top_k"], n_keys
        self.query = nn.Linear(d_model, heads * 2 * half)
        self.keys = nn.Parameter(torch.empty(heads, 2, n_keys, half).uniform_(-1, 1) * (2 * half) ** -0.5)
        self.values = [values]  # Shared: not a submodule of each layer.
        self.gate = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(self, x):
        batch, seq, d_model = x.shape
        tokens = x.reshape(batch * seq, d_model)
        query = self.query(tokens).view(batch * seq, self.heads, 2, -1)
        scores = torch.einsum("thsd,hskd->thsk", query, self.keys.to(query.dtype)).float()
        best, ids = scores.topk(self.top_k, dim=-1)
        pairs = (best[:, :, 0, :, None] + best[:, :, 1, None, :]).flatten(2)
        chosen, place = pairs.topk(self.top_k, dim=-1)
        first = ids[:, :, 0].gather(-1, place // self.top_k)
        second = ids[:, :, 1].gather(-1, place % self.top_k)
        slots, weights = first * self.n_keys + second, chosen.softmax(dim=-1)
        read = F.embedding_bag(
            slots.flatten(1), self.values[0], mode="sum", per_sample_weights=weights.flatten(1), sparse=True
        )
        return self.output(read * F.silu(self.gate(tokens))).view(batch, seq, d_model)


class Layer(nn.Module):
    def __init__(self, sizes, feed_forward):
        super().__init__()
        self.norms = nn.ModuleList([RMSNorm(sizes["d_model"]) for _ in range(2)])
        self.attention = Attention(sizes["d_model"], sizes["heads"], sizes["seq"])
        self.feed_forward = feed_forward

    def forward(self, x):
        x = x + self.attention(self.norms[0](x))
        return x + self.feed_forward(self.norms[1](x))


class Decoder(nn.Module):
    def __init__(self, sizes, memory):
        super().__init__()
        d_model, layers = sizes["d_model"], sizes["layers"]
        self.embedding = nn.Embedding(sizes["vocab"], d_model)
        self.table = nn.Parameter(torch.randn(sizes["n_keys"] ** 2, d_model) * d_model**-0.5) if memory else None
        middle, stride = layers // 2, sizes["stride"]
        placed = [middle - stride, middle, middle + stride] if memory else []

        def feed_forward(layer):
            return Memory(sizes, self.table) if layer in placed else SwiGLU(d_model, sizes["d_ff"])

        self.layers = nn.ModuleList([Layer(sizes, feed_forward(layer)) for layer in range(layers)])
        self.norm = RMSNorm(d_model)
        self.head = nn.Linear(d_model, sizes["vocab"], bias=False)

    def forward(self, tokens, targets):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def flops_per_token(sizes, memory):
    """Forward once and backward twice: matrix products, attention over the keys before a query, and the scores of product keys."""
    d_model, layers = sizes["d_model"], sizes["layers"]
    feed_forward = 3 * d_model * sizes["d_ff"]
    key_dim = d_model // 2
    memory_layer = 2 * d_model**2 + sizes["key_heads"] * key_dim * (d_model + sizes["n_keys"])
    memories = 3 if memory else 0
    products = layers * 4 * d_model**2 + (layers - memories) * feed_forward + memories * memory_layer
    products += d_model * sizes["vocab"]
    attention = layers * 2 * d_model * (sizes["seq"] + 1) / 2
    return 3 * 2 * (products + attention)


def measure(sizes, memory, compiled, arguments):
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    decoder = Decoder(sizes, memory).to(device)
    if memory:  # `to` replaced the parameter.
        for layer in decoder.layers:
            if isinstance(layer.feed_forward, Memory):
                layer.feed_forward.values = [decoder.table]
    dense = [p for p in decoder.parameters() if p is not decoder.table]
    fused = {"fused": True} if device.type == "cuda" else {}
    optimizers = [torch.optim.AdamW(dense, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, **fused)]
    if memory:
        optimizers.append(torch.optim.SparseAdam([decoder.table], lr=1e-3, betas=(0.9, 0.95)))
    forward = torch.compile(decoder) if compiled else decoder
    shape = (sizes["batch"], sizes["seq"] + 1)
    tokens = torch.randint(sizes["vocab"], shape, device=device)

    def step():
        with torch.autocast(device.type, torch.bfloat16, enabled=arguments.bf16):
            loss = forward(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(dense, 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()

    best = float("inf")
    for run in range(arguments.steps + 2):
        start = time.perf_counter()
        loss = step()
        if run >= 2:  # The first two compile and allocate.
            best = min(best, time.perf_counter() - start)
    count = sizes["batch"] * sizes["seq"]
    rate = count / best
    flops = rate * flops_per_token(sizes, memory)
    share = f", {100 * flops / (arguments.peak * 1e12):.1f} % MFU of {arguments.peak:.0f} TFLOP/s" if arguments.peak else ""
    name = f"{'Memory+' if memory else 'dense'}, torch {torch.__version__} {'compiled' if compiled else 'eager'}"
    products = "bf16" if arguments.bf16 else "f32"
    print(
        f"{name}: a step of {sizes['batch']} x {sizes['seq']} tokens in {products} takes {best * 1e3:.1f} ms,"
        f" {rate:.0f} tokens/s, {flops / 1e12:.2f} TFLOP/s{share}; loss {loss:.3f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--peak", type=float, help="the device's rate in TFLOP/s, from its datasheet; for MFU")
    parser.add_argument("--bf16", action="store_true", help="products in bf16")
    parser.add_argument("--small", action="store_true", help="sizes for a check on a CPU")
    parser.add_argument("--steps", type=int, default=10, help="timed steps; the fastest counts")
    parser.add_argument("--eager-only", action="store_true", help="without torch.compile")
    arguments = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    sizes = SMALL if arguments.small else FULL
    for memory in [False, True]:
        for compiled in [False] if arguments.eager_only else [False, True]:
            measure(sizes, memory, compiled, arguments)


if __name__ == "__main__":
    main()
