"""Deleted runs: gone for everybody at once, able to come back for a while, and then gone with all that is stored.

What is deleted keeps its row. As long as `status_before` says what the run was, it also keeps its epochs, networks,
predictions and maps, and can come back.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from fmnist_core.store.database import Database
from fmnist_core.store.rights import check_owner, refusals_logged
from fmnist_core.store.run_log import log_run
from fmnist_core.store.tables import EPOCHS, PREDICTIONS, PROJECTIONS, RUNS, TESTS, WEIGHTS
from fmnist_core.store.visitor import Visitor

UNDO_SECONDS = 600.0  # how long a deleted run can come back; then the next `purge` takes it

_CAN_COME_BACK = sa.and_(RUNS.c.status == "deleted", RUNS.c.status_before.is_not(None))
_UNOWNED: dict[str, Any] = {"cancel_requested": False, "owner": None, "worker": None, "lease_until": None}
_UNOWNED |= {"epoch_share": 0.0, "early_losses": None}


def delete(database: Database, keys: Collection[str], by: Visitor) -> None:
    """Hide runs from everybody; one that waits or trains leaves the queue. What is stored of them stays for now.

    Raises NotYoursError where one of them is not `by`'s to delete; then none is.
    """
    training = sa.and_(RUNS.c.status == "running", sa.not_(RUNS.c.cancel_requested))
    before = sa.case((training, "queued"), (RUNS.c.status == "running", "stopped"), else_=RUNS.c.status)
    active = RUNS.c.status.in_(("queued", "running"))
    with refusals_logged("delete", keys, by), database.writing() as connection:
        check_owner(connection, keys, by, "delete")
        there = (RUNS.c.key.in_(keys), RUNS.c.status != "deleted")
        gone = connection.scalars(sa.select(RUNS.c.key).where(*there)).all()
        # Its worker, if there is one, learns at its next beat that the run is its own no longer.
        ended_at = sa.case((active, database.now), else_=RUNS.c.ended_at)
        connection.execute(
            RUNS.update()
            .where(*there)
            .values(status="deleted", status_before=before, ended_at=ended_at, changed_at=database.now, **_UNOWNED)
        )
    for key in gone:
        log_run("end", run=key, status="deleted", visitor=by.name)


def bring_back(database: Database, keys: Collection[str], by: Visitor) -> list[str]:
    """Undo the deletion of runs that can still come back, and return their keys; what waited or trained waits again.

    Raises NotYoursError where one of them is not `by`'s; then none comes back.
    """
    with refusals_logged("bring back", keys, by), database.writing() as connection:
        check_owner(connection, keys, by, "bring back")
        rows = (RUNS.c.key.in_(keys), _CAN_COME_BACK)
        back = list(connection.scalars(sa.select(RUNS.c.key).where(*rows)))
        ended_at = sa.case((RUNS.c.status_before == "queued", None), else_=RUNS.c.ended_at)
        status = {"status": RUNS.c.status_before, "status_before": None}
        connection.execute(RUNS.update().where(*rows).values(ended_at=ended_at, changed_at=database.now, **status))
    return back


def make_way(connection: sa.Connection, keys: Collection[str], by: Visitor, now: sa.ColumnElement[float]) -> None:
    """Before `by` asks for runs: those that were deleted come back as stopped or ended, or else their rows go.

    To somebody else they come as their own, without what the first owner wrote.
    """
    connection.execute(RUNS.delete().where(RUNS.c.key.in_(keys), RUNS.c.status == "deleted", sa.not_(_CAN_COME_BACK)))
    rows = (RUNS.c.key.in_(keys), _CAN_COME_BACK)
    others = RUNS.c.asked_by.is_distinct_from(by.name)
    cleared = dict.fromkeys(("name", "hypothesis", "conclusion"))
    connection.execute(RUNS.update().where(*rows, others).values(asked_by=by.name, **cleared))
    status = sa.case((RUNS.c.status_before == "queued", "stopped"), else_=RUNS.c.status_before)
    connection.execute(RUNS.update().where(*rows).values(status=status, status_before=None, changed_at=now))


def due_for_purge(database: Database) -> list[str]:
    """Keys of the deleted runs that can come back no longer, though they are still stored."""
    query = sa.select(RUNS.c.key).where(_CAN_COME_BACK, RUNS.c.changed_at < database.now - UNDO_SECONDS)
    with database.reading() as connection:
        return list(connection.scalars(query))


def purge(database: Database, keys: Collection[str], by: Visitor) -> None:
    """Give up what is stored of deleted runs, for good; those that came back meanwhile stay.

    Raises NotYoursError where one of them is not `by`'s; then none is touched. The space is given back by
    `Database.give_back_space`.
    """
    left = {"epochs_done": 0, "best_epoch": None, "error": None, "name": None, "hypothesis": None, "conclusion": None}
    with refusals_logged("delete", keys, by), database.reading() as connection:
        check_owner(connection, keys, by, "delete")
    for key in keys:  # each by itself: workers write in between
        with database.writing() as connection:
            rows = (RUNS.c.key == key, _CAN_COME_BACK)
            changes = {"status_before": None, "changed_at": database.now, **left}
            if connection.execute(RUNS.update().where(*rows).values(**changes)).rowcount == 0:
                continue
            for table in (EPOCHS, WEIGHTS, TESTS, PREDICTIONS, PROJECTIONS):
                connection.execute(table.delete().where(table.c.run_key == key))
