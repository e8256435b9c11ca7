"""The store in PostgreSQL: what several servers do at once, and a database that comes and goes."""

import threading
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.data.split import split
from fmnist_core.jobs import worker
from fmnist_core.network.training import train
from fmnist_core.settings import Settings
from fmnist_core.store.database import StoreError
from fmnist_core.store.notes import Notes
from fmnist_core.store.runs import EPOCH_COLUMNS, Store
from fmnist_core.store.shared_runs import SharedRuns
from tests.conftest import epoch_result

CONFIG = RunConfig(hidden=(16,), epochs=2, batch_size=64)
SERVERS = 6


def at_once(work):
    """Call `work` with the numbers of all servers, at the same moment; their results."""
    ready = threading.Barrier(SERVERS)

    def one(number):
        ready.wait(30)
        return work(number)

    with ThreadPoolExecutor(SERVERS) as pool:
        return list(pool.map(one, range(SERVERS)))


@pytest.fixture
def stores(database):
    """The stores of several servers, all opened at once on a database that has no tables yet."""
    opened = at_once(lambda _: Store(database))
    yield opened
    for store in opened:
        store.close()


def test_servers_that_ask_for_one_run_at_once_share_it(stores):
    keys = at_once(lambda number: stores[number].request_all([CONFIG, replace(CONFIG, seed=1)], "tiny", "f"))
    assert all(key == keys[0] for key in keys)
    assert sorted(run.key for run in stores[0].runs()) == sorted(keys[0])


def test_of_workers_that_claim_a_run_at_once_one_gets_it(stores):
    key = stores[0].request(CONFIG, "tiny", "f")
    claims = at_once(lambda number: stores[number].leases.claim(key, f"worker {number}"))
    assert sum(claim is not None for claim in claims) == 1


def test_leases_run_by_the_databases_clock(stores):
    with stores[0].database.reading() as connection:
        first = connection.scalar(sa.select(stores[0].database.now))
        second = connection.scalar(sa.select(stores[0].database.now))
    assert first == pytest.approx(time.time(), abs=2)
    assert second > first  # also within a transaction


def test_what_a_reader_sees_is_one_state(stores):
    with stores[0].database.reading() as connection:
        count = sa.text("SELECT count(*) FROM runs")
        assert connection.scalar(count) == 0
        stores[1].request(CONFIG, "tiny", "f")
        assert connection.scalar(count) == 0
    assert len(stores[0].runs()) == 1


def test_large_weights_come_back_as_they_were(stores):
    key = stores[0].request(CONFIG, "tiny", "f")
    stores[0].leases.claim(key, "me")
    content = bytes(range(256)) * 2**14  # 4 MiB
    stores[0].leases.record_epoch(key, "me", epoch_result(), content, content, {"test": content})
    assert stores[1].weights(key, "best").content == content
    assert stores[1].replay(key, "test") == {1: content}
    assert stores[1].leases.beat(key, "me", 0.5) is False


def test_what_is_written_and_what_is_deleted_reaches_every_server(stores):
    here, there = SharedRuns(stores[0]), SharedRuns(stores[1])
    keys = stores[0].request_all([CONFIG, replace(CONFIG, seed=1)], "tiny", "f")
    stores[0].leases.claim(keys[0], "me")
    stores[0].leases.record_epoch(keys[0], "me", epoch_result(), b"checkpoint", b"best")
    stores[0].write_notes(keys[0], Notes(name="\u05e9\u05dc\u05d5\u05dd \U0001f468\u200d\U0001f469"))
    assert [run.notes for run in there.runs()] == [run.notes for run in here.runs()]
    stores[0].delete(*keys)
    there.expect_news()
    assert there.runs() == []
    assert {run.key for run in there.lately_deleted()} == set(keys)
    assert sorted(stores[1].bring_back(*keys)) == sorted(keys)
    assert {run.status for run in stores[0].runs()} == {"queued"}
    stores[0].delete(keys[0])
    assert stores[1].due_for_purge() == []
    at_once(lambda number: stores[number].purge(keys[0]))
    assert stores[0].epochs(keys[0]).empty
    assert stores[0].bring_back(keys[0]) == []


def test_a_database_of_an_older_layout_grows_and_keeps_its_runs(database):
    store = Store(database)
    key = store.request(CONFIG, "tiny", "f")
    with store.database.writing() as connection:
        for column in ("name", "hypothesis", "conclusion", "status_before", "changed_at"):
            connection.execute(sa.text(f"ALTER TABLE runs DROP COLUMN {column}"))
        connection.execute(sa.text("UPDATE schema SET version = 3"))
    store.close()
    grown = Store(database)
    grown.write_notes(key, Notes(name="from long ago"))
    assert grown.run(key).notes.name == "from long ago"
    grown.close()


def test_a_restart_in_the_middle_of_a_run_loses_nothing_and_tells_no_password(postgresql, database):
    store = Store(database)
    key = store.request(CONFIG, "tiny", "f")
    store.leases.claim(key, "me")
    store.leases.record_epoch(key, "me", epoch_result(1), b"checkpoint", b"best")
    postgresql.control("stop", "-m", "immediate")
    try:
        with pytest.raises(StoreError, match="cannot be written") as told:
            store.leases.beat(key, "me", 0.5)
    finally:
        postgresql.control("start")
    assert "hunter2" not in "".join(traceback.format_exception(told.value))
    assert store.leases.record_epoch(key, "me", epoch_result(2), b"second", None) is False
    assert list(store.epochs(key)["epoch"]) == [1, 2]
    store.close()


def test_a_wrong_password_is_not_told(postgresql):
    wrong = uuid.uuid4().hex
    with pytest.raises(StoreError, match="password authentication failed") as told:
        Store(postgresql.url("postgres").replace("hunter2", wrong))
    assert wrong not in "".join(traceback.format_exception(told.value))


def test_a_run_ends_with_the_same_figures_as_a_local_one(database, tmp_path, tiny_dataset, monkeypatch):
    monkeypatch.setattr(worker, "load_matching", lambda settings, fingerprint: tiny_dataset)
    store = Store(database)
    key = store.request(CONFIG, tiny_dataset.name, tiny_dataset.fingerprint)
    worker.train_stored_run(Settings(home=tmp_path, store_url=database), key, "me")
    worker._open_store(database).close()  # which a worker keeps for its next run
    assert store.run(key).status == "finished"
    found = [tuple(row) for row in store.epochs(key).drop(columns="seconds").itertuples(index=False)]
    names = [name for name in EPOCH_COLUMNS if name != "seconds"]
    local = train(CONFIG, split(tiny_dataset, CONFIG.protocol, CONFIG.seed))
    assert found == [tuple(getattr(result, name) for name in names) for result in local]
    store.close()
