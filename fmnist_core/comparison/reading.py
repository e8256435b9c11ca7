"""How a comparison is read: at which epoch, and from which difference of accuracy on it matters. It changes no run.

The margin is one of accuracy, since anybody can say how many images in a hundred matter to them; of a loss in nats
nobody can.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from fmnist_core.config import Protocol, typed_number
from fmnist_core.wording import number_text

# At its last epoch, at the one with its lowest validation loss, or at a chosen one: each run.
Epoch = Literal["last", "best"] | int

MARGIN_LIMITS = (0.01, 20.0)  # percentage points
READING_NAMES = frozenset({"epoch", "margin"})
_EPOCH = re.compile("last|best|[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """At which epoch runs are compared, and the margin. Raises ValueError that names the rule and the value."""

    epoch: Epoch = "last"
    margin: float = 0.5  # percentage points of accuracy

    def __post_init__(self) -> None:
        low, high = MARGIN_LIMITS
        if not isinstance(self.margin, float | int) or not low <= self.margin <= high:
            raise ValueError(
                f"the margin must be {number_text(low)} to {number_text(high)} percentage points, got {self.margin!r}"
            )
        if self.epoch not in {"last", "best"} and not (isinstance(self.epoch, int) and self.epoch >= 1):
            raise ValueError(f"the epoch must be last, best or a number from 1, got {self.epoch!r}")

    @property
    def margin_share(self) -> float:
        """The margin as a share of images, as accuracies are kept."""
        return self.margin / 100

    @property
    def margin_words(self) -> str:
        """The margin in a sentence: "0.5 percentage points"."""
        return f"{number_text(self.margin)} percentage point{'' if self.margin == 1 else 's'}"

    def views(self, epochs: int) -> int:
        """How many epochs the reader could have picked this one from, of so many that every arm has.

        The last epoch and each run's best are fixed by a rule; a chosen one may be chosen for what it shows.
        """
        return epochs if isinstance(self.epoch, int) else 1

    def to_address(self) -> dict[str, str]:
        """Query parameters, `from_address`'s inverse: what differs from the defaults."""
        values = {"epoch": str(self.epoch), "margin": number_text(self.margin)}
        standard = {"epoch": "last", "margin": number_text(Reading.margin)}
        return {name: value for name, value in values.items() if value != standard[name]}

    @classmethod
    def from_address(cls, values: Mapping[str, str], epochs: int) -> Self:
        """Read query parameters for arms that have so many epochs. Raises ValueError with a sentence for people."""
        epoch = values.get("epoch", "last")
        if not _EPOCH.fullmatch(epoch) or (epoch.isdigit() and int(epoch) > epochs):
            raise ValueError(f"the link's epoch must be last, best or a number from 1 to {epochs}, got {epoch[:40]!r}")
        margin = typed_margin(values.get("margin", number_text(cls.margin)))
        return cls(epoch=int(epoch) if epoch.isdigit() else epoch, margin=margin)  # type: ignore[arg-type]


STANDARD_READING = Reading()


def typed_margin(text: str) -> float:
    """A margin as people type it, in percentage points. Raises ValueError for what is no number in its limits."""
    return Reading(margin=typed_number(text[:40])).margin  # type: ignore[arg-type]


def epoch_phrase(epoch: Epoch) -> str:
    """Where figures are taken, within a sentence."""
    return {"last": "at the last epoch", "best": "at each run's best epoch"}.get(str(epoch), f"at epoch {epoch}")


def epoch_caption(epoch: Epoch, protocol: Protocol, epochs: int, begin: str = "Taken") -> str:
    """Where figures are taken, and what to know about that: a sentence or two for each caption."""
    phrase = f"{begin} {epoch_phrase(epoch)}"
    if epoch == "last":
        return f"{phrase}."
    if epoch == "best":
        images = "test" if protocol == "article" else "validation"
        return (
            f"{phrase}, which was chosen on the {images} images that judge it here: the figures of every arm are a "
            "little too good."
        )
    return (
        f"{phrase}. Who picks an epoch once the curves are there finds some difference by luck, so claims and "
        f"intervals are held to what holds at all {epochs} epochs together."
    )
