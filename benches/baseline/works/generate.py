"""Greedy generation by a decoder: keys and values in a cache of fixed size, one token of all sequences at a time."""

import torch
import torch.nn.functional as F

from works import decoder, feed_forward
from works.decoder import Decoder
from works.work import Work


def add_options(parser):
    decoder.add_size_options(parser)
    feed_forward.add_options(parser)
    parser.add_argument("--prompt", type=int, default=32, help="tokens of a prompt")
    parser.add_argument("--new", type=int, default=64, help="tokens that are generated after each")


class CachedDecoder(Decoder):
    """A decoder with the keys and values of the tokens before, `[batch, heads, seq, head_dim]` each in every layer."""

    def __init__(self, options):
        seq = options.prompt + options.new - 1
        super().__init__(options, seq)
        shape = (options.batch, options.heads, seq, options.d_model // options.heads)
        for layer in self.layers:
            layer.register_buffer("keys", torch.zeros(shape))
            layer.register_buffer("values", torch.zeros(shape))

    def forward(self, tokens, past: int):
        """The most probable next token `[batch, 1]` of each sequence, after `tokens [batch, new]` at positions from `past`."""
        end = past + tokens.shape[1]
        cos, sin = self.cos[past:end], self.sin[past:end]
        x = self.embedding(tokens)
        for layer in self.layers:
            q, k, v = layer.queries_keys_values(x, cos, sin)
            layer.keys[:, :, past:end] = k
            layer.values[:, :, past:end] = v
            # Tokens after others in the cache come one by one and read all of it.
            mixed = F.scaled_dot_product_attention(
                q, layer.keys[:, :, :end], layer.values[:, :, :end], is_causal=past == 0
            )
            x = layer.after_attention(x, mixed)
        return self.head(self.norm(x[:, -1:])).argmax(-1)


def build(options) -> Work:
    model = CachedDecoder(options).eval()
    prompts = torch.randint(options.vocab, (options.batch, options.prompt))
    generated = torch.empty(options.batch, options.new, dtype=torch.long)
    extend = torch.compile(model, dynamic=True) if options.mode == "compile" else model

    @torch.inference_mode()
    def step():
        token = extend(prompts, 0)
        generated[:, :1] = token
        for position in range(1, options.new):
            token = extend(token, options.prompt + position - 1)
            generated[:, position : position + 1] = token
        return generated

    step()
    tables = model.tables()
    dense = model.dense_parameters()
    return Work(step, sum(p.numel() for p in dense), sum(table.numel() for table in tables))
