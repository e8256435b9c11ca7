"""Predictions as the store keeps them: small, and as exact as a page shows them."""

import zlib

import numpy as np
import numpy.typing as npt

# Pages word probabilities to a tenth of a percent. Finer steps would only store noise, which does not compress.
STEPS = 1000


def pack(probabilities: npt.NDArray[np.float32]) -> bytes:
    """Compress probabilities (n, 10), rounded to a thousandth: about 50 KB for 10,000 images."""
    return zlib.compress(np.rint(probabilities * STEPS).astype("<u2").tobytes())


def unpack(content: bytes) -> npt.NDArray[np.float32]:
    """`pack`'s inverse: probabilities (n, 10), each within half a thousandth of the original."""
    steps = np.frombuffer(zlib.decompress(content), dtype="<u2").reshape(-1, 10)
    return steps.astype(np.float32) / np.float32(STEPS)
