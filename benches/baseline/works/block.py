"""A training step of one block, between a layer's input and the gradient of its output."""

import torch

from works.optimizers import DenseOptimizer, TableOptimizer
from works.work import Work


def add_options(parser):
    parser.add_argument("--d-model", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8, help="sequences")
    parser.add_argument("--seq", type=int, default=256, help="tokens of a sequence")


def training_step(block, tables, options) -> Work:
    """Forward, backward into parameters, tables and input, and update.

    `block` maps `[tokens, d_model]` to its output and a loss of its own, or None.
    """
    shape = (options.batch * options.seq, options.d_model)
    x = torch.randn(shape, requires_grad=True)
    output_gradient = torch.randn(shape) / shape[0]
    dense = [p for p in block.parameters() if all(p is not table for table in tables)]
    optimizers = [DenseOptimizer(dense)]
    if tables:
        optimizers.append(TableOptimizer(tables, options.table_gradient == "sparse"))

    def step():
        x.grad = None
        for optimizer in optimizers:
            optimizer.zero_grad()
        y, loss = block(x)
        if loss is None:
            y.backward(output_gradient)
        else:
            torch.autograd.backward([y, loss], [output_gradient, None])
        for optimizer in optimizers:
            optimizer.step()

    step()
    return Work(step, sum(p.numel() for p in dense), sum(table.numel() for table in tables))
