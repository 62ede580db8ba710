"""Product-key selection: the ids of the top_k best pairs of half-keys."""

import torch

from works import product_keys
from works.work import Work


def add_options(parser):
    product_keys.add_options(parser)
    parser.add_argument("--tokens", type=int, default=8192, help="each has heads * 2 rows of scores")
    parser.add_argument(
        "--sums",
        choices=["all", "sorted"],
        default="all",
        help="all: k*k sums of unsorted halves; sorted: only those sums of sorted halves that can win",
    )


def build(options) -> Work:
    scores = torch.randn(options.heads, 2, options.tokens, options.n_keys)
    select = product_keys.select
    chosen = options.top_k
    if options.sums == "sorted":
        select = product_keys.select_sorted
        chosen = product_keys.candidates(options.top_k)

    def ids(scores):
        first, second = select(scores, chosen)
        return first * options.n_keys + second

    if options.mode == "compile":
        ids = torch.compile(ids)

    @torch.inference_mode()
    def step():
        return ids(scores)

    step()
    return Work(step)
