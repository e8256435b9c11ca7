"""No page, whatever it shows, counts "1 epochs", writes "-0.000", or speaks in exponents and not-a-numbers."""

import re
from dataclasses import replace

import pytest

from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.network.model import MLP, model_to_bytes
from tests.conftest import epoch_result
from tests.page_lab import all_words, choose, live_charts, press, unescaped

NOUNS = "epochs|images|runs|seeds|networks|pairs|parameters|pixels|values|arms|cells|mistakes|figures|seconds"
SLIPS = re.compile(
    rf"(?<![\d.,-])1 (?:{NOUNS})\b(?! to)"
    r"|[-\N{MINUS SIGN}]0(?:\.0+)?(?![\d.,])"
    r"|\d[eE][+-]\d"
    r"|\bnan\b|\binf\b|\bNone\b|\bNaN\b"
)
SMALL = RunConfig(hidden=(8,), epochs=1)


def drawn_texts(figure):
    """What a reader of a chart can see or point at: names, notes, titles, hover texts."""
    layout = figure["layout"]
    yield from (note["text"] for note in layout.get("annotations", ()))
    for trace in figure["data"]:
        pointed_at = trace.get("customdata") if "customdata" in (trace.get("hovertemplate") or "") else None
        for part in (trace.get("name"), trace.get("text"), pointed_at):
            yield from flat(part)


def flat(part):
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for one in part:
            yield from flat(one)


def all_texts(app):
    yield from all_words(app).splitlines()
    yield from (text for metric in app.metric for text in (metric.value, metric.delta))
    for table in app.table:
        yield from map(str, [*table.value.columns, *table.value.index, *table.value.to_numpy().ravel()])
    for figure in live_charts(app).values():
        yield from drawn_texts(figure)
    for kind in ("button", "radio", "selectbox", "text_input", "toggle", "segmented_control"):
        for element in getattr(app, kind):
            yield element.label
            yield element.help or ""


def assert_well_worded(app):
    assert not app.exception
    slips = {unescaped(text) for text in all_texts(app) if SLIPS.search(unescaped(text))}
    assert not slips


def finish(lab, configs, figures):
    """Store finished runs of one epoch whose losses are `figures(config)`: training, evaluated, validation."""
    keys = lab.store.request_all(configs, lab.dataset.name, lab.dataset.fingerprint)
    for config, key in zip(configs, keys, strict=True):
        network = model_to_bytes(MLP(config))
        training, evaluated, validation = figures(config)
        result = replace(epoch_result(1, validation), training_loss=training, evaluated_training_loss=evaluated)
        lab.store.leases.claim(key, "a worker")
        lab.store.leases.record_epoch(key, "a worker", result, b"", network)
        lab.store.leases.end(key, "a worker", "finished", last=network)
    return keys


@pytest.mark.parametrize(
    ("text", "is_slip"),
    [
        ("1 epochs", True),
        ("21 epochs", False),
        ("Epoch 1", False),
        ("1.1 seconds", False),
        ("-0.000", True),
        ("\N{MINUS SIGN}0.010", False),
        ("2.14748e+09", True),
        ("nan", True),
        ("banana", False),
        ("3 x 1 images", True),
    ],
)
def test_the_slips_that_are_looked_for(text, is_slip):
    assert bool(SLIPS.search(text)) is is_slip


def test_pages_without_a_run(lab):
    for page in ("train", "lessons", "compare", "predict", "inspect", "runs", "data"):
        assert_well_worded(lab.open(page))


@pytest.mark.parametrize("page", ["train", "predict", "inspect"])
def test_one_run_of_one_epoch(lab, page):
    key = lab.train(SMALL)
    app = lab.open(page, run=key)
    assert_well_worded(app)
    if page == "train":
        press(app, "train.reveal")
        assert_well_worded(app)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_selected_runs_of_one_epoch(lab, count):
    configs = [replace(SMALL, seed=seed, dropout=0.1 * (seed % 2)) for seed in range(count)]
    chosen = finish(lab, configs, lambda config: (0.4, 0.4, 0.4))
    app = lab.open("runs")
    assert_well_worded(app)
    app.session_state["runs.chosen"] = chosen
    assert_well_worded(app.run())
    press(app, "runs.delete")
    assert_well_worded(app)


@pytest.mark.parametrize("losses", [(0.4, 0.4, 0.4), (0.4, 0.40000001, 0.4), (3e13, 2.1e9, 3e13), (1e-7, 1e-7, 2e-7)])
def test_figures_that_are_equal_enormous_or_next_to_nothing(lab, losses):
    (key,) = finish(lab, [SMALL], lambda config: losses)
    assert_well_worded(lab.open("train", run=key))
    study = Study(base=SMALL, seeds=3)
    finish(lab, [config for config in study.configs() if config != SMALL], lambda config: losses)
    assert_well_worded(lab.open("compare", **study.to_address()))


@pytest.mark.parametrize("factor", FACTORS.values(), ids=list(FACTORS))
def test_every_factor(lab, factor):
    levels = {"epochs": (1, 2), "hidden": ((8,), (9,))}.get(factor.setting, factor.levels)
    study = Study(base=SMALL, setting=factor.setting, levels=levels, seeds=3)
    configs = [replace(config, epochs=1) if factor.setting != "epochs" else config for config in study.configs()]
    finish(lab, [config for config in configs if config.epochs == 1], lambda config: (0.4, 0.3, 0.4 + config.seed / 9))
    assert_well_worded(lab.open("compare", **study.to_address()))


@pytest.mark.parametrize("difference", [0.0, 1e-9, 0.1, -1e12])
def test_a_grid(lab, difference):
    grid = Grid(study=Study(base=SMALL, seeds=3), across="batch_size", values=(8, 16))
    finish(lab, grid.configs(), lambda config: (0.4, 0.3, 0.5 + difference * (config.dropout > 0) * (1 + config.seed)))
    app = lab.open("compare", **grid.to_address())
    assert_well_worded(app)
    (radio,) = [one for one in app.radio if one.key.startswith("compare.guess")]
    radio.set_value("no idea, show it").run()
    assert_well_worded(app)
    for metric in ("gap", "validation_loss"):
        choose(app, "compare.grid_metric", metric)
        assert_well_worded(app)
