"""A mixture's training step: token choice, none dropped, tokens sorted by expert."""

import torch
import torch.nn.functional as F
from torch import nn

from works import block
from works.swiglu import SwiGlu
from works.work import Work

BALANCE_LOSS = 1e-2
Z_LOSS = 1e-3


def add_options(parser):
    block.add_options(parser)
    parser.add_argument("--d-ff", type=int, default=768, help="hidden width of an expert")
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--top-k", type=int, default=1, help="experts of a token")


class MixtureOfExperts(nn.Module):
    """Weights are the router's probabilities, not rescaled; balance and z losses as in training."""

    def __init__(self, options):
        super().__init__()
        self.top_k = options.top_k
        self.router = nn.Linear(options.d_model, options.experts, bias=False)
        nn.init.trunc_normal_(self.router.weight, std=options.d_model**-0.5)
        # One parameter per expert: each slice of a stacked one would get a gradient of the whole size.
        self.experts = nn.ModuleList(SwiGlu(options.d_model, options.d_ff) for _ in range(options.experts))

    def forward(self, x):
        tokens, d_model = x.shape
        logits = self.router(x)
        probabilities = logits.softmax(-1)
        weights, experts = probabilities.topk(self.top_k)
        order = experts.flatten().argsort(stable=True)
        loads = experts.flatten().bincount(minlength=len(self.experts))
        sorted_x = x.index_select(0, order if self.top_k == 1 else order // self.top_k)
        slices = sorted_x.split(loads.tolist())
        outputs = [expert(part) for expert, part in zip(self.experts, slices) if len(part)]
        inverse = torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))
        visited = torch.cat(outputs).index_select(0, inverse).view(tokens, self.top_k, d_model)
        mixed = torch.bmm(weights.unsqueeze(1), visited).squeeze(1)
        if not self.training:
            return mixed, None
        return mixed, self.own_loss(logits, probabilities, loads / len(order))

    def own_loss(self, logits, probabilities, shares):
        balance = (shares * probabilities.mean(0)).sum() * len(self.experts)
        z = logits.logsumexp(-1).square().mean()
        return BALANCE_LOSS * balance + Z_LOSS * z


def build(options) -> Work:
    mixture = MixtureOfExperts(options)
    if options.mode == "compile":
        # The experts alone: graphs end where sizes depend on the routing.
        for expert in mixture.experts:
            expert.compile(dynamic=True)
    return block.training_step(mixture, [], options)
