"""Runs that a worker trains together; on the processor, as they would be on a GPU."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.split import Examples, split
from fmnist_core.jobs import heart, recording, stack, worker
from fmnist_core.jobs.stack import claim_stack, train_stack
from fmnist_core.network.evaluation import evaluate
from fmnist_core.network.model import model_from_bytes
from fmnist_core.network.stacked_training import StackedTraining
from fmnist_core.network.training import TrainingDivergedError, train
from fmnist_core.store.leases import Leases, Workplace

CONFIG = RunConfig(hidden=(16,), epochs=3, batch_size=32)
PLACE = Workplace(process=None, torch_version="2", processor="a GPU", threads=1)
ARMS = [replace(CONFIG, dropout=rate, seed=seed) for seed in (1, 2) for rate in (0.0, 0.4)]


@pytest.fixture(autouse=True)
def on_the_processor(monkeypatch, tiny_dataset):
    """A worker that takes the processor for a GPU."""
    monkeypatch.setattr(worker, "load_matching", lambda settings, fingerprint: tiny_dataset)
    monkeypatch.setattr(worker, "device_of", lambda settings: "cuda")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(worker, "claim_stack", lambda *args: claim_stack(*args[:-2], "cpu", args[-1]))
    monkeypatch.setattr(worker, "train_stack", lambda *args: train_stack(*args[:-1], "cpu"))


@pytest.fixture
def ask(store, tiny_dataset):
    return lambda *configs: store.request_all(configs, tiny_dataset.name, tiny_dataset.fingerprint)


@pytest.fixture
def stacks(monkeypatch):
    """How many runs each program had that was made."""
    made, begin = [], StackedTraining.__init__

    def count(self, trainings, *rest, **named):
        made.append(len(trainings))
        begin(self, trainings, *rest, **named)

    monkeypatch.setattr(StackedTraining, "__init__", count)
    return made


def assert_like_alone(store, key, config, data, epochs=CONFIG.epochs):
    """The stored epochs are those of the run trained by itself, within rounding."""
    expected = list(train(config, split(data, config.protocol, config.seed)))[:epochs]
    stored = store.epochs(key)
    assert list(stored["epoch"]) == [result.epoch for result in expected]
    for name in ("training_loss", "evaluated_training_loss", "validation_loss", "validation_accuracy"):
        values = [getattr(result, name) for result in expected]
        assert list(stored[name]) == pytest.approx(values, rel=1e-3, abs=1e-4), name


def test_all_runs_of_a_shape_are_trained_together_and_end(store, settings, ask, tiny_dataset, stacks):
    keys = ask(*ARMS)
    worker.train_stored_run(settings, keys[0], "me")
    assert stacks == [4]
    test = Examples.all(tiny_dataset.test_images, tiny_dataset.test_labels)
    for key, config in zip(keys, ARMS, strict=True):
        run = store.run(key)
        assert (run.status, run.epochs_done, run.error, run.processor) == ("finished", 3, None, "a GPU")
        assert_like_alone(store, key, config, tiny_dataset)
        for kind, figures in store.tests(key).items():
            again = evaluate(model_from_bytes(config, store.weights(key, kind).content), test)
            assert again.loss == pytest.approx(figures.loss, rel=1e-4)
        assert sorted(store.replay(key, "test")) == sorted(store.replay(key, "validation")) == [1, 2, 3]


def test_other_shapes_other_data_and_runs_of_others_are_left_alone(store, settings, ask, tiny_dataset, stacks):
    ours, taken = ask(CONFIG, replace(CONFIG, seed=9))
    others = ask(replace(CONFIG, batch_size=16), replace(CONFIG, epochs=4))
    foreign = store.request(replace(CONFIG, seed=3), "other data", "f" * 16)
    store.leases.claim(taken, "somebody else")
    worker.train_stored_run(settings, ours, "me")
    assert stacks == [1]
    assert {store.run(key).status for key in (*others, foreign)} == {"queued"}
    assert store.run(taken).epochs_done == 0


def test_runs_that_are_not_equally_far_are_not_trained_together(store, settings, ask, tiny_dataset, stacks):
    (further,) = ask(ARMS[0])
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, store, further, epoch=1)
        worker.train_stored_run(settings, further, "first")
    assert 0 < store.run(further).epochs_done < CONFIG.epochs
    del stacks[:]
    _goes_on, fresh = ask(*ARMS[:2])
    worker.train_stored_run(settings, further, "second")
    assert stacks == [1]
    assert store.run(fresh).status == "queued"
    assert_like_alone(store, further, ARMS[0], tiny_dataset)


def stop_after(patch, store, key, epoch):
    """Let the run `key` be asked to stop once the epoch is stored."""
    record = Leases.record_epoch

    def record_then_cancel(self, recorded, owner, result, *rest):
        stop = record(self, recorded, owner, result, *rest)
        if (recorded, result.epoch) == (key, epoch):
            store.cancel(key)
        return stop

    patch.setattr(Leases, "record_epoch", record_then_cancel)


def test_one_that_is_stopped_leaves_and_the_others_go_on(store, settings, ask, tiny_dataset, stacks, monkeypatch):
    monkeypatch.setattr(heart, "LOOK_SECONDS", 0.0)
    keys = ask(*ARMS)
    stop_after(monkeypatch, store, keys[1], epoch=1)
    worker.train_stored_run(settings, keys[0], "me")
    assert stacks == [4, 3]
    assert [(store.run(key).status, store.run(key).epochs_done) for key in keys] == [
        ("finished", 3),
        ("stopped", 1),
        ("finished", 3),
        ("finished", 3),
    ]
    assert store.weights(keys[1], "last").epoch == 1
    for key, config in zip(keys, ARMS, strict=True):
        assert_like_alone(store, key, config, tiny_dataset, store.run(key).epochs_done)


def test_when_all_are_stopped_the_epoch_ends_at_once(store, settings, ask, monkeypatch, stacks):
    monkeypatch.setattr(heart, "LOOK_SECONDS", 0.0)
    keys = ask(*ARMS)
    epochs = []
    run_epoch = StackedTraining.run_epoch

    def cancel_first(self):
        for key in keys:
            store.cancel(key)
        try:
            return run_epoch(self)
        finally:
            epochs.append(self._steps_done)

    monkeypatch.setattr(StackedTraining, "run_epoch", cancel_first)
    worker.train_stored_run(settings, keys[0], "me")
    assert epochs == [1]  # the first look was after one step
    assert {store.run(key).status for key in keys} == {"stopped"}


def test_one_that_diverges_fails_alone(store, settings, ask, tiny_dataset, monkeypatch, stacks):
    keys = ask(*ARMS)
    run_epoch = StackedTraining.run_epoch

    def diverge(self):
        results = run_epoch(self)
        if len(results) == 4:
            place = next(place for place, each in enumerate(self.trainings) if each.config == ARMS[2])
            results[place] = TrainingDivergedError("training diverged in epoch 1")
        return results

    monkeypatch.setattr(StackedTraining, "run_epoch", diverge)
    worker.train_stored_run(settings, keys[0], "me")
    assert [store.run(key).status for key in keys] == ["finished", "finished", "failed", "finished"]
    assert store.run(keys[2]).error == "training diverged in epoch 1"
    assert stacks == [4, 3]
    assert_like_alone(store, keys[3], ARMS[3], tiny_dataset)


def test_one_that_somebody_else_has_by_now_is_let_go(store, settings, ask, monkeypatch, stacks):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    keys = ask(*ARMS)
    record = Leases.record_epoch

    def lose(self, key, owner, result, *rest):
        if (key, result.epoch) == (keys[1], 2):
            # As after a pause longer than the lease.
            with self._database.writing() as connection:
                connection.exec_driver_sql("UPDATE runs SET owner = 'successor' WHERE key = ?", (key,))
        return record(self, key, owner, result, *rest)

    monkeypatch.setattr(Leases, "record_epoch", lose)
    worker.train_stored_run(settings, keys[0], "me")
    assert [store.run(key).status for key in keys] == ["finished", "running", "finished", "finished"]
    assert store.run(keys[1]).epochs_done == 1
    assert stacks == [4, 3]


def test_what_breaks_the_program_is_told_of_every_run(store, settings, ask, monkeypatch):
    def broken(self):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(StackedTraining, "run_epoch", broken)
    keys = ask(*ARMS)
    worker.train_stored_run(settings, keys[0], "me")
    for key in keys:
        run = store.run(key)
        assert run.status == "failed"
        assert "out of memory" in run.error
        assert "smaller network or batch size" in run.error


def test_one_that_cannot_begin_fails_alone(store, settings, ask, monkeypatch):
    keys = ask(*ARMS)
    divide = recording.split

    def broken(data, protocol, seed):
        if seed == 2:
            raise ValueError("of this seed alone")
        return divide(data, protocol, seed)

    monkeypatch.setattr(recording, "split", broken)
    worker.train_stored_run(settings, keys[0], "me")
    assert [store.run(key).status for key in keys] == ["finished", "finished", "failed", "failed"]


def test_one_whose_last_epoch_was_recorded_only_ends(store, settings, ask, monkeypatch, tiny_dataset, stacks):
    class KilledError(BaseException):
        pass

    def die(self, *args, **named):
        raise KilledError

    (key,) = ask(CONFIG)
    with monkeypatch.context() as patch:
        patch.setattr(Leases, "end", die)
        with pytest.raises(KilledError):
            worker.train_stored_run(settings, key, "first")
    store.leases.release("first")
    worker.train_stored_run(settings, key, "second")
    assert stacks == [1]
    assert (store.run(key).status, store.run(key).epochs_done) == ("finished", 3)
    assert set(store.tests(key)) == {"best", "last"}


def test_losses_within_the_first_epochs_are_shown(store, settings, ask, monkeypatch):
    monkeypatch.setattr(heart, "FIRST_BEAT_SECONDS", 0.0)
    monkeypatch.setattr(heart, "EARLY_BEAT_SECONDS", 0.0)
    monkeypatch.setattr(heart, "STORE_SHARE", 1e9)
    seen, beat_all = [], Leases.beat_all

    def remember(self, owner, epoch_share, early_losses):
        seen.append((epoch_share, {key: points and len(points) for key, points in early_losses.items()}))
        return beat_all(self, owner, epoch_share, early_losses)

    monkeypatch.setattr(Leases, "beat_all", remember)
    keys = ask(*ARMS[:2])
    worker.train_stored_run(settings, keys[0], "me")
    first_epoch = [points for share, points in seen if share < 0.95]
    assert all(set(points) == set(keys) for points in first_epoch)
    counts = [points[keys[1]] for points in first_epoch if points[keys[1]] is not None]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert max(counts) > len({*counts}) // 2


def test_as_many_are_taken_as_there_is_room_for(store, ask, monkeypatch, tmp_path):
    monkeypatch.setattr(stack, "MOST_RUNS", 3)
    keys = ask(*ARMS)
    claims = claim_stack(store, store.run(keys[0]), "me", PLACE, "cpu", tmp_path / "lock")
    assert list(claims) == keys[:3]


def test_two_workers_that_are_free_do_not_divide_what_belongs_together(store, ask, monkeypatch, tmp_path):
    keys = ask(*ARMS)
    runs, claimed, other_claims = [store.run(key) for key in keys[:2]], [], threading.Event()
    claim, claimable = Leases.claim, Leases.claimable

    def note(self, key, owner, at):
        if claimed and owner not in claimed:
            other_claims.set()
        claimed.append(owner)
        return claim(self, key, owner, at)

    def wait_for_the_other(self):
        other_claims.wait(0.5)
        return claimable(self)

    monkeypatch.setattr(Leases, "claim", note)
    monkeypatch.setattr(Leases, "claimable", wait_for_the_other)
    with ThreadPoolExecutor(2) as workers:
        taken = [
            workers.submit(claim_stack, store, run, f"worker {run.number}", PLACE, "cpu", tmp_path / "lock")
            for run in runs
        ]
        assert sorted(len(task.result()) for task in taken) == [0, 4]


def test_room_follows_the_memory_that_is_free(store, ask, monkeypatch):
    free = {"bytes": 0}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free["bytes"], 80 * 2**30))
    large = RunConfig(hidden=(2048,) * 6, batch_size=4096)
    assert stack._room(large, "cuda") == 1
    free["bytes"] = 80 * 2**30
    assert stack._room(RunConfig(), "cuda") == stack.MOST_RUNS
    assert 1 < stack._room(large, "cuda") < stack.MOST_RUNS
