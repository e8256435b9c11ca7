"""The Compare page across a second setting, as a visitor without a browser sees it."""

from dataclasses import replace

import pytest

from fmnist_core.comparison.experiment import OFFERS, experiment_from_address
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from tests.page_lab import all_words, live_charts, press, texts

GRID = Grid(
    study=Study(base=RunConfig(hidden=(16,), epochs=2), levels=(0.0, 0.5), seeds=3),
    across="training_images",
    values=(100, 200),
)
NO_IDEA = "no idea, show it"


def train(lab, grid):
    for key in lab.store.request_all(grid.configs(), lab.dataset.name, lab.dataset.fingerprint):
        lab.work_on(key)


def open_grid(lab, grid=GRID, guess=NO_IDEA):
    app = lab.open("compare", **grid.to_address())
    if guess:
        (radio,) = [one for one in app.radio if one.key.startswith("compare.guess")]
        radio.set_value(guess).run()
    return app


def address(app):
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def test_the_form_makes_one_and_starts_all_of_its_runs(lab):
    app = lab.open("compare")
    app.text_input(key="compare.hidden").set_value("16")
    app.text_input(key="compare.epochs").set_value("1")
    app.selectbox(key="compare.across").set_value("batch_size").run()
    assert app.text_input(key="compare.values").value == "64, 256"
    assert "compare.batch_size" not in {one.key for one in app.text_input}, "it has no one value"
    app.text_input(key="compare.values").set_value("32, 64, 128").run()
    assert "At: batch 32, batch 64, batch 128." in all_words(app)
    assert "6 runs" in texts(app.caption)
    press(app, "compare.start")
    assert not app.exception
    grid = experiment_from_address(address(app))
    assert isinstance(grid, Grid)
    assert (grid.across, grid.values) == ("batch_size", (32, 64, 128))
    assert [run.config for run in reversed(lab.store.runs())] == grid.configs()


def test_a_guess_is_asked_for_before_anything_is_shown(lab):
    train(lab, GRID)
    app = open_grid(lab, guess=None)
    assert "What do you expect?" in texts(app.subheader)
    assert not live_charts(app)
    assert not app.table
    (radio,) = [one for one in app.radio if one.key.startswith("compare.guess")]
    assert radio.options[:2] == ["helps most with 100 images", "helps most with 200 images"]
    radio.set_value("helps nowhere").run()
    assert not app.exception
    assert "Your guess: it helps nowhere." in texts(app.caption)
    assert len(live_charts(app)) == 2


def test_the_answer_names_every_value_and_leads_to_its_comparison(lab):
    train(lab, GRID)
    app = open_grid(lab)
    words = all_words(app)
    assert "Dropout 0.5" in words
    assert "100 images" in words
    assert "200 images" in words
    (table,) = app.table
    assert table.value.index.tolist() == ["100", "200"]
    assert table.value["Pairs"].tolist() == ["3 of 3"] * 2


def test_with_more_than_two_arms_it_is_a_map(lab):
    grid = replace(GRID, study=replace(GRID.study, levels=(0.0, 0.2, 0.5), seeds=1))
    train(lab, grid)
    app = open_grid(lab, grid)
    assert not app.exception
    figure = live_charts(app)["compare.grid_differences"]
    assert figure["data"][0]["type"] == "heatmap"
    assert len(app.table[0].value) == 4


def test_a_grid_that_nobody_asked_for_says_so(lab):
    app = open_grid(lab, guess=None)
    assert "Not run here yet" in texts(app.subheader)
    assert not [one for one in app.radio if one.key.startswith("compare.guess")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": "100"}, "2 to 6 values"),
        ({"across": "dropout", "values": "0,0.1"}, "can go across one of"),
        ({"across": "seed"}, "must be one of"),
        ({"values": "100,x"}, "must look like"),
    ],
)
def test_a_broken_link_is_explained_and_the_form_can_be_used(lab, changes, message):
    app = lab.open("compare", **{**GRID.to_address(), **changes})
    assert not app.exception
    assert message in " ".join(texts(app.warning))
    assert not app.button(key="compare.start").disabled


def test_too_large_a_map_is_explained_and_starts_nothing(lab):
    app = lab.open("compare")
    app.selectbox(key="compare.across").set_value("batch_size").run()
    app.text_input(key="compare.levels").set_value("0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7")
    app.text_input(key="compare.values").set_value("32, 64, 128, 256")
    app.text_input(key="compare.seeds").set_value("20").run()
    assert "at most 240 runs" in " ".join(texts(app.error))
    assert app.button(key="compare.start").disabled


def test_the_setting_that_differs_cannot_be_gone_across_as_well(lab):
    app = lab.open("compare")
    app.selectbox(key="compare.across").set_value("batch_size").run()
    app.selectbox(key="compare.factor").set_value("batch_size").run()
    assert not app.exception
    assert app.selectbox(key="compare.across").value is None
    assert "Batch size" not in app.selectbox(key="compare.across").options


@pytest.mark.parametrize("place", range(len(OFFERS)))
def test_one_click_starts_each_of_the_offered_experiments(lab, place, monkeypatch):
    asked = []
    monkeypatch.setattr("ui.forms.study_form.check_training_images", lambda config, dataset: None)
    monkeypatch.setattr(type(lab.store), "request_all", lambda self, configs, *more: asked.extend(configs))
    app = lab.open("compare")
    press(app, f"compare.offer{place}")
    assert not app.exception
    assert asked == OFFERS[place].grid.configs()
    assert experiment_from_address(address(app)) == OFFERS[place].grid
    assert len(asked) <= 40, "as many as one visitor may have wait"
