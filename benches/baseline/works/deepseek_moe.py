"""DeepSeekMoE, forward: shared experts, and routed ones that a bias selects and affinities weight."""

import torch
from torch import nn

from works.experts import Experts
from works.swiglu import SwiGlu


class DeepseekMoe(nn.Module):
    """Weights of a token's experts are normalised."""

    def __init__(self, options):
        super().__init__()
        d_model, d_ff = options.d_model, options.d_ff
        self.top_k = options.top_k
        self.router = nn.Linear(d_model, options.experts, bias=False)
        nn.init.trunc_normal_(self.router.weight, std=d_model**-0.5)
        self.experts = Experts(options.experts, d_model, d_ff)
        self.shared = SwiGlu(d_model, options.shared * d_ff)
        # Of the selection alone; balancing changes it, not a gradient.
        self.register_buffer("bias", torch.zeros(options.experts))

    def forward(self, x):
        affinities = self.router(x).sigmoid()
        chosen = (affinities + self.bias).topk(self.top_k, sorted=False).indices
        weights = affinities.gather(1, chosen)
        routed, _ = self.experts.mix(x, weights / weights.sum(-1, keepdim=True), chosen)
        return self.shared(x) + routed
