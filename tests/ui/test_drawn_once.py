"""What an epoch of a comparison draws anew."""

import json

import pytest
import streamlit as st

from fmnist_core.comparison.progress import collect, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.store import shared_runs
from fmnist_core.store.runs import Store
from tests.conftest import epoch_result
from ui import drawn_once

STUDY = Study(base=RunConfig(hidden=(16,), epochs=8), levels=(0.0, 0.2, 0.5), seeds=2)
FINGERPRINT = "f" * 16


@pytest.fixture
def growing(tmp_path, monkeypatch):
    """A comparison whose runs train: `grow` stores an epoch of one, `draw` gives its panels, and which were drawn."""
    monkeypatch.setattr(shared_runs, "LOOK_SECONDS", 0)
    store = Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    shared = shared_runs.SharedRuns(store)
    st.cache_resource.clear()
    drawn_once._panel_of.cache_clear()
    keys = store.request_all(STUDY.configs(), "Nothing", FINGERPRINT)
    drawn = []
    monkeypatch.setattr(drawn_once, "arm_panel", lambda arm, *given: drawn.append(arm.name) or arm_panel(arm, *given))
    for key in keys:
        store.leases.claim(key, "test")

    class Growing:
        def grow(self, place, epoch, loss=0.5):
            store.leases.record_epoch(keys[place], "test", epoch_result(epoch, loss), b"", None)

        def draw(self):
            drawn.clear()
            shared.expect_news()
            now = collect(STUDY, stored_runs(STUDY, shared, FINGERPRINT), shared)
            texts = drawn_once.arm_curves_of(STUDY, now, now.version, "loss", False, False, False)
            return [json.loads(text) for text in texts], list(drawn)

    yield Growing()
    store.close()


arm_panel = drawn_once.arm_panel


def test_an_epoch_draws_its_arm_alone(growing):
    for place in range(6):
        growing.grow(place, 1, 0.5 + 0.02 * place)
    before, drawn = growing.draw()
    assert drawn == ["No dropout", "Dropout 0.2", "Dropout 0.5"]
    growing.grow(1, 2, 0.53)
    after, drawn = growing.draw()
    assert drawn == ["Dropout 0.2"]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]


def test_an_epoch_that_moves_the_shared_axes_draws_all(growing):
    for place in range(6):
        growing.grow(place, 1, 0.5 + 0.02 * place)
    growing.draw()
    growing.grow(1, 2, 0.1)
    after, drawn = growing.draw()
    assert drawn == ["No dropout", "Dropout 0.2", "Dropout 0.5"]
    assert len({json.dumps(panel["layout"]["yaxis"]) for panel in after}) == 1


def test_panels_are_those_that_are_drawn_together(growing):
    for place in range(6):
        growing.grow(place, 1, 0.5 + 0.02 * place)
    panels, _ = growing.draw()
    assert [panel["layout"]["annotations"][0]["text"].split("<br>")[0] for panel in panels] == [
        "<b>No dropout</b>",
        "<b>Dropout 0.2</b>",
        "<b>Dropout 0.5</b>",
    ]
