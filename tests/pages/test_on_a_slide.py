"""A run or a comparison as one chart for slides, and the page that follows the newest run."""

from dataclasses import replace

import pytest
import streamlit as st

from fmnist_core.comparison.study import Study
from fmnist_core.results.run_names import run_title
from fmnist_core.store.notes import Notes
from fmnist_core.store.run import newest
from tests.page_lab import CONFIG, all_words, curve, keys, live_charts, texts, unescaped
from tests.results.stored_runs import run, waiting


@pytest.fixture
def embedded(lab, monkeypatch):
    """The address ends with embed=true, as Streamlit tells it."""
    monkeypatch.setattr(st.context, "is_embedded", True)
    return lab


def begun(lab, losses=(0.5,), **changes):
    key = lab.ask(replace(CONFIG, **changes))
    lab.store.leases.claim(key, "a worker")
    for epoch, loss in enumerate(losses, 1):
        lab.record(key, epoch, loss, b"weights")
    return key


@pytest.mark.parametrize(
    ("runs", "number"),
    [
        ([], None),
        ([waiting(1), waiting(2)], 2),
        ([run(1), waiting(2)], 1),
        ([run(1, created_at=90_000.0), run(2), waiting(3, created_at=99_000.0)], 1),
        ([run(1, status="running", epochs_done=0), run(2, status="failed", created_at=1.0)], 1),
    ],
)
def test_the_newest_run_was_asked_for_last_of_those_that_have_begun(runs, number):
    found = newest(runs)
    assert (found and found.number) == number


def test_the_standing_address_shows_the_newest_run_and_then_the_next(lab):
    app = lab.open(run="latest")
    assert not app.exception
    assert "Nothing on the bench yet" in texts(app.subheader)
    begun(lab)
    app.run()
    assert "Run 1" in texts(app.subheader)
    begun(lab, seed=1)
    app.run()
    assert "Run 2" in texts(app.subheader)
    assert app.query_params["run"] in ("latest", ["latest"])
    assert "always shows the newest run" in all_words(app)


def test_a_run_stands_alone_under_its_name(embedded):
    key = begun(embedded, (0.5, 0.4))
    embedded.store.write_notes(key, Notes(name="for $you$"))
    app = embedded.open(run=key)
    assert not app.exception
    assert [unescaped(text) for text in texts(app.subheader)] == [run_title(embedded.store.run(key))]
    (chart,) = live_charts(app)
    assert chart == "train.loss"
    assert curve(live_charts(app)[chart], "Validation") == [0.5, 0.4]
    assert not app.title
    assert not keys(app.button)
    assert list(live_charts(embedded.open(run=key, chart="accuracy"))) == ["train.accuracy"]
    assert list(live_charts(embedded.open(run=key, chart="<script>"))) == ["train.loss"]


def test_the_newest_run_stands_alone_too(embedded):
    app = embedded.open(run="latest")
    assert "no run to show" in all_words(app)
    begun(embedded)
    app.run()
    assert list(live_charts(app)) == ["train.loss"]


def test_a_comparison_stands_alone_in_one_chart(embedded):
    study = Study(base=replace(CONFIG, dropout=0.0), levels=(0.0, 0.2), seeds=1)
    app = embedded.open("compare", **study.to_address())
    assert not app.exception
    assert texts(app.subheader) == [study.factor.question]
    assert list(live_charts(app)) == ["compare.overlay"]
    for dropout in study.levels:
        begun(embedded, (0.5, 0.4), dropout=dropout)
    app = embedded.open("compare", curves="gap", over="seconds", **study.to_address())
    figure = live_charts(app)["compare.overlay"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "Seconds of training"
    (gaps,) = (trace["y"] for trace in figure["data"] if trace.get("name") == "Dropout 0.2, gap")
    assert gaps == pytest.approx([0.1, 0.0])
    assert not keys(app.button)
