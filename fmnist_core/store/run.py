"""A run as pages see it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.store.notes import NO_NOTES, Notes

# A deleted run keeps its row, so that all who look on learn of it, and for a while all else; pages see it as none.
Status = Literal["queued", "running", "finished", "stopped", "failed", "deleted"]
Weights = Literal["best", "last"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as pages see it. Times are seconds since 1970."""

    number: int  # counts the store's runs from 1, in the order in which they were asked for
    key: str
    config: RunConfig
    data_name: str
    data_fingerprint: str
    status: Status
    cancel_requested: bool
    epochs_done: int
    epoch_share: float
    best_epoch: int | None  # the one with the lowest validation loss so far
    best_validation_loss: float | None
    best_validation_accuracy: float | None
    error: str | None
    created_at: float  # when it was asked for, or last asked to go on
    ended_at: float | None
    torch_version: str | None = None  # where it trained last; None before it has, and in a store of an older layout
    processor: str | None = None
    threads: int | None = None
    asked_by: str | None = None  # an opaque name of who asked for it first
    seconds_per_epoch: float | None = None  # None before the first
    notes: Notes = NO_NOTES  # what whose run it is writes about it
    status_before: Status | None = None  # of a deleted run: what it comes back as, as long as it can
    changed_at: float | None = None  # when its notes changed, or it was deleted or came back
    early_losses: tuple[tuple[float, float], ...] = ()  # epochs gone by and training loss, within the first epochs

    @property
    def is_active(self) -> bool:
        """Whether anything about the run can still change by itself."""
        return self.status in {"queued", "running"}

    @property
    def progress(self) -> float:
        """Share of all epochs that is done, from 0 to 1."""
        return min(1.0, (self.epochs_done + self.epoch_share) / self.config.epochs)

    def epoch_of(self, kind: Weights) -> int:
        """The epoch of the stored weights. There must be some."""
        epoch = self.best_epoch if kind == "best" else self.epochs_done
        assert epoch, (self.key, kind)
        return epoch


def newest(runs: Iterable[Run]) -> Run | None:
    """The run that was asked for last, of those that have begun, or else of all; None where there is none.

    Of a comparison's many runs the last ones wait long: who watches the newest one wants to see something.
    """
    runs = list(runs)
    begun = [run for run in runs if run.status != "queued" or run.epochs_done]
    return max(begun or runs, key=lambda run: (run.created_at, run.number), default=None)


_NOTES = tuple(field.name for field in fields(Notes))


def to_run(row: sa.RowMapping) -> Run:
    """A row of the query SHOWN_RUNS as a run."""
    values = dict(row)
    values["notes"] = Notes(**{name: values.pop(name) or "" for name in _NOTES})
    values["config"] = RunConfig.from_dict(json.loads(values["config"]))
    values["early_losses"] = tuple((epoch, loss) for epoch, loss in json.loads(values["early_losses"] or "[]"))
    return Run(**values)


def losses_to_text(losses: Sequence[tuple[float, float]]) -> str:
    """Losses within epochs as the store keeps them: pairs of epochs gone by and loss, as JSON."""
    return json.dumps([(round(epoch, 4), round(loss, 4)) for epoch, loss in losses])
