"""Pairs whose two runs trained under different conditions, which the setting that differs is not to blame for."""

from collections.abc import Sequence

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import Level
from fmnist_core.store.run import Run
from fmnist_core.wording import counted, listed

_NAMED = 3


def trained_apart(runs: Sequence[ArmRun], first: Level, second: Level) -> str | None:
    """Which pairs of two arms trained with another torch, on another processor or with another number of threads.

    None where no finished pair is known to: conditions that a run of an earlier version did not record say nothing.
    That pairs differ from one another is fine, since what they have in common cancels out.
    """
    arms = [{one.seed: one.run for one in runs if one.level == level and one.finished} for level in (first, second)]
    apart = []
    for seed in sorted(arms[0].keys() & arms[1].keys()):
        one, other = arms[0][seed], arms[1][seed]
        if one is not None and other is not None and (what := _different(one, other)):
            apart.append(f"seed {seed} ({', '.join(what)})")
    if not apart:
        return None
    named = apart[:_NAMED]
    if len(apart) > _NAMED:
        named.append(f"{len(apart) - _NAMED} more")
    return (
        f"{counted(len(apart), 'pair')} did not train alike, which changes how figures round: {listed(named)}. "
        "Where a difference is close, delete one run of such a pair and train it again."
    )


def _different(one: Run, other: Run) -> list[str]:
    found = []
    for name, before, after in (
        ("torch", one.torch_version, other.torch_version),
        ("processors", one.processor, other.processor),
        ("threads", one.threads, other.threads),
    ):
        if before is not None and after is not None and before != after:
            found.append(f"{name} {before} and {after}")
    return found
