"""What training draws, and for which batches, told without torch: pages show what a run dropped, and when.

torch's generator on a processor is the Mersenne Twister, seeded as numpy's `RandomState` seeds it. A test holds every
draw against the one that training makes.
"""

import hashlib

import numpy as np
import numpy.typing as npt

FRACTION_BITS = 24  # of each 32 bits, those of which `torch.rand` makes a float32


def derived_seed(seed: int, purpose: str, epoch: int = 0) -> int:
    """The seed of the generator that a run has for each purpose and epoch, below 2**63."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def keep_threshold(dropout: float) -> int:
    """What the FRACTION_BITS of a word must be below for dropout with this chance to keep its value."""
    return int(np.ceil(float(np.float32(1 - dropout)) * 2**FRACTION_BITS))


def batch_bounds(samples: int, batch_size: int) -> list[tuple[int, int]]:
    """First and last-plus-one position of each batch; the last batch may be smaller, but is never a single sample.

    Batch normalisation cannot be trained on one sample, so a lone last sample joins the batch before it.
    """
    starts = list(range(0, samples, batch_size))
    if len(starts) > 1 and samples - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], samples], strict=True))


class Draws:
    """The numbers of one generator of a run, in their order."""

    def __init__(self, seed: int, purpose: str, epoch: int) -> None:
        self._state = np.random.RandomState(derived_seed(seed, purpose, epoch) % 2**32)

    def _words(self, count: int) -> npt.NDArray[np.uint32]:
        return self._state.randint(0, 2**32, size=count, dtype=np.uint32)

    def kept(self, shape: tuple[int, int], dropout: float) -> npt.NDArray[np.bool_]:
        """Which values dropout with this chance keeps, as `model.Dropout` and `fast_step.Masks` decide."""
        fractions = self._words(shape[0] * shape[1]) & np.uint32(2**FRACTION_BITS - 1)
        return (fractions < np.uint32(keep_threshold(dropout))).reshape(shape)

    def first_of_permutation(self, total: int, count: int) -> npt.NDArray[np.int64]:
        """The first `count` of `torch.randperm(total)`, (count,)."""
        order = np.arange(total)
        words = self._words(min(count, total - 1)).tolist()
        for place, word in enumerate(words):
            other = place + word % (total - place)
            order[place], order[other] = order[other], order[place]
        return order[:count]
