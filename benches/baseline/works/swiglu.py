"""The dense feed-forward, also one expert of a mixture."""

import torch.nn.functional as F
from torch import nn


class SwiGlu(nn.Module):
    """Gate and input side by side: one product instead of two."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.gate_up = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)
        nn.init.trunc_normal_(self.gate_up.weight, std=d_model**-0.5)
        nn.init.trunc_normal_(self.down.weight, std=d_ff**-0.5)

    def forward(self, x):
        gate, up = self.gate_up(x).chunk(2, -1)
        return self.down(F.silu(gate) * up)
