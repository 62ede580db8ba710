"""Product keys: which of n_keys^2 slots a token reads, and with what weight."""

import torch
from torch import nn


def add_options(parser):
    parser.add_argument("--n-keys", type=int, default=512, help="half-keys; there are n_keys^2 slots")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--top-k", type=int, default=32, help="slots that a head reads")


def best_pairs(best, k: int):
    """Ranks in both halves, `[heads, tokens, k]` each, of the k best sums of `best [heads, 2, tokens, k]`.

    Nothing that follows needs an order, so nothing is sorted.
    """
    sums = (best[:, 0].unsqueeze(-1) + best[:, 1].unsqueeze(-2)).flatten(-2)
    chosen = sums.topk(k, sorted=False).indices
    return chosen // k, chosen % k


def pair_ids(positions, first, second, n: int):
    """Ids of the pairs that have these ranks among the `positions` of the halves' best."""
    return positions[:, 0].gather(-1, first) * n + positions[:, 1].gather(-1, second)


def candidate_ranks(k: int):
    """Pairs of ranks whose sum can be among the k best: (a, b), from 0, has (a+1)(b+1) - 1 pairs at least as good."""
    pairs = [(a, b) for a in range(k) for b in range(k // (a + 1))]
    return tuple(torch.tensor(ranks) for ranks in zip(*pairs))


class ProductKeys(nn.Module):
    """Queries with bias, half-keys of each head's own, softmax over each head's slots."""

    def __init__(self, options):
        super().__init__()
        d_model, n_keys, heads = options.d_model, options.n_keys, options.heads
        key_dim = getattr(options, "key_dim", None) or d_model // 2
        self.n_keys, self.heads, self.top_k = n_keys, heads, options.top_k
        self.query = nn.Linear(d_model, heads * key_dim)
        nn.init.xavier_uniform_(self.query.weight)
        nn.init.zeros_(self.query.bias)
        self.keys = nn.Parameter(torch.empty(heads * 2, n_keys, key_dim // 2).uniform_(-1, 1) * key_dim**-0.5)

    def forward(self, x):
        """Slots and weights, `[tokens, heads * top_k]` each, of `x [tokens, d_model]`."""
        tokens = x.shape[0]
        queries = self.query(x).view(tokens, self.heads * 2, -1).transpose(0, 1)
        scores = torch.bmm(queries, self.keys.transpose(1, 2)).view(self.heads, 2, tokens, self.n_keys)
        best, positions = scores.topk(self.top_k, sorted=False)
        # Which pairs win is not differentiated: no gradient of all k*k sums is written.
        with torch.no_grad():
            first, second = best_pairs(best, self.top_k)
            slots = pair_ids(positions, first, second, self.n_keys).transpose(0, 1).reshape(tokens, -1)
        chosen = best[:, 0].gather(-1, first) + best[:, 1].gather(-1, second)
        weights = chosen.softmax(-1).transpose(0, 1).reshape(tokens, -1)
        return slots, weights
