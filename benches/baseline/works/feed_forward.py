"""The blocks of a decoder's layers: SwiGLU, and another block in its place or beside it in some or all of them."""

from argparse import Namespace

from torch import nn

from works.deepseek_moe import DeepseekMoe
from works.memory import Memory
from works.mixture_of_experts import MixtureOfExperts
from works.peer import Peer
from works.swiglu import SwiGlu
from works.ultra_mem import UltraMem

BLOCKS = ["dense", "moe", "deepseek_moe", "peer", "memory", "memory+", "ultra_mem"]


def layers(text: str) -> list[int]:
    return [int(layer) for layer in text.split(",")]


def add_options(parser, choices=BLOCKS):
    parser.add_argument("--block", choices=choices, default="dense")
    parser.add_argument("--placed", type=layers, help="layers with the block, from 0, separated by commas; default: all")
    parser.add_argument("--n-keys", type=int, default=256, help="half-keys; there are n_keys^2 slots")
    parser.add_argument("--key-heads", type=int, default=4)
    parser.add_argument("--top-k", type=int, default=32, help="slots that a head reads")
    parser.add_argument("--key-dim", type=int, help="of both half-keys, or of a half-key of ultra_mem; default: d_model / 2")
    parser.add_argument("--value-dim", type=int, help="of ultra_mem; default: d_model / 4")
    parser.add_argument("--pre-value-dim", type=int, help="of ultra_mem; default: d_model / 4")
    parser.add_argument("--rank", type=int, default=2, help="of ultra_mem")
    parser.add_argument("--cores", type=int, default=2, help="of ultra_mem")
    parser.add_argument("--experts", type=int, default=8, help="that are routed")
    parser.add_argument("--experts-per-token", type=int, default=1)
    parser.add_argument("--shared-experts", type=int, default=1, help="of deepseek_moe")
    parser.add_argument("--expert-d-ff", type=int, help="hidden width of an expert; default: d_ff")


class Beside(nn.Module):
    """The sum of two blocks of the same input."""

    def __init__(self, feed_forward, block):
        super().__init__()
        self.feed_forward, self.block = feed_forward, block

    def tables(self):
        return self.block.tables()

    def forward(self, x):
        return self.feed_forward(x) + self.block(x)


def blocks(options) -> list:
    """A module for each layer. All memories with a gate share one table."""
    d_model, d_ff = options.d_model, options.d_ff
    key_dim = options.key_dim or d_model // 2
    keys = Namespace(
        d_model=d_model,
        n_keys=options.n_keys,
        heads=options.key_heads,
        top_k=options.top_k,
        key_dim=key_dim,
        table_gradient=getattr(options, "table_gradient", "sparse"),
    )
    decomposed = Namespace(
        d_model=d_model,
        n_keys=options.n_keys,
        top_k=options.top_k,
        rank=options.rank,
        cores=options.cores,
        key_dim=key_dim,
        value_dim=options.value_dim or d_model // 4,
        pre_value_dim=options.pre_value_dim or d_model // 4,
    )
    experts = Namespace(
        d_model=d_model,
        d_ff=options.expert_d_ff or d_ff,
        experts=options.experts,
        top_k=options.experts_per_token,
        shared=options.shared_experts,
    )
    made, values = [], None
    for layer in range(options.layers):
        is_placed = options.placed is None or layer in options.placed
        # Other blocks, which read token ids, leave the feed-forward as it is.
        if not is_placed or options.block == "dense" or options.block not in BLOCKS:
            made.append(SwiGlu(d_model, d_ff))
        elif options.block == "moe":
            made.append(MixtureOfExperts(experts))
        elif options.block == "deepseek_moe":
            made.append(DeepseekMoe(experts))
        elif options.block == "peer":
            made.append(Peer(keys))
        elif options.block == "ultra_mem":
            made.append(Beside(SwiGlu(d_model, d_ff), UltraMem(decomposed)))
        else:
            made.append(Memory(keys, options.block == "memory+", values))
            if options.block == "memory+":
                values = made[-1].values
    return made


def tables(made) -> list:
    """The value tables of these blocks; a shared one once."""
    of_all = [table for block in made if hasattr(block, "tables") for table in block.tables()]
    return list({id(table): table for table in of_all}.values())
