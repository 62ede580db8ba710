"""A mixture's training step: token choice, none dropped, tokens sorted by expert."""

from torch import nn

from works import block
from works.experts import Experts
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
        self.experts = Experts(options.experts, options.d_model, options.d_ff)

    def forward(self, x):
        logits = self.router(x)
        probabilities = logits.softmax(-1)
        weights, experts = probabilities.topk(self.top_k)
        mixed, loads = self.experts.mix(x, weights, experts)
        if not self.training:
            return mixed, None
        return mixed, self.own_loss(logits, probabilities, loads / experts.numel())

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
