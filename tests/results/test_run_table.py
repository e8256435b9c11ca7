import math
from itertools import pairwise

import pandas as pd
import pytest

from fmnist_core.config import PRESETS
from fmnist_core.results.run_table import in_per_cent, run_table, sparkline
from fmnist_core.store.notes import Notes
from tests.results.stored_runs import SUMMARY, run, waiting


def test_runs_keep_their_order_and_say_what_they_are():
    named = run(2, config=PRESETS[1].config, notes=Notes(name="mine", hypothesis="why", conclusion="so"))
    table = run_table([named, run(1)], {named.key: SUMMARY})
    assert table.index.tolist() == [named.key, run(1).key]
    assert table["run"].tolist() == [2, 1]
    assert table["name"].tolist() == ["mine", ""]
    assert table["settings"].tolist() == ["Article with dropout 0.2", "32-16, 3 epochs"]
    assert table["seed"].tolist() == [0, 1]
    assert table["hypothesis"].tolist() == ["why", ""]
    assert table["conclusion"].tolist() == ["so", ""]
    assert table["asked_for"].tolist() == [pd.Timestamp("1970-01-02", tz="UTC")] * 2


def test_a_run_shows_how_it_went():
    row = run_table([run(1)], {run(1).key: SUMMARY}).iloc[0]
    assert row["curve"] == [0.5, 0.41, 0.43]
    assert (row["best_epoch"], row["best_validation_loss"], row["best_validation_accuracy"]) == (2, 0.41, 0.86)
    assert (row["last_validation_loss"], row["last_validation_accuracy"], row["gap"]) == (0.43, 0.85, 0.1)
    assert row["seconds"] == 30.0


def test_a_page_shows_accuracies_in_per_cent():
    table = in_per_cent(run_table([run(1), waiting(2)], {run(1).key: SUMMARY}))
    assert table["best_validation_accuracy"].iloc[0] == pytest.approx(86)
    assert table["last_validation_accuracy"].iloc[0] == pytest.approx(85)
    assert table["last_validation_accuracy"].isna().tolist() == [False, True]
    assert table["best_validation_loss"].iloc[0] == 0.41


def test_a_run_without_an_epoch_leaves_its_figures_empty():
    table = run_table([waiting(2), run(1)], {run(1).key: SUMMARY})
    figures = [name for name in table if name.startswith(("best", "last")) or name in {"gap", "seconds"}]
    assert len(figures) == 7
    assert table[figures].iloc[0].isna().all()
    assert table["curve"].iloc[0] == []
    assert table[figures].iloc[1].notna().all()
    assert pd.api.types.is_integer_dtype(table["best_epoch"])  # an empty place must not turn 2 into 2.0


@pytest.mark.parametrize(
    ("changes", "word", "epochs"),
    [
        ({"status": "running", "epochs_done": 1, "epoch_share": 0.5}, "Training", "1 of 3"),
        ({"status": "running", "epochs_done": 1, "cancel_requested": True}, "Stopping", "1 of 3"),
        ({"status": "stopped", "epochs_done": 2, "cancel_requested": True}, "Stopped", "2 of 3"),
        ({}, "Finished", "3 of 3"),
    ],
)
def test_the_state_is_a_word_and_epochs_are_counted_when_they_are_done(changes, word, epochs):
    table = run_table([run(1, **changes)], {})
    assert (table["status"].tolist(), table["epochs"].tolist()) == ([word], [epochs])


def test_a_table_without_runs_has_all_its_columns():
    assert list(run_table([], {})) == list(run_table([run(1)], {}))
    assert run_table([], {}).empty


def test_a_small_picture_of_a_long_curve_keeps_its_course_and_its_ends():
    curve = [1 / epoch for epoch in range(1, 201)]
    small = sparkline(curve)
    assert len(small) == 40
    assert (small[0], small[-1]) == (curve[0], curve[-1])
    assert all(before > after for before, after in pairwise(small))
    assert sparkline([0.5, math.inf, math.nan, 0.4]) == [0.5, 0.4]
    assert sparkline([]) == []
