"""The blocks of a decoder's layers: SwiGLU, and another block in some or all of them."""

from argparse import Namespace

from works.memory import Memory
from works.mixture_of_experts import MixtureOfExperts
from works.peer import Peer
from works.swiglu import SwiGlu

BLOCKS = ["dense", "moe", "peer", "memory", "memory+"]


def layers(text: str) -> list[int]:
    return [int(layer) for layer in text.split(",")]


def add_options(parser, choices=BLOCKS):
    parser.add_argument("--block", choices=choices, default="dense")
    parser.add_argument("--placed", type=layers, help="layers with the block, from 0, separated by commas; default: all")
    parser.add_argument("--n-keys", type=int, default=256, help="half-keys; there are n_keys^2 slots")
    parser.add_argument("--key-heads", type=int, default=4)
    parser.add_argument("--top-k", type=int, default=32, help="slots that a head reads")
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--experts-per-token", type=int, default=1)


def blocks(options) -> list:
    """A module for each layer. All memories with a gate share one table."""
    d_model, d_ff = options.d_model, options.d_ff
    keys = Namespace(
        d_model=d_model,
        n_keys=options.n_keys,
        heads=options.key_heads,
        top_k=options.top_k,
        table_gradient=getattr(options, "table_gradient", "sparse"),
    )
    experts = Namespace(d_model=d_model, d_ff=d_ff, experts=options.experts, top_k=options.experts_per_token)
    made, values = [], None
    for layer in range(options.layers):
        if options.placed is not None and layer not in options.placed or options.block == "dense":
            made.append(SwiGlu(d_model, d_ff))
        elif options.block == "moe":
            made.append(MixtureOfExperts(experts))
        elif options.block == "peer":
            made.append(Peer(keys))
        else:
            made.append(Memory(keys, options.block == "memory+", values))
            if options.block == "memory+":
                values = made[-1].values
    return made


def tables(made) -> list:
    """The value tables of these blocks; a shared one once."""
    distinct = {}
    for block in made:
        for name in ("values", "down", "up"):
            if isinstance(block, (Memory, Peer)) and hasattr(block, name):
                table = getattr(block, name)
                distinct[id(table)] = table
    return list(distinct.values())
