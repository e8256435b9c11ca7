from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import DataError
from fmnist_core.data.split import Examples, split
from fmnist_core.jobs import heart, maps, recording, worker
from fmnist_core.jobs.maps import MapRequest, map_stored_run
from fmnist_core.network import batches
from fmnist_core.network.evaluation import evaluate, log_probabilities
from fmnist_core.network.model import model_from_bytes
from fmnist_core.network.training import train
from fmnist_core.store.database import StoreError
from fmnist_core.store.leases import Leases
from fmnist_core.store.predictions import pack
from tests.conftest import wait_until
from tests.jobs.real_runs import stored

CONFIG = RunConfig(hidden=(16,), epochs=4, batch_size=32, dropout=0.2)


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch, tiny_dataset):
    for module in (maps, worker):
        monkeypatch.setattr(module, "load_matching", lambda settings, fingerprint: tiny_dataset)


@pytest.fixture
def ask(store, tiny_dataset):
    return lambda config=CONFIG: store.request(config, tiny_dataset.name, tiny_dataset.fingerprint)


def examples_to_test(data):
    return Examples.all(data.test_images, data.test_labels)


def test_a_run_is_trained_to_its_end_and_stored(store, settings, ask, tiny_dataset):
    key = ask()
    worker.train_stored_run(settings, key, "me")
    run = store.run(key)
    assert (run.status, run.epochs_done, run.error) == ("finished", 4, None)
    assert stored(store, key) == list(train(CONFIG, split(tiny_dataset, "held-out", CONFIG.seed)))
    best = store.epochs(key)["validation_loss"].argmin() + 1
    assert run.best_epoch == best


def test_stored_weights_give_the_stored_figures(store, settings, ask, tiny_dataset):
    key = ask()
    worker.train_stored_run(settings, key, "me")
    parts = split(tiny_dataset, "held-out", CONFIG.seed)
    epochs, tests = store.epochs(key), store.tests(key)
    for kind, row in (("best", epochs.loc[epochs["validation_loss"].idxmin()]), ("last", epochs.iloc[-1])):
        model = model_from_bytes(CONFIG, store.weights(key, kind).content)
        validation = evaluate(model, parts.validation)
        assert validation.loss == row["validation_loss"]
        assert tests[kind] == evaluate(model, examples_to_test(tiny_dataset))


def test_each_epochs_predictions_are_stored(store, settings, ask, tiny_dataset):
    key = ask()
    worker.train_stored_run(settings, key, "me")
    validation, test = store.replay(key, "validation"), store.replay(key, "test")
    assert list(validation) == list(test) == [1, 2, 3, 4]
    last = model_from_bytes(CONFIG, store.weights(key, "last").content)
    validation_examples = split(tiny_dataset, "held-out", CONFIG.seed).validation
    assert validation[4] == pack(log_probabilities(last, validation_examples).exp().numpy())
    assert test[4] == pack(log_probabilities(last, examples_to_test(tiny_dataset)).exp().numpy())
    assert test[1] != test[4]


def test_under_the_articles_protocol_predictions_are_stored_once(store, settings, ask, tiny_dataset):
    key = ask(replace(CONFIG, protocol="article"))
    worker.train_stored_run(settings, key, "me")
    last = model_from_bytes(CONFIG, store.weights(key, "last").content)
    assert store.replay(key, "validation") == {}
    answers = log_probabilities(last, examples_to_test(tiny_dataset))
    assert store.replay(key, "test")[4] == pack(answers.exp().numpy())


def test_a_run_that_is_not_free_is_left_alone(store, settings, ask):
    key = ask()
    store.leases.claim(key, "somebody else")
    worker.train_stored_run(settings, key, "me")
    assert store.epochs(key).empty


@pytest.fixture
def dies(monkeypatch):
    """A worker that is killed at the moment after an epoch is stored; the kill is an exception that nothing handles."""

    class KilledError(BaseException):
        pass

    record = Leases.record_epoch

    @contextmanager
    def dies(epoch):
        def record_and_die(self, key, owner, result, *rest):
            record(self, key, owner, result, *rest)
            if result.epoch == epoch:
                raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(Leases, "record_epoch", record_and_die)
            with pytest.raises(KilledError):
                yield

    return dies


@pytest.mark.parametrize("epochs_before", [1, 2, 3])
def test_a_killed_run_goes_on_and_ends_identical(store, settings, ask, tiny_dataset, epochs_before, dies):
    key = ask()
    with dies(epochs_before):
        worker.train_stored_run(settings, key, "first")
    assert store.run(key).epochs_done == epochs_before
    store.leases.release("first")
    worker.train_stored_run(settings, key, "second")
    assert store.run(key).status == "finished"
    assert stored(store, key) == list(train(CONFIG, split(tiny_dataset, "held-out", CONFIG.seed)))


def test_a_stop_within_an_epoch_keeps_the_epochs_before_it(store, settings, ask, tiny_dataset, monkeypatch):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    record = Leases.record_epoch

    def record_then_cancel(self, key, owner, result, *rest):
        stop = record(self, key, owner, result, *rest)
        if result.epoch == 2:
            store.cancel(key)
        return stop

    monkeypatch.setattr(Leases, "record_epoch", record_then_cancel)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    run = store.run(key)
    assert (run.status, run.epochs_done) == ("stopped", 2)
    assert store.tests(key).keys() == {"best", "last"}
    monkeypatch.setattr(Leases, "record_epoch", record)
    ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "finished"
    assert stored(store, key) == list(train(CONFIG, split(tiny_dataset, "held-out", CONFIG.seed)))


def test_the_loss_within_the_first_epochs_is_told_until_they_make_a_line(store, settings, ask, monkeypatch):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    told, after = [], []
    beat, record = Leases.beat, Leases.record_epoch

    def note_beat(self, key, owner, share, losses=None):
        told.append(losses)
        return beat(self, key, owner, share, losses)

    def note_record(self, key, owner, result, *rest):
        stop = record(self, key, owner, result, *rest)
        after.append([epoch for epoch, _ in store.run(key).early_losses])
        return stop

    monkeypatch.setattr(Leases, "beat", note_beat)
    monkeypatch.setattr(Leases, "record_epoch", note_record)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    lengths = [len(losses) for losses in told if losses is not None]
    assert lengths == sorted(lengths), "a line only grows"
    assert set(lengths) >= {1, 2, 15, 16, 17, 32}  # 500 images make 16 batches
    first, second, *others = after
    assert first == pytest.approx([(batch + 0.5) / 16 for batch in range(16)], abs=1e-4)
    assert second == []
    assert others == [[], []]


def test_a_run_that_goes_on_tells_of_the_loss_since(store, settings, ask, monkeypatch):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    key, record = ask(), Leases.record_epoch

    def record_then_cancel(self, key, owner, result, *rest):
        stop = record(self, key, owner, result, *rest)
        store.cancel(key)
        return stop

    with monkeypatch.context() as patch:
        patch.setattr(Leases, "record_epoch", record_then_cancel)
        worker.train_stored_run(settings, key, "me")
    assert (store.run(key).status, store.run(key).epochs_done, store.run(key).early_losses) == ("stopped", 1, ())
    told, beat = [], Leases.beat

    def note(self, key, owner, share, losses=None):
        told.append(losses)
        return beat(self, key, owner, share, losses)

    monkeypatch.setattr(Leases, "beat", note)
    ask()
    worker.train_stored_run(settings, key, "me")
    assert all(1 < epoch < 2 for losses in told if losses for epoch, _ in losses)
    assert any(told)


def test_a_stop_is_seen_between_two_beats(store, settings, ask, monkeypatch):
    monkeypatch.setattr(heart, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(heart, "FIRST_BEAT_SECONDS", 3600.0)
    monkeypatch.setattr(heart, "BEAT_SECONDS", 3600.0)
    claim = Leases.claim

    def claim_then_cancel(self, key, owner, at):
        claimed = claim(self, key, owner, at)
        store.cancel(key)
        return claimed

    monkeypatch.setattr(Leases, "claim", claim_then_cancel)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert (store.run(key).status, store.run(key).epochs_done) == ("stopped", 0)


def test_a_process_gets_ready_for_its_first_run(store, settings, tiny_dataset, ask):
    worker.get_ready(settings, tiny_dataset.fingerprint, store.database.identity)
    assert store.runs() == []
    with pytest.raises(worker.OtherStoreError):
        worker.get_ready(settings, tiny_dataset.fingerprint, "another store")
    key = ask()
    worker.train_stored_run(settings, key, "me", store.database.identity)
    assert store.run(key).status == "finished"


def test_a_stop_at_the_last_epoch_finds_the_run_finished(store, settings, ask, monkeypatch):
    record = Leases.record_epoch

    def cancel_before_the_last(self, key, owner, result, *rest):
        if result.epoch == CONFIG.epochs:
            store.cancel(key)
        return record(self, key, owner, result, *rest)

    monkeypatch.setattr(Leases, "record_epoch", cancel_before_the_last)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "finished"


def test_a_stop_before_the_first_epoch_leaves_nothing_to_evaluate(store, settings, ask, monkeypatch):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    claim = Leases.claim

    def claim_then_cancel(self, key, owner, at):
        claimed = claim(self, key, owner, at)
        store.cancel(key)
        return claimed

    monkeypatch.setattr(Leases, "claim", claim_then_cancel)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert (store.run(key).status, store.tests(key)) == ("stopped", {})


def test_missing_data_fail_the_run_with_their_reason(store, settings, ask, monkeypatch):
    def missing(settings, fingerprint):
        raise DataError("this run needs other data")

    monkeypatch.setattr(worker, "load_matching", missing)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    run = store.run(key)
    assert (run.status, run.error) == ("failed", "this run needs other data")


def test_data_are_loaded_before_the_run_is_taken_up(store, settings, ask, tiny_dataset, monkeypatch):
    """Fetching them may take longer than a lease, and nobody could beat meanwhile."""
    seen = []

    def load(settings, fingerprint):
        seen.append((store.run(key).status, fingerprint))
        return tiny_dataset

    monkeypatch.setattr(worker, "load_matching", load)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert seen == [("queued", tiny_dataset.fingerprint)]
    assert store.run(key).status == "finished"


def test_a_run_that_diverges_fails_with_advice(store, settings, ask, monkeypatch):
    scaled = batches.scaled
    monkeypatch.setattr(batches, "scaled", lambda images: scaled(images) * float("inf"))
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "failed"
    assert "lower learning rate" in store.run(key).error


def test_a_run_that_asks_for_more_images_than_there_are_fails_with_advice(store, settings, ask):
    key = ask(replace(CONFIG, training_images=501))
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).error.startswith("training images must be at most the 500 that")
    assert store.run(key).error.endswith('got 501; choose fewer or "all"')


def test_an_unexpected_error_fails_the_run_in_one_line(store, settings, ask, monkeypatch):
    def broken(*_):
        raise RuntimeError("something gave way\nwith a long trace")

    monkeypatch.setattr(recording, "split", broken)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).error == "training broke off: RuntimeError: something gave way"


def test_a_worker_whose_run_was_taken_ends_quietly(store, settings, ask, monkeypatch):
    record = Leases.record_epoch

    def lose_first(self, key, owner, result, *rest):
        self.release(owner)
        self.claim(key, "successor")
        return record(self, key, owner, result, *rest)

    monkeypatch.setattr(Leases, "record_epoch", lose_first)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "running"
    assert store.epochs(key).empty


@pytest.mark.parametrize(("protocol", "part", "images"), [("held-out", "validation", 100), ("article", "test", 200)])
def test_a_map_holds_a_point_for_every_evaluation_image(store, settings, ask, protocol, part, images):
    key = ask(replace(CONFIG, protocol=protocol))
    worker.train_stored_run(settings, key, "me")
    map_stored_run(settings, MapRequest(key, "best", part))
    points = store.projection(key, store.run(key).best_epoch, part)
    assert points.shape == (images, 2)
    assert np.isfinite(points).all()
    map_stored_run(settings, MapRequest(key, "best", part))
    assert (store.projection(key, store.run(key).best_epoch, part) == points).all()


def busy_for(calls):
    """Stands in for a method of Leases: raises StoreError so many times, then does what the method does."""

    def wrap(method):
        left = [calls]

        def busy(*arguments, **named):
            left[0] -= 1
            if left[0] >= 0:
                raise StoreError("the run store cannot be written (database is locked)")
            return method(*arguments, **named)

        return busy

    return wrap


@pytest.mark.parametrize("method", ["record_epoch", "beat", "end"])
def test_a_store_that_is_busy_for_a_moment_ends_no_run(store, settings, ask, tiny_dataset, monkeypatch, method):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(heart, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(Leases, method, busy_for(5)(getattr(Leases, method)))
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "finished"
    assert stored(store, key) == list(train(CONFIG, split(tiny_dataset, "held-out", CONFIG.seed)))


def test_a_run_waits_while_the_disk_is_full(store, settings, ask, tiny_dataset, monkeypatch):
    """SQLite's own limit stands in for the disk's: it says the same, and holds until it is lifted."""
    monkeypatch.setattr(heart, "RETRY_SECONDS", 0.0)
    own, told, write = worker._open_store(settings.database_url), [], Leases.record_epoch

    def limit_pages(count):
        with own.database.reading() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={count}")

    def write_to_a_full_disk(self, *arguments):
        limit_pages(2**30 if len(told) >= 3 else 1)  # 1: no more than there are
        try:
            return write(self, *arguments)
        except StoreError as error:
            told.append(str(error))
            raise

    monkeypatch.setattr(Leases, "record_epoch", write_to_a_full_disk)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert len(told) >= 3
    assert all("database or disk is full" in sentence for sentence in told)
    assert store.run(key).status == "finished"
    assert stored(store, key) == list(train(CONFIG, split(tiny_dataset, "held-out", CONFIG.seed)))


def test_a_store_that_stays_away_leaves_the_run_to_others(store, settings, ask, tiny_dataset, monkeypatch):
    monkeypatch.setattr(heart, "PATIENCE_SECONDS", 0.0)
    key = ask()
    with monkeypatch.context() as patch:
        patch.setattr(Leases, "record_epoch", busy_for(99)(Leases.record_epoch))
        with pytest.raises(StoreError):
            worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "running"
    store.leases.release("me", counts=False)
    worker.train_stored_run(settings, key, "another")
    assert stored(store, key) == list(train(CONFIG, split(tiny_dataset, "held-out", CONFIG.seed)))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "ran out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "ran out of memory"),
        (KeyError("a name"), "KeyError: 'a name'"),
        (AssertionError(), "broke off: AssertionError"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_whatever_ends_a_run_is_told(store, settings, ask, monkeypatch, error, words):
    def broken(*_):
        raise error

    monkeypatch.setattr(recording, "split", broken)
    key = ask()
    worker.train_stored_run(settings, key, "me")
    assert store.run(key).status == "failed"
    assert words in store.run(key).error


def test_a_run_is_taken_only_in_the_store_that_it_was_handed_out_from(store, settings, ask):
    key = ask()
    with pytest.raises(worker.OtherStoreError):
        worker.train_stored_run(settings, key, "me", "another store")
    assert store.run(key).status == "queued"
    worker.train_stored_run(settings, key, "me", store.database.identity)
    assert store.run(key).status == "finished"


def test_a_run_says_where_it_trained(store, settings, ask):
    key = ask()
    worker.train_stored_run(settings, key, "me")
    run = store.run(key)
    assert (run.torch_version, run.threads) == (torch.__version__, 1)
    assert run.processor


def test_testing_the_network_keeps_the_lease(store, settings, ask, dies, monkeypatch):
    key = ask()
    with dies(CONFIG.epochs):
        worker.train_stored_run(settings, key, "first")
    store.leases.release("first")
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.0)
    beats, beat = [], Leases.beat
    monkeypatch.setattr(Leases, "beat", lambda *given: beats.append(given) or beat(*given))
    worker.train_stored_run(settings, key, "second")
    assert store.run(key).status == "finished"
    networks = {store.weights(key, kind).content for kind in ("best", "last")}
    assert len(beats) == len(networks), "one that is both is tested once"


def test_what_was_trained_here_is_not_asked_again_at_the_end(store, settings, ask, monkeypatch):
    key = ask()
    monkeypatch.setattr(recording, "evaluate", None)
    worker.train_stored_run(settings, key, "me")
    assert set(store.tests(key)) == {"best", "last"}


def test_a_run_that_is_stopped_while_an_epoch_is_tested_keeps_the_network_of_the_epoch_before(
    store, settings, ask, monkeypatch
):
    key = ask()
    asked = []

    def stop_in_second_epoch(model, examples, pulse):
        asked.append(pulse)
        if len(asked) == 2:
            store.cancel(key)
            wait_until(lambda: pulse() is not None, "the run sees that it is to stop")
        return log_probabilities(model, examples, pulse)

    monkeypatch.setattr(worker, "log_probabilities", stop_in_second_epoch)
    worker.train_stored_run(settings, key, "me")
    run = store.run(key)
    assert (run.status, run.epochs_done) == ("stopped", 1)
    assert store.weights(key, "last").content == store.weights(key, "best").content
