"""Places of new tokens in buffers that hold those before."""

import torch
import torch.nn.functional as F


class Slice:
    """Tokens at positions from `past` to `end`; those of a prompt, or one after others."""

    def __init__(self, past: int, end: int):
        self.past, self.end = past, end

    def positions(self, table):
        """Their rows of a `table` of all positions."""
        return table[self.past : self.end]

    def attention(self, layer, q, k, v):
        layer.keys[:, :, self.past : self.end] = k
        layer.values[:, :, self.past : self.end] = v
        # Tokens after others come one by one and read all that is filled.
        keys, values = layer.keys[:, :, : self.end], layer.values[:, :, : self.end]
        return F.scaled_dot_product_attention(q, keys, values, is_causal=self.past == 0)

    def window(self, buffer, x, reach: int):
        """Writes `x [batch, new, ...]` into `buffer`, which has `reach` entries before position 0; returns `[batch, reach + new, ...]`:
        `x` after the `reach` entries before it."""
        buffer[:, reach + self.past : reach + self.end] = x
        return buffer[:, self.past : reach + self.end]


class Index:
    """One token at `position [1]` of `seq`, with the shapes of every other position, so that it is compiled once."""

    def __init__(self, position, seq: int):
        self.position = position
        self.mask = (torch.arange(seq) <= position).unsqueeze(0)

    def positions(self, table):
        return table.index_select(0, self.position)

    def attention(self, layer, q, k, v):
        layer.keys.index_copy_(2, self.position, k)
        layer.values.index_copy_(2, self.position, v)
        return F.scaled_dot_product_attention(q, layer.keys, layer.values, attn_mask=self.mask)

    def window(self, buffer, x, reach: int):
        buffer.index_copy_(1, self.position + reach, x)
        return buffer.index_select(1, self.position + torch.arange(reach + 1))
