"""A PEER block's training step: product keys, one dot product and one sum over table rows."""

import torch
import torch.nn.functional as F
from torch import nn

from works import block, product_keys
from works.optimizers import add_table_option
from works.product_keys import ProductKeys
from works.work import Work


def add_options(parser):
    block.add_options(parser)
    product_keys.add_options(parser)
    add_table_option(parser)


class Peer(nn.Module):
    def __init__(self, options):
        super().__init__()
        d_model = options.d_model
        self.keys = ProductKeys(options)
        self.down = nn.Parameter(torch.randn(options.n_keys**2, d_model) * d_model**-0.5)
        self.up = nn.Parameter(torch.randn(options.n_keys**2, d_model) * d_model**-0.5)
        self.sparse = options.table_gradient == "sparse"

    def tables(self):
        return [self.down, self.up]

    def forward(self, x):
        slots, weights = self.keys(x)
        # No operation of PyTorch takes dot products with rows of a table in place: they are gathered first.
        rows = F.embedding(slots, self.down, sparse=self.sparse)
        activated = F.gelu(torch.bmm(rows, x.unsqueeze(2)).squeeze(2))
        mixed = activated * weights
        return F.embedding_bag(slots, self.up, mode="sum", per_sample_weights=mixed, sparse=self.sparse), None


def build(options) -> Work:
    peer = Peer(options)
    if options.mode == "compile":
        peer.keys = torch.compile(peer.keys)
    return block.training_step(peer, [peer.down, peer.up], options)
