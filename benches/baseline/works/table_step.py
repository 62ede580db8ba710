"""A table's training step: bag, gradient of its weights and of its rows, Adam on the rows that were read."""

import torch
import torch.nn.functional as F

from works import bag
from works.optimizers import TableOptimizer, add_table_option
from works.work import Work


def add_options(parser):
    bag.add_options(parser)
    add_table_option(parser)


def build(options) -> Work:
    table, ids, weights = bag.inputs(options)
    table = torch.nn.Parameter(table)
    weights.requires_grad_()
    output_gradient = torch.randn(options.tokens, options.width)
    sparse = options.table_gradient == "sparse"
    # The plain optimizer: it does not compute the gradient's norm, which our update does.
    optimizer = TableOptimizer([table], sparse, max_norm=None)

    def step():
        weights.grad = None
        optimizer.zero_grad()
        y = F.embedding_bag(ids, table, mode="sum", per_sample_weights=weights, sparse=sparse)
        y.backward(output_gradient)
        optimizer.step()

    return Work(step, table_parameters=table.numel())
