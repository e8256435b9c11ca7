from dataclasses import replace

import pytest

from fmnist_core.comparison.progress import collect, progress_of, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.jobs import worker
from fmnist_core.results.outlook import look_ahead
from fmnist_core.store.notes import Notes
from fmnist_core.store.shared_runs import SharedRuns
from tests.conftest import epoch_result

STUDY = Study(base=RunConfig(hidden=(16,), epochs=2), levels=(0.0, 0.5), seeds=2)


@pytest.fixture
def collected(store, settings, tiny_dataset, monkeypatch):
    """Ask for the first `asked` runs of the study, train the first `trained` of them, and collect all."""
    monkeypatch.setattr(worker, "load_matching", lambda settings, fingerprint: tiny_dataset)

    def collected(asked, trained):
        configs = STUDY.configs()[:asked]
        for key in store.request_all(configs, tiny_dataset.name, tiny_dataset.fingerprint)[:trained]:
            worker.train_stored_run(settings, key, "a worker")
        shared = SharedRuns(store)
        return collect(STUDY, stored_runs(STUDY, shared, tiny_dataset.fingerprint), shared).runs

    return collected


def test_every_run_has_its_place_whether_it_is_stored_or_not(collected):
    runs = collected(asked=3, trained=1)
    assert [(arm.level, arm.seed) for arm in runs] == [(0.0, 0), (0.5, 0), (0.0, 1), (0.5, 1)]
    assert [arm.run and arm.run.status for arm in runs] == ["finished", "queued", "queued", None]
    assert [len(arm.epochs) for arm in runs] == [2, 0, 0, 0]
    assert [set(arm.tests) for arm in runs] == [{"best", "last"}, set(), set(), set()]


def test_arms_with_the_same_seed_are_pairs(collected, store):
    runs = collected(asked=4, trained=4)
    for arm in runs:
        assert replace(arm.run.config, dropout=0.0, seed=0) == STUDY.base
        assert (arm.run.config.dropout, arm.run.config.seed) == (arm.level, arm.seed)


def test_what_was_worked_out_of_an_ended_run_stays_until_the_run_changes(store):
    configs, fingerprint = STUDY.configs(), "f" * 16
    ended, growing, *_ = store.request_all(configs, "Nothing", fingerprint)
    for key in (ended, growing):
        store.leases.claim(key, "a worker")
        store.leases.record_epoch(key, "a worker", epoch_result(1), b"", None)
    store.leases.end(ended, "a worker", "finished", last=b"")
    shared = SharedRuns(store)

    def look():
        shared.expect_news()
        return collect(STUDY, stored_runs(STUDY, shared, fingerprint), shared).runs

    before = look()
    store.leases.record_epoch(growing, "a worker", epoch_result(2, validation_loss=0.4), b"", None)
    after = look()
    assert after[0] is before[0]
    assert before[1].at("best")["validation_loss"] == 0.5
    assert after[1].at("best")["validation_loss"] == after[1].at("last")["validation_loss"] == 0.4
    store.write_notes(ended, Notes.typed("Another name", "", ""))
    assert look()[0].run.notes.name == "Another name"


def ahead(runs, workers=2):
    return look_ahead([arm.run for arm in runs if arm.run is not None], workers)


def test_progress_counts_runs_and_epochs(collected):
    runs = collected(asked=3, trained=1)
    progress = progress_of(runs, ahead(runs))
    assert (progress.asked_for, progress.active, progress.finished, progress.total) == (3, 2, 1, 4)
    assert progress.share == pytest.approx(1 / 4)
    assert progress.seconds_left > 0
    assert progress.place == 1


def test_the_time_left_is_that_of_the_last_run_to_end(collected):
    runs = collected(asked=3, trained=1)
    alone, pair = (progress_of(runs, ahead(runs, workers)).seconds_left for workers in (1, 2))
    assert alone == pytest.approx(2 * pair)


def test_before_any_epoch_the_time_left_is_unknown(collected):
    runs = collected(asked=4, trained=0)
    assert progress_of(runs, ahead(runs)).seconds_left is None


def test_asking_for_a_study_again_trains_nothing(collected, store):
    first = collected(asked=4, trained=4)
    again = collected(asked=4, trained=4)
    assert [arm.run for arm in again] == [arm.run for arm in first]
    assert len(store.runs()) == 4
