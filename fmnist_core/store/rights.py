"""What only those whose runs they are may do; who is refused something is in the log."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.run_log import log_run
from fmnist_core.store.tables import RUNS
from fmnist_core.store.visitor import NotYoursError, Visitor


@contextmanager
def refusals_logged(wish: str, keys: Collection[str], by: Visitor) -> Iterator[None]:
    """Log that `by` was refused what they wished for these runs, where the block raises that."""
    try:
        yield
    except (LimitReachedError, NotYoursError) as error:
        log_run("refusal", wish=wish, runs=",".join(keys), visitor=by.name, reason=error)
        raise


def check_owner(connection: sa.Connection, keys: Collection[str], by: Visitor, doing: str) -> None:
    """Raise NotYoursError where one of these runs is not `by`'s to change."""
    for number, asked_by in connection.execute(sa.select(RUNS.c.number, RUNS.c.asked_by).where(RUNS.c.key.in_(keys))):
        if not by.may_change(asked_by):
            raise NotYoursError(f"run {number} was asked for by somebody else; only they may {doing} it, or an admin")
