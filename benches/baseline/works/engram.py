"""Engram, forward: rows of hashed n-grams, gated by the residual stream, and a causal convolution, before attention."""

import math

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-5


def primes_from(start: int, count: int) -> list[int]:
    """The first `count` primes from `start`."""
    primes, candidate = [], max(start, 2)
    while len(primes) < count:
        if all(candidate % divisor for divisor in range(2, math.isqrt(candidate) + 1)):
            primes.append(candidate)
        candidate += 1
    return primes


class Engram(nn.Module):
    """The n-grams of one layer; its table has the rows of all heads, a prime number for each."""

    def __init__(self, options, batch: int, seq: int):
        super().__init__()
        d_model, orders, heads = options.d_model, options.max_order - 1, options.heads
        primes = torch.tensor(primes_from(options.rows, orders * heads))
        self.dilation = options.max_order
        self.d_model = d_model
        self.register_buffer("primes", primes.view(orders, heads))
        self.register_buffer("offsets", (primes.cumsum(0) - primes).view(orders, heads))
        self.register_buffer("multipliers", torch.randint(1 << 31, (options.max_order,)) * 2 + 1)
        width = orders * heads * options.head_dim
        self.table = nn.Parameter(torch.randn(int(primes.sum()), options.head_dim) * 0.02)
        self.key, self.value = nn.Linear(width, d_model), nn.Linear(width, d_model)
        self.hidden_norm = nn.RMSNorm(d_model, eps=EPSILON)
        self.key_norm = nn.RMSNorm(d_model, eps=EPSILON)
        self.convolution_norm = nn.RMSNorm(d_model, eps=EPSILON)
        # [kernel, d_model], the last for the present token.
        self.taps = nn.Parameter(torch.zeros(options.kernel, d_model))
        self.past = (options.kernel - 1) * self.dilation
        # What the convolution reads of the tokens before: zeros before the start.
        self.register_buffer("convolved", torch.zeros(batch, self.past + seq, d_model))

    def addresses(self, tokens):
        """Rows `[batch, new, orders * heads]` of the last `new` tokens of `tokens [batch, max_order - 1 + new]`."""
        orders = len(self.primes)
        new = tokens.shape[1] - orders
        mix, rows = tokens[:, orders:] * self.multipliers[0], []
        for back in range(1, orders + 1):
            mix = mix ^ (tokens[:, orders - back : orders - back + new] * self.multipliers[back])
            rows.append(mix.unsqueeze(-1) % self.primes[back - 1] + self.offsets[back - 1])
        return torch.cat(rows, -1)

    def look_up(self, tokens):
        return F.embedding(self.addresses(tokens), self.table).flatten(-2)

    def forward(self, x, read, cache):
        key, value = self.key(read), self.value(read)
        score = (self.hidden_norm(x) * self.key_norm(key)).sum(-1, keepdim=True) / math.sqrt(self.d_model)
        score = score.sign() * score.abs().clamp_min(1e-6).sqrt()
        gated = score.sigmoid() * value
        window = cache.window(self.convolved, self.convolution_norm(gated), self.past)
        # [batch, new, d_model, kernel]
        terms = window.unfold(1, self.past + 1, 1)[..., :: self.dilation] * self.taps.T
        return x + F.silu(terms.sum(-1)) + gated


class Engrams(nn.Module):
    """The n-grams of some layers, which read the residual stream before attention."""

    # Id of the tokens before the start.
    padding = 0

    def __init__(self, options, layers: list[int], batch: int, seq: int):
        super().__init__()
        self.reach = options.max_order - 1
        self.of_layer = nn.ModuleDict({str(number): Engram(options, batch, seq) for number in layers})

    def tables(self):
        return [engram.table for engram in self.of_layer.values()]

    def look_up(self, tokens):
        return {number: engram.look_up(tokens) for number, engram in self.of_layer.items()}

    def forward(self, number: int, x, read, cache):
        """The residual stream `x` of layer `number` with what that layer adds, if it has n-grams."""
        number = str(number)
        return self.of_layer[number](x, read[number], cache) if number in self.of_layer else x
