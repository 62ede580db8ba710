"""SwiGLU experts of a mixture, each applied to the tokens that are routed to it."""

import torch
import torch.nn.functional as F
from torch import nn

from works.swiglu import SwiGlu

# Assignments of an expert, on average, up to which all experts run as one batched product when nothing is trained.
FEW = 32


class Experts(nn.ModuleList):
    """One module of parameters per expert: each slice of a stacked parameter would get a gradient of the whole size."""

    def __init__(self, number: int, d_model: int, d_ff: int):
        super().__init__(SwiGlu(d_model, d_ff) for _ in range(number))
        self.stacked = None

    def mix(self, x, weights, chosen):
        """The sum of each token's experts `chosen [tokens, top_k]` by `weights`, and the number of assignments of every expert.

        `x [tokens, d_model]`; no assignment is dropped.
        """
        loads = chosen.flatten().bincount(minlength=len(self))
        few = not self.training and chosen.numel() <= FEW * len(self)
        outputs = (self.in_one_product if few else self.one_by_one)(x, chosen, loads)
        return torch.bmm(weights.unsqueeze(1), outputs).squeeze(1), loads

    def one_by_one(self, x, chosen, loads):
        """Outputs `[tokens, top_k, d_model]`: every expert on its slice of one sorted copy of the tokens."""
        order = chosen.flatten().argsort(stable=True)
        slices = self.sorted_tokens(x, chosen, order).split(loads.tolist())
        outputs = [expert(part) for expert, part in zip(self, slices) if len(part)]
        inverse = torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))
        return torch.cat(outputs).index_select(0, inverse).view(*chosen.shape, -1)

    def in_one_product(self, x, chosen, loads):
        """The same with as many rows for every expert as the one with the most tokens has."""
        flat = chosen.flatten()
        order, most = flat.argsort(), int(loads.max())
        sorted_experts, starts = flat.index_select(0, order), loads.cumsum(0) - loads
        within = torch.arange(len(order)) - starts.index_select(0, sorted_experts)
        places = sorted_experts * most + within
        padded = x.new_zeros(len(self) * most, x.shape[1])
        padded.index_copy_(0, places, self.sorted_tokens(x, chosen, order))
        gate_up, down = self.stacked_weights()
        gate, up = torch.bmm(padded.view(len(self), most, -1), gate_up).chunk(2, -1)
        outputs = torch.bmm(F.silu(gate) * up, down).flatten(0, 1)
        inverse = torch.empty_like(order).scatter_(0, order, places)
        return outputs.index_select(0, inverse).view(*chosen.shape, -1)

    @staticmethod
    def sorted_tokens(x, chosen, order):
        top_k = chosen.shape[1]
        return x.index_select(0, order if top_k == 1 else order // top_k)

    def stacked_weights(self):
        """Both matrices of all experts, `[experts, inputs, outputs]`; weights are constant when nothing is trained."""
        if self.stacked is None:
            matrices = [(expert.gate_up.weight.T, expert.down.weight.T) for expert in self]
            self.stacked = tuple(torch.stack(of_all) for of_all in zip(*matrices))
        return self.stacked
