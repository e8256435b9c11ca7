import math
from dataclasses import fields, replace

import pytest

from fmnist_core.comparison.run_settings import axes_of, settings_of
from fmnist_core.config import RunConfig
from tests.results.stored_runs import SUMMARY, run, waiting

BASE = RunConfig(hidden=(32, 16), epochs=3)


def runs(*changes):
    return [run(number, config=replace(BASE, **change)) for number, change in enumerate(changes, 1)]


def test_settings_that_differ_have_a_column_and_the_others_are_told_once():
    some = runs({"dropout": 0.2, "training_images": None}, {"seed": 7, "training_images": 2000})
    differing, same = settings_of(some)
    assert differing.to_dict("list") == {
        "Dropout": ["0.2", "0"],
        "Seed": ["0", "7"],
        "Training images": ["all", "2,000"],
    }
    assert differing.index.tolist() == [run.key for run in some]
    assert same["Hidden layers"] == "32-16"
    assert same["Validation on"] == "Held-out images"
    assert set(differing) | set(same.index) == {*settings_of(some[:1])[1].index}
    assert len(differing.columns) + len(same) == len(fields(RunConfig)) + 1  # and the data


def test_runs_with_equal_settings_differ_in_nothing():
    differing, same = settings_of(runs({}, {}))
    assert list(differing) == []
    assert len(same) == len(fields(RunConfig)) + 1


def test_data_of_one_name_are_told_apart_by_their_content():
    one, other = run(1), run(2, data_fingerprint="e" * 16, config=run(1).config)
    differing, _ = settings_of([one, other])
    assert differing["Data"].tolist() == ["Fashion-MNIST (ffffffff)", "Fashion-MNIST (eeeeeeee)"]


def test_axes_are_the_settings_that_differ_and_then_the_figures():
    some = runs({"dropout": 0.5}, {"dropout": 0.0}, {"dropout": 0.2}, {"dropout": 0.2, "hidden": (64,)})
    losses = (0.5, 0.3, 0.4, 0.3)
    some = [replace(run, best_validation_loss=loss) for run, loss in zip(some, losses, strict=True)]
    axes = axes_of(some, {run.key: SUMMARY for run in some})
    names = [axis.name for axis in axes]
    assert names == ["Hidden layers", "Dropout", "Lowest validation loss", "Its accuracy (%)", "Gap, last epoch"]
    _, dropout, loss, accuracy, _ = axes
    assert dropout.places == (1.0, 0.0, 0.5, 0.5)
    assert dropout.texts == ("0.5", "0", "0.2", "0.2")
    assert dropout.ticks == ((0.0, "0"), (0.5, "0.2"), (1.0, "0.5"))
    assert loss.places == pytest.approx((1.0, 0.0, 0.5, 0.0))
    assert loss.ticks == ((0.0, "0.300"), (1.0, "0.500"))
    assert accuracy.places == (0.5,) * 4  # all the same
    assert accuracy.texts == ("86.00",) * 4
    assert accuracy.ticks == ((0.5, "86.00"),)


def test_a_run_without_figures_leaves_a_gap():
    some = [run(1), waiting(2), run(3, best_validation_loss=math.inf)]
    loss = next(axis for axis in axes_of(some, {}) if axis.name == "Lowest validation loss")
    assert loss.places[0] == 0.5
    assert all(math.isnan(place) for place in loss.places[1:])
    assert loss.texts == ("0.410", "not known", "not known")


@pytest.mark.parametrize("setting", [field.name for field in fields(RunConfig)])
def test_every_setting_has_a_name_and_words(setting):
    other = {
        "hidden": (8,), "batch_norm": True, "flips": True, "schedule": "one-cycle", "protocol": "article",
        "optimizer": "sgd", "training_images": 500, "shift_pixels": 2, "seed": 3, "epochs": 9, "batch_size": 32,
    }.get(setting, 0.125)  # fmt: skip
    differing, _ = settings_of(runs({}, {setting: other}))
    (column,) = differing.columns
    first, second = differing[column]
    assert column[0].isupper()
    assert first
    assert first != second
