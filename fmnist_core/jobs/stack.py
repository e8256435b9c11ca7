"""What a worker with a GPU does: it trains the runs of one shape that wait as one program.

One alone would leave a GPU idle. Each run stays a run of its own in the store: with its lease, its epochs and its end.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor

from fmnist_core.config import INPUTS, RunConfig, count_parameters
from fmnist_core.data.dataset import Dataset
from fmnist_core.jobs.heart import EARLY_EPOCHS, Losses, StackHeart
from fmnist_core.jobs.recording import Recording
from fmnist_core.network.figures import EpochResult
from fmnist_core.network.shape import shape_of
from fmnist_core.network.stacked_training import StackedTraining
from fmnist_core.network.training import Training, TrainingDivergedError
from fmnist_core.store.database import StoreError
from fmnist_core.store.leases import Claim, RunLostError, Workplace
from fmnist_core.store.run import Run
from fmnist_core.store.runs import Store

logger = logging.getLogger(__name__)

MOST_RUNS = 64  # together: more are hardly faster, and each waits for all the others' records
_MEMORY_SHARE = 0.5  # of what a GPU has free; the rest is for others, and for what the libraries take


def claim_stack(store: Store, run: Run, owner: str, place: Workplace, device: str, lock: Path) -> dict[str, Claim]:
    """Take a run, and of those that wait what can be trained together with it, in their order, as far as there is room.

    Nothing where somebody else has the run already. Workers of one machine do this one after the other, by the file
    `lock`: several that are free would each take a part of what belongs together.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        claim = store.leases.claim(run.key, owner, place)
        if claim is None:
            return {}
        claims, room = {run.key: claim}, _room(run.config, device)
        keys = [key for key in store.leases.claimable() if key != run.key]
        waiting = store.runs_of(keys)
        for key in keys:
            if len(claims) < room and key in waiting and _is_alike(run, waiting[key]):
                claim = store.leases.claim(key, owner, place)
                if claim is not None:
                    claims[key] = claim
    return claims


def _is_alike(run: Run, other: Run) -> bool:
    same = (run.data_fingerprint, run.epochs_done) == (other.data_fingerprint, other.epochs_done)
    return same and shape_of(run.config) == shape_of(other.config)


def _room(config: RunConfig, device: str) -> int:
    """How many runs of this shape the device has memory for, MOST_RUNS at most."""
    if device != "cuda":
        return MOST_RUNS
    free, _ = torch.cuda.mem_get_info()
    units = INPUTS + sum(config.hidden)
    # Weights, gradients and two averages; of each unit what comes in, what goes out, slopes, masks and their words.
    bytes_each = 4 * (4 * count_parameters(config) + 8 * units * config.batch_size)
    return max(1, min(MOST_RUNS, int(free * _MEMORY_SHARE) // bytes_each))


def train_stack(store: Store, data: Dataset, claims: Mapping[str, Claim], owner: str, device: str) -> None:
    """Train claimed runs of one shape, and end each in the store in whatever way it ends."""
    stack = _Stack(store, owner, device)
    for key, claim in claims.items():
        stack.add(Recording(store, data, claim, key, owner))
    stack.train()


class _NobodyLeft(Exception):  # noqa: N818 - it ends an epoch and is no error
    """All runs of a stack have ended or are lost."""


@dataclass(frozen=True, eq=False)
class _Member:
    recording: Recording
    training: Training

    @property
    def is_done(self) -> bool:
        return self.training.epochs_done >= self.training.config.epochs


class _Stack:
    """The runs that are trained together. Those that end leave, and the others go on."""

    def __init__(self, store: Store, owner: str, device: str) -> None:
        self._heart = StackHeart(store, owner)
        self._device = device
        self._members: list[_Member] = []
        self._together: StackedTraining | None = None

    def add(self, recording: Recording) -> None:
        """Let a run take part, as far as it is."""
        try:
            member = _Member(recording, recording.begin())
        except Exception as error:  # of this run alone: there are too few images for it, say
            self._end(recording, error=error)
            return
        if member.is_done:  # its worker died just before it could say so
            self._end(recording)
        else:
            self._members.append(member)

    def train(self) -> None:
        """Train until nobody is left."""
        try:
            while self._members:
                self._train_together(list(self._members))
        except _NobodyLeft:
            pass
        except StoreError:
            raise
        except Exception as error:  # it breaks off for all
            for member in self._members:
                self._end(member.recording, error=error)

    def _train_together(self, members: Sequence[_Member]) -> None:
        """Train these until one of them leaves."""
        together = StackedTraining([member.training for member in members], self._device, pulse=self._beat)
        self._together = together
        member_of = {id(member.training): member for member in members}
        while self._members == members:
            is_early = self._is_early
            results = together.run_epoch()
            together.give_back()
            if is_early:
                together.share_losses()
            tests = together.log_probabilities(members[0].recording.test)
            left = [member_of[id(training)] for training in together.trainings]
            for result, answers in zip(results, tests, strict=True):
                # On a busy disk all their records take longer than a lease.
                self._beat(1.0, left)
                member = left.pop(0)
                if member in self._members:
                    self._record(member, result, answers)

    def _record(self, member: _Member, result: EpochResult | TrainingDivergedError, answers: Tensor) -> None:
        """Store a member's epoch, and let it leave where it was the last one."""
        if isinstance(result, TrainingDivergedError):
            self._leave(member, error=result)
            return
        try:
            tests = None if member.recording.validates_on_tests else answers
            must_stop = member.recording.record(member.training, result, tests)
        except RunLostError as lost:
            logger.info("%s", lost)
            self._members.remove(member)
            return
        if must_stop or member.is_done:
            self._leave(member, is_stopped=not member.is_done)

    def _beat(self, epoch_share: float, members: Sequence[_Member] | None = None) -> None:
        """Show that runs live, and let those leave that were asked to stop, or that are lost."""
        alive = [member for member in self._members if members is None or member in members]
        keys = [member.recording.key for member in alive]
        signs = self._heart.beat(keys, epoch_share, lambda: self._early_losses(alive))
        for member in alive:
            if member.recording.key in signs.lost:
                self._members.remove(member)
            elif member.recording.key in signs.stop:
                self._leave(member, is_stopped=True)
        if not self._members:
            raise _NobodyLeft

    @property
    def _is_early(self) -> bool:
        return any(member.training.epochs_done < EARLY_EPOCHS for member in self._members)

    def _early_losses(self, members: Sequence[_Member]) -> dict[str, Losses | None]:
        if self._is_early and self._together is not None:
            self._together.share_losses()
        return {member.recording.key: member.recording.early_losses(member.training) for member in members}

    def _leave(self, member: _Member, *, is_stopped: bool = False, error: Exception | None = None) -> None:
        self._members.remove(member)
        self._end(member.recording, is_stopped=is_stopped, error=error)

    @staticmethod
    def _end(recording: Recording, *, is_stopped: bool = False, error: Exception | None = None) -> None:
        try:
            if error is None:
                recording.end(is_stopped=is_stopped)
            else:
                recording.fail(error)
        except RunLostError as lost:
            logger.info("%s", lost)
