"""A decoder's training step: RMSNorm, rotary causal attention, SwiGLU or another block, next-token loss."""

import torch
import torch.nn.functional as F
from torch import nn

from works import feed_forward
from works.optimizers import DenseOptimizer, TableOptimizer, add_table_option
from works.work import Work


def add_options(parser):
    add_size_options(parser)
    # Without losses of their own.
    feed_forward.add_options(parser, ["dense", "peer", "memory", "memory+"])
    add_table_option(parser)
    parser.add_argument("--seq", type=int, default=256, help="tokens of a sequence")


def add_size_options(parser):
    parser.add_argument("--d-model", type=int, default=256)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--d-ff", type=int, default=768)
    parser.add_argument("--vocab", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=8, help="sequences")


def linear(inputs: int, outputs: int) -> nn.Linear:
    made = nn.Linear(inputs, outputs, bias=False)
    nn.init.trunc_normal_(made.weight, std=inputs**-0.5)
    return made


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Layer(nn.Module):
    def __init__(self, options, block):
        super().__init__()
        d_model = options.d_model
        self.heads = options.heads
        self.attention_norm = nn.RMSNorm(d_model, eps=1e-5)
        self.qkv = linear(d_model, 3 * d_model)
        self.output = linear(d_model, d_model)
        self.block_norm = nn.RMSNorm(d_model, eps=1e-5)
        self.block = block

    def queries_keys_values(self, x, cos, sin):
        """Rotated queries and keys, and values, `[batch, heads, seq, head_dim]` each."""
        batch, seq, _ = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, seq, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def after_attention(self, x, mixed):
        """The residual stream `x` with attention's `mixed` values and the block added."""
        x = x + self.output(mixed.transpose(1, 2).reshape(x.shape))
        y = self.block(self.block_norm(x).flatten(0, 1))
        y = y[0] if isinstance(y, tuple) else y
        return x + y.view(x.shape)

    def forward(self, x, cos, sin):
        q, k, v = self.queries_keys_values(x, cos, sin)
        return self.after_attention(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))


class Decoder(nn.Module):
    """A decoder of sequences of at most `seq` tokens."""

    def __init__(self, options, seq):
        super().__init__()
        d_model, half = options.d_model, options.d_model // options.heads // 2
        self.embedding = nn.Embedding(options.vocab, d_model)
        nn.init.trunc_normal_(self.embedding.weight, std=d_model**-0.5)
        self.layers = nn.ModuleList(Layer(options, block) for block in feed_forward.blocks(options))
        self.norm = nn.RMSNorm(d_model, eps=1e-5)
        self.head = linear(d_model, options.vocab)
        frequencies = 10_000.0 ** (-torch.arange(half) / half)
        angles = torch.outer(torch.arange(seq), frequencies).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, targets):
        """Mean negative log-likelihood of `targets`."""
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())

    def tables(self):
        """The value tables; a shared one once."""
        blocks = [layer.block for layer in self.layers]
        return feed_forward.tables(blocks)

    def dense_parameters(self):
        """All other parameters."""
        tables = {id(table) for table in self.tables()}
        return [p for p in self.parameters() if id(p) not in tables]


def build(options) -> Work:
    decoder = Decoder(options, options.seq)
    tables, dense = decoder.tables(), decoder.dense_parameters()
    optimizers = [DenseOptimizer(dense)]
    if tables:
        optimizers.append(TableOptimizer(tables, options.table_gradient == "sparse"))
    loss_of = torch.compile(decoder) if options.mode == "compile" else decoder
    shape = (options.batch, options.seq)
    tokens, targets = torch.randint(options.vocab, shape), torch.randint(options.vocab, shape)

    def step():
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = loss_of(tokens, targets)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss.item()

    step()
    return Work(step, sum(p.numel() for p in dense), sum(table.numel() for table in tables))
