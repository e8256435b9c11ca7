"""Floats too small for full precision (below 1.2e-38), which processors reckon with many times more slowly."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Let such floats count as 0 in this thread, where its processor can do that.

    Units that no longer learn leave them behind: the averages of their gradients fade to nothing, a tenth a step. The
    article's recipe so trains 4 % faster, AdamW alone a quarter. What they would add to a weight is lost in rounding.
    """
    were_flushed = are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(were_flushed)


def are_flushed() -> bool:
    """Whether they count as 0 in this thread."""
    return float(torch.tensor(1e-30) * 1e-10) == 0.0
