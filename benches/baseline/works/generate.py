"""Greedy generation by a decoder: keys and values in a cache of fixed size, one token of all sequences at a time."""

from argparse import Namespace

import torch
import torch._inductor.config as inductor

from works import decoder, feed_forward
from works.cache import Index, Slice
from works.decoder import Decoder
from works.engram import Engrams
from works.experts import Experts
from works.hashed_bigram import HashedBigrams
from works.work import Work


def add_options(parser):
    decoder.add_size_options(parser)
    feed_forward.add_options(parser, [*feed_forward.BLOCKS, "engram", "hashed_bigram"])
    parser.add_argument("--rows", type=int, default=1 << 16, help="of the table of bigrams; the least of each head of engram")
    parser.add_argument("--hash-heads", type=int, default=8, help="of engram, for each order")
    parser.add_argument("--head-dim", type=int, help="of engram; default: d_model / 32")
    parser.add_argument("--max-order", type=int, default=3, help="longest n-gram of engram")
    parser.add_argument("--kernel", type=int, default=4, help="taps of engram's convolution")
    parser.add_argument("--prompt", type=int, default=32, help="tokens of a prompt")
    parser.add_argument("--new", type=int, default=64, help="tokens that are generated after each")


def ngrams(options, seq: int):
    """What reads token ids before attention, if anything does."""
    placed = options.placed or list(range(options.layers))
    if options.block == "hashed_bigram":
        return HashedBigrams(options.d_model, options.layers, options.rows)
    if options.block == "engram":
        sizes = Namespace(
            d_model=options.d_model,
            rows=options.rows,
            heads=options.hash_heads,
            head_dim=options.head_dim or options.d_model // 32,
            max_order=options.max_order,
            kernel=options.kernel,
        )
        return Engrams(sizes, placed, options.batch, seq)
    return None


class CachedDecoder(Decoder):
    """A decoder with the keys and values of the tokens before, `[batch, heads, seq, head_dim]` each in every layer."""

    def __init__(self, options):
        seq = options.prompt + options.new - 1
        super().__init__(options, seq)
        shape = (options.batch, options.heads, seq, options.d_model // options.heads)
        for layer in self.layers:
            layer.register_buffer("keys", torch.zeros(shape))
            layer.register_buffer("values", torch.zeros(shape))
        self.ngrams = ngrams(options, seq)
        if self.ngrams is not None:
            before = torch.full((options.batch, self.ngrams.reach + seq), self.ngrams.padding)
            self.register_buffer("tokens", before)

    def forward(self, tokens, past: int):
        """The most probable next token `[batch, 1]` of each sequence, after `tokens [batch, new]` at positions from `past`."""
        return self.logits(tokens, Slice(past, past + tokens.shape[1])).argmax(-1)

    def at(self, token, position):
        """The same for one `token [batch, 1]` at `position [1]`."""
        return self.logits_at(token, position).argmax(-1)

    def logits_at(self, token, position):
        return self.logits(token, Index(position, len(self.cos)))

    def logits(self, tokens, cache):
        """Logits `[batch, 1, vocab]` after the last of `tokens`, which `cache` places."""
        x = self.embedding(tokens)
        cos, sin = cache.positions(self.cos), cache.positions(self.sin)
        if self.ngrams is not None:
            read = self.ngrams.look_up(cache.window(self.tokens, tokens, self.ngrams.reach))
        for number, layer in enumerate(self.layers):
            if self.ngrams is not None:
                x = self.ngrams(number, x, read, cache)
            x = layer.after_attention(x, cache.attention(layer, *layer.queries_keys_values(x, cos, sin)))
        return self.head(self.norm(x[:, -1:]))

    def tables(self):
        return super().tables() + (self.ngrams.tables() if self.ngrams is not None else [])


def compile_graphs(model: CachedDecoder, of_one_token):
    """A method of `model` for one token at any position, compiled."""
    # Weights are constants, which can be packed for products.
    inductor.freezing = True
    for module in model.modules():
        if isinstance(module, Experts):
            # Sizes depend on the routing: graphs end here.
            module.mix = torch.compiler.disable(module.mix)
    return torch.compile(of_one_token)


def build(options) -> Work:
    model = CachedDecoder(options).eval()
    prompts = torch.randint(options.vocab, (options.batch, options.prompt))
    generated = torch.empty(options.batch, options.new, dtype=torch.long)
    positions = range(options.prompt, options.prompt + options.new - 1)
    after = model
    if options.mode == "compile":
        after = compile_graphs(model, model.at)
        positions = [torch.tensor([position]) for position in positions]

    @torch.no_grad()
    def step():
        token = model(prompts, 0)
        generated[:, :1] = token
        for number, position in enumerate(positions, 1):
            token = after(token, position)
            generated[:, number : number + 1] = token
        return generated

    step()
    dense, tables = model.dense_parameters(), model.tables()
    return Work(step, sum(p.numel() for p in dense), sum(table.numel() for table in tables))
