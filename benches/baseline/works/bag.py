"""Weighted sums of table rows, forward only: F.embedding_bag."""

import torch
import torch.nn.functional as F

from works.work import Work


def add_options(parser):
    parser.add_argument("--rows", type=int, default=1 << 18, help="rows of the table")
    parser.add_argument("--width", type=int, default=256, help="width of a row")
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--per-token", type=int, default=128, help="rows that a token reads")


def inputs(options):
    """A table, and uniform ids and weights `[tokens, per_token]`."""
    table = torch.randn(options.rows, options.width)
    shape = (options.tokens, options.per_token)
    return table, torch.randint(options.rows, shape), torch.randn(shape)


def build(options) -> Work:
    table, ids, weights = inputs(options)

    @torch.inference_mode()
    def step():
        return F.embedding_bag(ids, table, mode="sum", per_sample_weights=weights)

    return Work(step)
