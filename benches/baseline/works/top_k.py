"""Product-key selection: the ids of the top_k best pairs of half-keys."""

import functools

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
        help="all: k*k sums of unsorted halves; sorted: only those sums of sorted halves that can be among the best",
    )


def all_sums(scores, k: int):
    best, positions = scores.topk(k, sorted=False)
    first, second = product_keys.best_pairs(best, k)
    return product_keys.pair_ids(positions, first, second, scores.shape[-1])


def candidate_sums(scores, k: int, ranks):
    a, b = ranks
    best, positions = scores.topk(k)
    sums = best[:, 0].index_select(-1, a) + best[:, 1].index_select(-1, b)
    chosen = sums.topk(k, sorted=False).indices
    return product_keys.pair_ids(positions, a[chosen], b[chosen], scores.shape[-1])


def build(options) -> Work:
    scores = torch.randn(options.heads, 2, options.tokens, options.n_keys)
    ranks = product_keys.candidate_ranks(options.top_k)
    ids = all_sums
    if options.sums == "sorted":
        ids = functools.partial(candidate_sums, ranks=ranks)
    if options.mode == "compile":
        ids = torch.compile(ids)

    @torch.inference_mode()
    def step():
        return ids(scores, options.top_k)

    step()
    return Work(step)
