"""The optimizers of a training step, with the defaults of our sweeps: betas 0.9 and 0.95, decay 0.1 of matrices alone,
gradients clipped at norm 1, tables separately."""

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

BETAS = (0.9, 0.95)
EPSILON = 1e-8
DECAY = 0.1
# Small, so that hundreds of iterations on one batch do not change the work.
LEARNING_RATE = 1e-5
MAX_NORM = 1.0


def add_table_option(parser):
    parser.add_argument(
        "--table-gradient",
        choices=["sparse", "dense"],
        default="sparse",
        help="sparse: SparseAdam on the rows read; dense: a gradient of the whole table and fused Adam on all rows",
    )


class DenseOptimizer:
    """Fused AdamW after clipping by the global norm."""

    def __init__(self, parameters):
        self.parameters = list(parameters)
        matrices = [p for p in self.parameters if p.dim() > 1]
        vectors = [p for p in self.parameters if p.dim() == 1]
        groups = [{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}]
        self.adamw = torch.optim.AdamW(
            [group for group in groups if group["params"]], lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, fused=True
        )

    def zero_grad(self):
        self.adamw.zero_grad(set_to_none=True)

    def step(self):
        norm = get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        if norm > MAX_NORM:
            clip_grads_with_norm_(self.parameters, MAX_NORM, norm)
        self.adamw.step()


class TableOptimizer:
    """Adam on tables, each clipped by its own norm."""

    def __init__(self, tables, sparse: bool, max_norm: float | None = MAX_NORM):
        self.tables, self.sparse, self.max_norm = tables, sparse, max_norm
        if sparse:
            self.adam = torch.optim.SparseAdam(tables, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
        else:
            self.adam = torch.optim.Adam(tables, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, fused=True)

    def zero_grad(self):
        self.adam.zero_grad(set_to_none=True)

    def step(self):
        if self.max_norm is not None:
            for table in self.tables:
                self.clip(table)
        self.adam.step()

    def clip(self, table):
        if self.sparse:
            # Rows must be added up before their norm means anything; SparseAdam does not do it again.
            table.grad = table.grad.coalesce()
        values = table.grad.values() if self.sparse else table.grad
        norm = values.norm()
        if norm > self.max_norm:
            values.mul_(self.max_norm / norm)
