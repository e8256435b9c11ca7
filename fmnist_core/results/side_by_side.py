"""Two runs side by side: which belong together, and what to call them."""

from collections.abc import Sequence
from dataclasses import replace

from fmnist_core.results.run_names import short_title
from fmnist_core.store.run import Run
from fmnist_core.wording import dropout_name

_ARTICLE_DROPOUT = 0.2


def counterpart(run: Run, runs: Sequence[Run]) -> Run | None:
    """The run that differs from `run` in dropout alone, of those that have a network: without for one with, or with.

    Among several with dropout it is the one nearest to the article's 0.2; None where there is none.
    """
    others = [
        other
        for other in runs
        if other.best_epoch is not None
        and other.data_fingerprint == run.data_fingerprint
        and (other.config.dropout == 0) != (run.config.dropout == 0)
        and replace(other.config, dropout=run.config.dropout) == run.config
    ]
    return min(others, key=lambda other: abs(other.config.dropout - _ARTICLE_DROPOUT), default=None)


def is_fair(first: Run, second: Run) -> bool:
    """Whether only dropout differs between two runs, so that what differs in their answers is its doing."""
    return (
        first.data_fingerprint == second.data_fingerprint
        and first.config.dropout != second.config.dropout
        and replace(first.config, dropout=second.config.dropout) == second.config
    )


def less_dropout_first(first: Run, second: Run) -> tuple[Run, Run]:
    """The two runs, the one with less dropout first; as given where both have the same."""
    return (second, first) if second.config.dropout < first.config.dropout else (first, second)


def run_name(run: Run) -> str:
    """A run's name in legends and headings: its number, and its own name or else what the lab is about."""
    return short_title(run, dropout_name(run.config.dropout))


def cause(baseline: Run, other: Run) -> str:
    """What made the difference between two runs, as the subject of a sentence: dropout, where nothing else differs."""
    if not is_fair(baseline, other):
        return f"Run {other.number}"
    return "More dropout" if baseline.config.dropout else "Dropout"
