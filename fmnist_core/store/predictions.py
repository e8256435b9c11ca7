"""Predictions as the store keeps them: small, and as exact as a page shows them."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Pages word probabilities to a tenth of a percent. Finer steps would only store noise, which does not compress.
STEPS = 1000
# Of zlib. The default, 6, makes predictions 4 % smaller and takes three times as long; an epoch waits for it.
_LEVEL = 4


def pack(probabilities: npt.NDArray[np.float32]) -> bytes:
    """Compress probabilities (n, 10), rounded to a thousandth: about 50 KB for 10,000 images."""
    return zlib.compress(np.rint(probabilities * STEPS).astype("<u2").tobytes(), _LEVEL)


def unpack(content: bytes) -> npt.NDArray[np.float32]:
    """`pack`'s inverse: probabilities (n, 10), each within half a thousandth of the original."""
    return _steps(content).astype(np.float32) / np.float32(STEPS)


@dataclass(frozen=True, eq=False)
class Replay:
    """What each epoch's network said of n images. Kept in the small form: of 30 epochs, 6 MB for 10,000 images."""

    epochs: tuple[int, ...]
    steps: npt.NDArray[np.uint16]  # (epochs, n, 10)

    def of(self, row: int) -> dict[int, npt.NDArray[np.float32]]:
        """Epoch -> probabilities (10,) of the image in place `row`."""
        shares = self.steps[:, row].astype(np.float32) / np.float32(STEPS)
        return dict(zip(self.epochs, shares, strict=True))


def replay(packed: Mapping[int, bytes]) -> Replay | None:
    """Unpack a run's predictions, epoch -> content; None where there are none."""
    if not packed:
        return None
    return Replay(tuple(packed), np.stack([_steps(content) for content in packed.values()]))


def _steps(content: bytes) -> npt.NDArray[np.uint16]:
    return np.frombuffer(zlib.decompress(content), dtype="<u2").reshape(-1, 10)
