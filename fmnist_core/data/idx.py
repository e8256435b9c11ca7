"""Read the official files' format, IDX (LeCun, 1998): a header of big-endian whole numbers, then bytes."""

import math
import struct

import numpy as np

from fmnist_core.data.dataset import Pixels

_BYTES = 0x0800  # what the first of the numbers says of unsigned bytes; its last byte counts the dimensions


def read_idx(content: bytearray, dimensions: int) -> Pixels:
    """The file's array of bytes with so many dimensions, in the memory of `content`. Raises ValueError for others."""
    length = 4 * (1 + dimensions)
    if len(content) < length:
        raise ValueError(f"an IDX file must begin with {length} bytes that say what follows, got {len(content)}")
    kind, *shape = struct.unpack_from(f">{1 + dimensions}I", content)
    if kind != _BYTES + dimensions:
        raise ValueError(f"an IDX file must begin with {_BYTES + dimensions:#06x}, got {kind:#06x}")
    values = len(content) - length
    if values != math.prod(shape):
        raise ValueError(f"an IDX file of shape {tuple(shape)} must hold {math.prod(shape):,} bytes, got {values:,}")
    return np.frombuffer(content, np.uint8, offset=length).reshape(shape)
