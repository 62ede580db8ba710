"""Greedy generation by a decoder: keys and values in a cache of fixed size, one token of all sequences at a time."""

import torch
import torch._inductor.config as inductor
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

        def attention(layer, q, k, v):
            layer.keys[:, :, past:end] = k
            layer.values[:, :, past:end] = v
            # Tokens after others in the cache come one by one and read all of it.
            return F.scaled_dot_product_attention(
                q, layer.keys[:, :, :end], layer.values[:, :, :end], is_causal=past == 0
            )

        return self.next_token(tokens, self.cos[past:end], self.sin[past:end], attention)

    def at(self, token, position):
        """The same for one `token [batch, 1]` at `position [1]`, with the shapes of every other position: compiled once."""
        mask = (torch.arange(len(self.cos)) <= position).unsqueeze(0)

        def attention(layer, q, k, v):
            layer.keys.index_copy_(2, position, k)
            layer.values.index_copy_(2, position, v)
            return F.scaled_dot_product_attention(q, layer.keys, layer.values, attn_mask=mask)

        return self.next_token(token, self.cos.index_select(0, position), self.sin.index_select(0, position), attention)

    def next_token(self, tokens, cos, sin, attention):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer.after_attention(x, attention(layer, *layer.queries_keys_values(x, cos, sin)))
        return self.head(self.norm(x[:, -1:])).argmax(-1)


def build(options) -> Work:
    model = CachedDecoder(options).eval()
    prompts = torch.randint(options.vocab, (options.batch, options.prompt))
    generated = torch.empty(options.batch, options.new, dtype=torch.long)
    positions = range(options.prompt, options.prompt + options.new - 1)
    after = model
    if options.mode == "compile":
        # Weights are constants, which can be packed for products.
        inductor.freezing = True
        after = torch.compile(model.at)
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
