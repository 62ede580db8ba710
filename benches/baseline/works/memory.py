"""A Memory+ block's training step: product keys, bag, gate, output; the module is a memory without gate as well."""

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


class Memory(nn.Module):
    """Memory+, or a memory without gate and output; `values` is the table of another layer, if they share one."""

    def __init__(self, options, gated=True, values=None):
        super().__init__()
        d_model = options.d_model
        self.keys = ProductKeys(options)
        if values is None:
            values = nn.Parameter(torch.randn(options.n_keys**2, d_model) * d_model**-0.5)
        self.values = values
        self.gate = nn.Linear(d_model, d_model) if gated else None
        self.output = nn.Linear(d_model, d_model) if gated else None
        self.sparse = options.table_gradient == "sparse"

    def tables(self):
        return [self.values]

    def forward(self, x):
        slots, weights = self.keys(x)
        y = F.embedding_bag(slots, self.values, mode="sum", per_sample_weights=weights, sparse=self.sparse)
        if self.gate is None:
            return y, None
        return self.output(y * F.silu(self.gate(x))), None


def build(options) -> Work:
    memory = Memory(options)
    if options.mode == "compile":
        # The lookup stays outside: a compiled graph has no sparse gradients.
        memory.keys = torch.compile(memory.keys)
    return block.training_step(memory, [memory.values], options)
