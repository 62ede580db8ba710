"""UltraMemV2, forward: scores by a Tucker decomposition, values weighted by scores and pre-values."""

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-5


class UltraMem(nn.Module):
    """One head, without biases; as many candidates of each side as slots of a token."""

    def __init__(self, options):
        super().__init__()
        d_model, n_keys, rank, cores = options.d_model, options.n_keys, options.rank, options.cores
        self.n_keys, self.top_k, self.rank = n_keys, options.top_k, rank
        self.key_dim = key_dim = options.key_dim
        self.query = nn.Linear(d_model, 2 * rank * key_dim, bias=False)
        self.keys = nn.Parameter(torch.randn(2 * rank, n_keys, key_dim) * key_dim**-0.5)
        self.query_gain = nn.Parameter(torch.full((key_dim,), key_dim**-0.4))
        self.key_gain = nn.Parameter(torch.full((key_dim,), key_dim**-0.4))
        self.cores = nn.Parameter(torch.rand(cores, rank, rank))
        self.pre_value_query = nn.Linear(d_model, options.pre_value_dim, bias=False)
        self.output = nn.Linear(options.value_dim, d_model, bias=False)
        self.pre_values = nn.Parameter(torch.randn(n_keys**2, options.pre_value_dim) * 0.02)
        self.values = nn.ParameterList(torch.randn(n_keys**2, options.value_dim // cores) * 0.02 for _ in range(cores))
        left, _, right = torch.linalg.svd(self.cores.detach().sum(0))
        # Leading singular vectors of the sum of the cores, `[2, rank]`; their product is positive.
        vectors = torch.stack([left[:, 0], right[0]])
        self.register_buffer("vectors", vectors * vectors.sum(1, keepdim=True).sign())
        self.normed_keys = None

    def tables(self):
        return [self.pre_values, *self.values]

    def constant_keys(self):
        """Normalised keys `[2 rank, key_dim, n_keys]`; weights are constant when nothing is trained."""
        if self.training:
            return self.normed(self.keys, self.key_gain).transpose(1, 2)
        if self.normed_keys is None:
            self.normed_keys = self.normed(self.keys, self.key_gain).transpose(1, 2).contiguous()
        return self.normed_keys

    def normed(self, x, gain):
        return F.rms_norm(x, (self.key_dim,), gain, EPSILON)

    def select(self, x):
        """Slots `[tokens, top_k]` of `x [tokens, d_model]`, and their scores `[cores, tokens, top_k]`."""
        tokens, count = len(x), self.top_k
        queries = self.normed(self.query(x).view(tokens, 2 * self.rank, -1), self.query_gain).transpose(0, 1)
        scores = torch.bmm(queries, self.constant_keys()).view(2, self.rank, tokens, self.n_keys)
        # Which keys and pairs win is not differentiated.
        with torch.no_grad():
            approximate = (scores * self.vectors[:, :, None, None]).sum(1)
            best = approximate.topk(count, sorted=False).indices
        exact = scores.gather(-1, best.unsqueeze(1).expand(-1, self.rank, -1, -1))
        # [cores, tokens, count, rank] by [tokens, rank, count]
        left = torch.matmul(exact[0].permute(1, 2, 0), self.cores.unsqueeze(1))
        pairs = torch.matmul(left, exact[1].transpose(0, 1)).flatten(2)
        with torch.no_grad():
            chosen = pairs.sum(0).topk(count, sorted=False).indices
            slots = best[0].gather(1, chosen // count) * self.n_keys + best[1].gather(1, chosen % count)
        return slots, pairs.gather(2, chosen.expand(len(pairs), -1, -1))

    def forward(self, x):
        slots, scores = self.select(x)
        pre_values = F.embedding(slots, self.pre_values)
        activated = torch.bmm(pre_values, self.pre_value_query(x).unsqueeze(2)).squeeze(2)
        parts = [
            F.embedding_bag(slots, values, mode="sum", per_sample_weights=weights)
            for values, weights in zip(self.values, scores * activated)
        ]
        return self.output(torch.cat(parts, 1))
