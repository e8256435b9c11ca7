"""Read the official files' format, IDX (LeCun, 1998): a header of big-endian whole numbers, then bytes."""

import math
import struct
from pathlib import Path

import numpy as np

from fmnist_core.data.dataset import Pixels

_BYTES = 0x0800  # what the first of the numbers says of unsigned bytes; its last byte counts the dimensions


def read_idx(path: Path, dimensions: int) -> Pixels:
    """The file's array of bytes with so many dimensions. Raises ValueError for anything else, OSError."""
    length = 4 * (1 + dimensions)
    with path.open("rb") as file:
        header = file.read(length)
        if len(header) < length:
            raise ValueError(f"{path} must begin with {length} bytes that say what follows, got {len(header)}")
        kind, *shape = struct.unpack(f">{1 + dimensions}I", header)
        if kind != _BYTES + dimensions:
            raise ValueError(f"{path} must begin with {_BYTES + dimensions:#06x}, got {kind:#06x}")
        content = np.fromfile(file, dtype=np.uint8)
    if len(content) != math.prod(shape):
        raise ValueError(
            f"{path} must hold {math.prod(shape):,} bytes for the shape {tuple(shape)}, got {len(content):,}"
        )
    return content.reshape(shape)
