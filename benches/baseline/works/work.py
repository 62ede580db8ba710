"""What a module returns to the worker."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Work:
    """One iteration, and what it updates, so that both sides can be checked for equal sizes."""

    step: Callable[[], object]
    parameters: int = 0
    table_parameters: int = 0
