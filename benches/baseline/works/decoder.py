"""A dense decoder's training step: RMSNorm, rotary causal attention, SwiGLU, next-token loss."""

import torch
import torch.nn.functional as F
from torch import nn

from works.optimizers import DenseOptimizer
from works.swiglu import SwiGlu
from works.work import Work


def add_options(parser):
    parser.add_argument("--d-model", type=int, default=256)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--d-ff", type=int, default=768)
    parser.add_argument("--vocab", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=8, help="sequences")
    parser.add_argument("--seq", type=int, default=256, help="tokens of a sequence")


def linear(inputs: int, outputs: int) -> nn.Linear:
    made = nn.Linear(inputs, outputs, bias=False)
    nn.init.trunc_normal_(made.weight, std=inputs**-0.5)
    return made


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Layer(nn.Module):
    def __init__(self, options):
        super().__init__()
        d_model = options.d_model
        self.heads = options.heads
        self.attention_norm = nn.RMSNorm(d_model, eps=1e-5)
        self.qkv = linear(d_model, 3 * d_model)
        self.output = linear(d_model, d_model)
        self.block_norm = nn.RMSNorm(d_model, eps=1e-5)
        self.block = SwiGlu(d_model, options.d_ff)

    def forward(self, x, cos, sin):
        batch, seq, d_model = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, seq, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, seq, d_model))
        return x + self.block(self.block_norm(x))


class Decoder(nn.Module):
    def __init__(self, options):
        super().__init__()
        d_model, half = options.d_model, options.d_model // options.heads // 2
        self.embedding = nn.Embedding(options.vocab, d_model)
        nn.init.trunc_normal_(self.embedding.weight, std=d_model**-0.5)
        self.layers = nn.ModuleList(Layer(options) for _ in range(options.layers))
        self.norm = nn.RMSNorm(d_model, eps=1e-5)
        self.head = linear(d_model, options.vocab)
        frequencies = 10_000.0 ** (-torch.arange(half) / half)
        angles = torch.outer(torch.arange(options.seq), frequencies).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, targets):
        """Mean negative log-likelihood of `targets`."""
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


def build(options) -> Work:
    decoder = Decoder(options)
    optimizer = DenseOptimizer(decoder.parameters())
    loss_of = torch.compile(decoder) if options.mode == "compile" else decoder
    shape = (options.batch, options.seq)
    tokens, targets = torch.randint(options.vocab, shape), torch.randint(options.vocab, shape)

    def step():
        optimizer.zero_grad()
        loss = loss_of(tokens, targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    step()
    return Work(step, sum(p.numel() for p in decoder.parameters()))
