"""Product keys: which of n_keys^2 slots a token reads, and with what weight."""

import torch
from torch import nn


def add_options(parser):
    parser.add_argument("--n-keys", type=int, default=512, help="half-keys; there are n_keys^2 slots")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--top-k", type=int, default=32, help="slots that a head reads")


def select(scores, k: int):
    """The k best pairs `[heads, tokens, k]` of half-key scores `[heads, 2, tokens, n]`, as both halves' places.

    k best of each half, their k*k sums, k best of those. Nothing needs an order, so nothing is sorted.
    """
    best, places = scores.topk(k, sorted=False)
    sums = (best[:, 0].unsqueeze(-1) + best[:, 1].unsqueeze(-2)).flatten(-2)
    chosen = sums.topk(k, sorted=False).indices
    first = places[:, 0].gather(-1, chosen // k)
    second = places[:, 1].gather(-1, chosen % k)
    return first, second


def candidates(k: int):
    """Pairs of ranks that can win: a pair of ranks (a, b), from 0, has (a+1)(b+1) - 1 pairs at least as good."""
    pairs = [(a, b) for a in range(k) for b in range(k // (a + 1))]
    return tuple(torch.tensor(ranks) for ranks in zip(*pairs))


def select_sorted(scores, ranks):
    """As `select`, by fewer sums over sorted halves; `ranks` are the `candidates`."""
    a, b = ranks
    k = int(a.max()) + 1
    best, places = scores.topk(k)
    sums = best[:, 0].index_select(-1, a) + best[:, 1].index_select(-1, b)
    chosen = sums.topk(k, sorted=False).indices
    return places[:, 0].gather(-1, a[chosen]), places[:, 1].gather(-1, b[chosen])


class ProductKeys(nn.Module):
    """Queries with bias, half-keys of each head's own, softmax over each head's slots."""

    def __init__(self, d_model: int, n_keys: int, heads: int, top_k: int):
        super().__init__()
        key_dim = d_model // 2
        self.n_keys, self.heads, self.top_k = n_keys, heads, top_k
        self.query = nn.Linear(d_model, heads * key_dim)
        nn.init.xavier_uniform_(self.query.weight)
        nn.init.zeros_(self.query.bias)
        self.keys = nn.Parameter(torch.empty(heads * 2, n_keys, key_dim // 2).uniform_(-1, 1) * key_dim**-0.5)

    def forward(self, x):
        """Slots and weights, `[tokens, heads * top_k]` each, of `x [tokens, d_model]`."""
        tokens = x.shape[0]
        queries = self.query(x).view(tokens, self.heads * 2, -1).transpose(0, 1)
        scores = torch.bmm(queries, self.keys.transpose(1, 2)).view(self.heads, 2, tokens, self.n_keys)
        # Selected outside autograd: differentiating through both `topk` would also write gradients of all k*k sums.
        with torch.no_grad():
            first, second = select(scores, self.top_k)
            slots = (first * self.n_keys + second).transpose(0, 1).reshape(tokens, -1)
        chosen = scores[:, 0].gather(-1, first) + scores[:, 1].gather(-1, second)
        weights = chosen.softmax(-1).transpose(0, 1).reshape(tokens, -1)
        return slots, weights
