"""Hashed bigrams, forward: rows of one table, by each token and the one before, added before attention."""

import torch
import torch.nn.functional as F
from torch import nn


class HashedBigrams(nn.Module):
    """The bigrams of all layers, which share the rows that a token reads and have a gate each."""

    # Tokens before the present one that an address depends on, and the id of those before the start.
    reach, padding = 1, -1

    def __init__(self, d_model: int, layers: int, rows: int):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(rows, d_model))
        self.gates = nn.ParameterList(torch.full((1,), 0.1) for _ in range(layers))

    def tables(self):
        return [self.table]

    def addresses(self, tokens):
        """Rows `[batch, new]` of the last `new` tokens of `tokens [batch, 1 + new]`; products wrap at 32 bits."""
        before, present = tokens[:, :-1].int(), tokens[:, 1:].int()
        last = len(self.table) - 1
        rows = ((36_313 * present) ^ (27_191 * before)) % last
        return torch.where(before < 0, last, rows)

    def look_up(self, tokens):
        return F.embedding(self.addresses(tokens), self.table)

    def forward(self, number: int, x, read, cache):
        """The residual stream `x` of layer `number` with the rows that `look_up` read."""
        return torch.addcmul(x, self.gates[number], read)
