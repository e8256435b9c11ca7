"""How long a run has to wait, by hand."""

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.results.outlook import look_ahead
from fmnist_core.store.run import Run


def run(number, status, *, epochs=10, done=0, seconds=None, asked_by=None, hidden=(16,), images=None):
    return Run(
        number=number,
        key=f"{number:016x}",
        config=RunConfig(hidden=hidden, epochs=epochs, seed=number, training_images=images),
        data_name="",
        data_fingerprint="",
        status=status,
        cancel_requested=False,
        epochs_done=done,
        epoch_share=0.0,
        best_epoch=None,
        best_validation_loss=None,
        best_validation_accuracy=None,
        error=None,
        created_at=0.0,
        ended_at=None,
        asked_by=asked_by,
        seconds_per_epoch=seconds,
    )


def test_runs_go_through_the_workers_in_their_order():
    runs = [
        run(1, "running", done=5, seconds=2.0),  # 10 s to go
        run(2, "running", done=9, seconds=2.0),  # 2 s
        run(3, "queued", epochs=1),  # taken up after 2 s, for 2 s
        run(4, "queued", epochs=5),  # after 4 s, for 10 s
    ]
    ahead = look_ahead(runs, workers=2)
    assert list(ahead.places.values()) == [1, 2]
    assert list(ahead.seconds_left.values()) == pytest.approx([10, 2, 4, 14])


def test_a_run_without_an_epoch_takes_as_long_as_its_like():
    runs = [run(1, "finished", done=10, seconds=1.0), run(2, "finished", done=10, seconds=9.0, hidden=(512,))]
    like, other = run(3, "queued"), run(4, "queued", hidden=(64,))
    left = look_ahead([*runs, like, other], workers=2).seconds_left
    assert list(left.values()) == pytest.approx([10, 50])


def test_an_epoch_of_few_images_is_not_like_one_of_all():
    runs = [run(1, "finished", done=10, seconds=1.0), run(2, "finished", done=10, seconds=0.2, images=500)]
    left = look_ahead([*runs, run(3, "queued", images=500), run(4, "queued")], workers=2).seconds_left
    assert list(left.values()) == pytest.approx([2, 10])


def test_nothing_is_promised_before_any_epoch():
    ahead = look_ahead([run(1, "queued"), run(2, "running")], workers=2)
    assert (list(ahead.places.values()), ahead.seconds_left) == ([1], {})
