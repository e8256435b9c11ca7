"""Inspect as a visitor without a browser sees it: the real app, a tiny data set, and no workers.

How cells, points and pictures are pressed in a browser is tested in tests/browser.
"""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from fmnist_core.charts.confusion_charts import confusion_heatmap
from fmnist_core.comparison.study import Study
from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.evaluation_images import common_images
from fmnist_core.data.split import split_indices
from fmnist_core.jobs.maps import MapRequest
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.network.projection import plane
from fmnist_core.network.stored_network import strongest_first
from fmnist_core.results.calibration import better_calibrated, calibration_table, reliability
from fmnist_core.results.confusion import cell_name, class_table
from fmnist_core.results.doubtful_labels import HeldOutAnswers, doubtful_labels
from fmnist_core.store.predictions import unpack
from tests.components import component_data, components, trigger
from tests.conftest import make_tiny_dataset
from tests.page_lab import CONFIG, REAL, all_words, choose, go_to, keys, live_charts, press, texts
from ui.views import inspect_views

DROPPED = replace(CONFIG, dropout=0.3)
OTHER_SEED = replace(CONFIG, seed=1)
ARTICLE = replace(CONFIG, protocol="article")
SURE = replace(CONFIG, learning_rate=0.003)  # makes no mistake on these data
VIEWS = ("Mistakes", "Confidence", "Doubtful labels", "First layer", "Map")
MATRIX = {"plain": "inspect.matrix Run 1 · no dropout", "dropped": "inspect.matrix Run 2 · dropout 0.3"}
PREDICT_TITLE = "What does it see?"


def pair(lab):
    """Two runs that differ in dropout alone, without first."""
    return lab.train(), lab.train(DROPPED)


def labels_of(lab, key, part="validation"):
    return lab.evaluation_images(key, part).labels(lab.dataset)


def predicted(lab, key, part="validation"):
    return lab.probabilities(key, part).argmax(axis=1)


def counts(lab, key, part="validation"):
    """The confusion matrix as scikit-learn has it."""
    return confusion_matrix(labels_of(lab, key, part), predicted(lab, key, part), labels=range(10))


def cell_texts(app, key):
    """What the cells of a matrix say, (10, 10)."""
    return np.array(live_charts(app)[key]["data"][1]["text"]).reshape(10, 10)


def numbers(cells):
    return np.array([[int(text.replace("\N{MINUS SIGN}", "-") or 0) for text in row] for row in cells])


def tiles(app, key):
    return [tile["name"] for tile in component_data(app, key)["tiles"]]


def grids(app):
    return [element.key for element in components(app) if element.key not in live_charts(app)]


def surest_first(lab, key, true_class, said, part="validation"):
    """The names of a cell's images."""
    images, answered = lab.evaluation_images(key, part), lab.probabilities(key, part)
    rows = np.flatnonzero((labels_of(lab, key, part) == true_class) & (answered.argmax(axis=1) == said))
    return [str(images.name(int(row))) for row in sorted(rows, key=lambda row: -answered[row, said])]


def most_confused(lab, key, part="validation"):
    """The cell off the diagonal with most images."""
    matrix = counts(lab, key, part)
    np.fill_diagonal(matrix, 0)
    return tuple(map(int, np.unravel_index(matrix.argmax(), matrix.shape)))


# Views


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("runs", [1, 2])
def test_each_view_has_its_address(lab, view, runs):
    plain, dropped = pair(lab)
    app = lab.open("inspect", view=view, run=plain, beside=dropped if runs == 2 else "none")
    assert not app.exception
    assert not app.warning
    assert [tab.label for tab in app.tabs] == list(VIEWS)
    (drawn,) = (tab.label for tab in app.tabs if len(tab))  # the others cost nothing
    assert drawn == view


def test_an_unknown_view_in_the_address_is_ignored(lab):
    lab.train()
    for view in ("", "mistakes", "Nonsense", "<b>", "x" * 2000):
        app = lab.open("inspect", view=view)
        assert not app.exception, view
        assert list(live_charts(app)) == ["inspect.matrix Run 1 · no dropout"], view


@pytest.mark.parametrize(
    ("view", "method"),
    [("Mistakes", "weights"), ("Confidence", "changed_runs"), ("Doubtful labels", "best_predictions")],
)
def test_a_store_that_fails_while_a_view_is_drawn_is_explained(lab, view, method):
    lab.train()
    app = lab.open()
    lab.fail(method)
    app.query_params["view"] = view
    go_to(app, "inspect")
    assert not app.exception
    assert [text for text in texts(app.error) if "the run store cannot be read (disk I/O error)" in text]
    assert not components(app)


def test_a_map_that_cannot_be_read_is_explained(lab):
    lab.train()
    app = lab.open("inspect", view="Map")
    lab.fail("projection")
    choose(app, "inspect.way", "neighbours")
    assert not app.exception
    assert [text for text in texts(app.error) if "the run store cannot be read (disk I/O error)" in text]


# Which images the runs are evaluated on


def test_validation_images_are_used_unless_asked_otherwise(lab):
    key = lab.train()
    app = lab.open("inspect")
    assert app.segmented_control(key="inspect.part").value == "validation"
    assert numbers(cell_texts(app, MATRIX["plain"])).tolist() == counts(lab, key).tolist()
    assert "100 validation images" in all_words(app)


def test_of_two_seeds_only_the_common_validation_images_are_used(lab):
    first, second = lab.train(), lab.train(OTHER_SEED)
    app = lab.open("inspect", run=first, beside=second)
    ours, theirs = lab.evaluation_images(first, "validation"), lab.evaluation_images(second, "validation")
    common = common_images(ours, theirs)
    assert 0 < len(common) < 100
    rows = ours.rows_of(common)
    expected = confusion_matrix(common.labels(lab.dataset), predicted(lab, first)[rows], labels=range(10))
    assert numbers(cell_texts(app, MATRIX["plain"])).tolist() == expected.tolist()
    assert f"{len(common)} validation images" in all_words(app)


def test_a_held_out_run_beside_one_of_the_article_has_no_validation_image(lab):
    first, second = lab.train(), lab.train(ARTICLE)
    app = lab.open("inspect", run=first, beside=second)
    assert not app.exception
    assert len(app.info) == 1
    assert not live_charts(app)
    choose(app, "look.beside", "none")
    assert not app.info
    assert live_charts(app)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_runs_that_follow_the_article_are_evaluated_on_the_test_images_and_hide_nothing(lab, part):
    key = lab.train(ARTICLE)
    app = choose(lab.open("inspect"), "inspect.part", part)
    assert not keys(app.button)
    assert numbers(cell_texts(app, MATRIX["plain"])).tolist() == counts(lab, key, "test").tolist()
    assert "200 test images" in all_words(app)


@pytest.mark.parametrize("view", VIEWS)
def test_test_figures_are_hidden_until_they_are_revealed(lab, view):
    pair(lab)
    app = choose(lab.open("inspect", view=view), "inspect.part", "test")
    assert not app.exception
    assert keys(app.button) == ["inspect.reveal"]
    assert not [*components(app), *app.table, *app.get("image")]
    press(app, "inspect.reveal")
    assert not app.exception
    assert "inspect.reveal" not in keys(app.button)
    assert [*components(app), *app.get("image")]
    assert "200 test images" in all_words(app)


def test_revealed_test_figures_are_counted_on_the_test_images(lab):
    plain, dropped = pair(lab)
    app = lab.open("inspect", run=plain, beside=dropped)
    press(choose(app, "inspect.part", "test"), "inspect.reveal")
    for key, matrix in zip((plain, dropped), MATRIX.values(), strict=True):
        assert numbers(cell_texts(app, matrix)).tolist() == counts(lab, key, "test").tolist()


def test_what_is_revealed_on_inspect_is_revealed_on_train(lab):
    key = lab.train()
    app = lab.open("inspect", run=key)
    press(choose(app, "inspect.part", "test"), "inspect.reveal")
    app.query_params["run"] = key
    go_to(app, "train")
    assert "train.reveal" not in keys(app.button)
    assert "Test accuracy" in component_data(app, "train.table")["html"]


def test_what_is_revealed_on_train_is_revealed_on_inspect_for_that_run_alone(lab):
    plain, dropped = pair(lab)
    app = press(lab.open("train", run=plain), "train.reveal")
    app.query_params.update({"run": plain, "beside": "none"})
    choose(go_to(app, "inspect"), "inspect.part", "test")
    assert list(live_charts(app)) == [MATRIX["plain"]]
    app.query_params["on"] = "test"  # as the browser says by now
    choose(app, "look.beside", dropped)
    assert keys(app.button) == ["inspect.reveal"]
    assert not live_charts(app)


def test_what_is_revealed_on_compare_is_revealed_on_inspect(lab):
    study = Study(base=CONFIG, levels=(0.0, 0.3), seeds=1)
    first, second = (lab.train(replace(CONFIG, dropout=dropout)) for dropout in study.levels)
    app = lab.open()
    app.query_params.update(study.to_address())
    press(go_to(app, "compare"), "compare.reveal")
    app.query_params.clear()
    app.query_params.update({"run": first, "beside": second})
    choose(go_to(app, "inspect"), "inspect.part", "test")
    assert list(live_charts(app)) == list(MATRIX.values())


# Mistakes


def test_each_run_has_its_confusion_matrix(lab):
    plain, dropped = pair(lab)
    app = lab.open("inspect", run=plain, beside=dropped)
    assert list(live_charts(app)) == list(MATRIX.values())
    for key, matrix in zip((plain, dropped), MATRIX.values(), strict=True):
        assert numbers(cell_texts(app, matrix)).tolist() == counts(lab, key).tolist()
        assert live_charts(app)[matrix]["data"][0]["customdata"][6][1] == "6-1"
        assert f"{counts(lab, key).trace()}" in all_words(app)  # of 100 images: percent


def test_row_shares_are_percent_of_a_class(lab):
    key = lab.train()
    app = choose(lab.open("inspect"), "inspect.look", "shares")
    expected = confusion_heatmap(counts(lab, key), CLASSES, shares=True, colour="#000000").data[1].text
    cells = cell_texts(app, MATRIX["plain"])
    assert cells.ravel().tolist() == list(expected)
    assert np.allclose([sum(float(text or 0) for text in row) for row in cells], 100, atol=0.5)


def test_the_difference_is_more_dropout_minus_less_whichever_stands_first(lab):
    plain, dropped = pair(lab)
    change = counts(lab, dropped) - counts(lab, plain)
    assert change.any()
    for run, beside in ((plain, dropped), (dropped, plain)):
        app = choose(lab.open("inspect", run=run, beside=beside), "inspect.look", "difference")
        assert not app.exception
        assert list(live_charts(app)) == ["inspect.difference"]
        assert numbers(cell_texts(app, "inspect.difference")).tolist() == change.tolist()


def test_a_difference_takes_two_runs(lab):
    plain, dropped = pair(lab)
    app = choose(lab.open("inspect", run=plain, beside=dropped), "inspect.look", "difference")
    choose(app, "look.beside", "none")
    assert not app.exception
    assert len(app.segmented_control(key="inspect.look").options) == 2
    assert list(live_charts(app)) == [MATRIX["plain"]]


def test_a_clicked_cell_goes_into_the_address_and_shows_its_images_surest_first(lab):
    plain, dropped = pair(lab)
    app = lab.open("inspect", run=plain, beside=dropped)
    assert grids(app) == []
    true_class, said = most_confused(lab, plain)
    for cell in ((true_class, said), (2, 2)):
        trigger(app, "click", cell_name(*cell), key=MATRIX["dropped"])
        assert not app.exception
        assert app.query_params["cell"] == cell_name(*cell)
        for key in (plain, dropped):
            names = surest_first(lab, key, *cell)
            assert (f"inspect.cell {key}" in grids(app)) == bool(names)
            assert not names or tiles(app, f"inspect.cell {key}") == names
        assert len(surest_first(lab, plain, *cell)) > 1


def test_beside_the_difference_a_cell_shows_what_one_run_alone_puts_there(lab):
    plain, dropped = pair(lab)
    true_class, said = most_confused(lab, plain)
    app = lab.open("inspect", run=plain, beside=dropped, cell=cell_name(true_class, said))
    choose(app, "inspect.look", "difference")
    assert not app.exception
    ours, theirs = (surest_first(lab, key, true_class, said) for key in (plain, dropped))
    for key, names in (
        (plain, [name for name in ours if name not in theirs]),
        (dropped, [name for name in theirs if name not in ours]),
    ):
        assert (tiles(app, f"inspect.cell {key}") if f"inspect.cell {key}" in grids(app) else []) == names
    assert grids(app)


def test_of_a_cell_with_many_images_the_surest_are_shown(lab):
    lab.dataset = replace(make_tiny_dataset(test_per_class=50), name=REAL.name)
    key = lab.train(replace(SURE, protocol="article"))
    app = lab.open("inspect", cell="9-9")
    names = surest_first(lab, key, 9, 9, "test")
    assert len(names) == 50
    shown = tiles(app, f"inspect.cell {key}")
    assert 12 <= len(shown) < 50
    assert shown == names[: len(shown)]
    assert f"50 images, the surest {len(shown)}" in all_words(app)


def test_an_address_that_names_no_cell_is_explained(lab):
    lab.train()
    app = lab.open("inspect")
    for cell in (
        *("", "6", "6-", "6-10", "10-1", "06-1", "6-1-1", "6 1", "-1-1", "a-b", "<b>", "x" * 3000),
        "\N{ARABIC-INDIC DIGIT THREE}-1",
    ):
        app.query_params["cell"] = cell
        app.run()
        assert not app.exception, cell
        assert len(app.warning) == 1, cell
        assert "address" in texts(app.warning)[0]
        assert grids(app) == []
    trigger(app, "click", "2-2", key=MATRIX["plain"])
    assert not app.warning
    assert len(grids(app)) == 1


def test_a_cell_can_be_chosen_without_a_click(lab):
    key = lab.train()
    app = lab.open("inspect")
    choose(app, "inspect.true", 2)
    assert app.query_params["cell"] == "2-2"
    true_class, said = most_confused(lab, key)
    choose(app, "inspect.true", true_class)
    choose(app, "inspect.said", said)
    assert app.query_params["cell"] == cell_name(true_class, said)
    assert tiles(app, f"inspect.cell {key}") == surest_first(lab, key, true_class, said)
    trigger(app, "click", "2-2", key=MATRIX["plain"])
    assert [app.selectbox(key=f"inspect.{name}").value for name in ("true", "said")] == [2, 2]
    choose(app, "inspect.said", None)
    assert "cell" not in app.query_params
    assert grids(app) == []


def test_a_cell_without_images_has_no_grid(lab):
    key = lab.train(SURE)
    assert counts(lab, key).trace() == 100
    app = lab.open("inspect", cell="6-0")
    assert not app.exception
    assert grids(app) == []
    assert "0 images" in all_words(app)
    assert len(app.table) == 1  # no pair is confused


@pytest.mark.parametrize("beside", [True, False])
def test_an_image_of_a_cell_leads_to_predict_with_the_same_runs(lab, beside):
    plain, dropped = pair(lab)
    app = lab.open("inspect", run=plain, beside=dropped if beside else "none", weights="last", cell="2-2")
    name = tiles(app, f"inspect.cell {plain}")[1]
    trigger(app, "pick", name, key=f"inspect.cell {plain}")
    assert not app.exception
    assert texts(app.title) == [PREDICT_TITLE]
    second = dropped if beside else "none"
    address = {"run": plain, "beside": second, "weights": "last", "image": name}
    assert address.items() <= dict(app.query_params).items()
    assert component_data(app, "predict.grid")["chosen"] == name
    assert len([trace for trace in live_charts(app)["predict.bars"]["data"] if trace["type"] == "bar"]) == 1 + beside


def test_the_class_table_begins_with_the_worst_class(lab):
    plain, dropped = pair(lab)
    app = lab.open("inspect", run=plain, beside=dropped)
    predictions = {"Run 1": predicted(lab, plain), "Run 2": predicted(lab, dropped)}
    expected = class_table(labels_of(lab, plain), predictions)
    shown = app.table[0].value
    assert shown.index.tolist() == expected["class"].tolist() != list(CLASSES)
    assert shown.iloc[0, 1:].tolist() != shown.iloc[-1, 1:].tolist()
    recalls = [float(text.rstrip("%")) for text in shown["Run 1: recall"]]
    matrix = counts(lab, plain)
    assert recalls == [
        pytest.approx(100 * matrix[place, place] / matrix[place].sum(), abs=0.05)
        for place in map(CLASSES.index, shown.index)
    ]


def test_the_most_confused_pairs_come_first(lab):
    plain, dropped = pair(lab)
    app = lab.open("inspect", run=plain, beside=dropped)
    shown = app.table[1].value.reset_index()
    both = counts(lab, plain) + counts(lab, dropped)
    np.fill_diagonal(both, 0)
    sums = (shown["Run 1"] + shown["Run 2"]).tolist()
    assert sums == sorted(both[both > 0].tolist(), reverse=True)[:10]
    for _, row in shown.iterrows():
        cell = CLASSES.index(row["Class"]), CLASSES.index(row["Taken for"])
        assert (row["Run 1"], row["Run 2"]) == (counts(lab, plain)[cell], counts(lab, dropped)[cell])


# Confidence


def test_the_figures_of_confidence_are_those_of_the_stored_networks(lab):
    runs = dict(zip(("Run 1 · no dropout", "Run 2 · dropout 0.3"), pair(lab), strict=True))
    first, second = runs.values()
    app = lab.open("inspect", view="Confidence", run=first, beside=second)
    assert not app.exception
    curves = {
        name: reliability(lab.probabilities(key, "validation"), labels_of(lab, key)) for name, key in runs.items()
    }
    table = app.table[0].value
    assert table.index.tolist() == list(curves)
    assert table.to_numpy().tolist() == calibration_table(curves).set_index("Run").to_numpy().tolist()
    drawn = {
        trace["name"]: trace
        for trace in live_charts(app)["inspect.reliability"]["data"]
        if trace["type"] == "scatter" and trace["name"] in curves
    }
    for name, curve in curves.items():
        filled = curve.count > 0
        assert drawn[name]["x"] == pytest.approx(curve.confidence[filled].tolist())
        assert drawn[name]["y"] == pytest.approx(curve.accuracy[filled].tolist())
    assert better_calibrated(curves) in all_words(app)


def test_one_run_is_compared_with_nothing(lab):
    lab.train()
    app = lab.open("inspect", view="Confidence")
    assert len(app.table[0].value) == 1
    assert "calibrated on these images" not in all_words(app)


# Doubtful labels


def mislabelled(lab):
    """Data in which one training image bears a wrong label and is held out with seed 0; return its position."""
    for position in split_indices(REAL, "held-out", 0)[1].tolist():
        labels = REAL.train_labels.copy()
        labels[position] = (labels[position] + 4) % 10
        lab.dataset = replace(REAL, train_labels=labels)
        if position in split_indices(lab.dataset, "held-out", 0)[1]:
            return position
    raise AssertionError("no image stays held out")


def expected_doubtful_labels(lab, keys_, part):
    """What runs that stored their predictions doubt."""
    source = lab.evaluation_images(keys_[0], part).source
    answers_of_runs = [
        HeldOutAnswers(
            lab.evaluation_images(key, part).positions,
            unpack(lab.store.replay(key, part)[lab.store.run(key).best_epoch]),
        )
        for key in keys_
    ]
    labels = lab.dataset.train_labels if source == "train" else lab.dataset.test_labels
    return [f"{source}-{position}" for position in doubtful_labels(answers_of_runs, labels, 48)["position"]]


def test_a_wrong_label_is_doubted_most(lab):
    position = mislabelled(lab)
    lab.train(SURE)
    app = lab.open("inspect", view="Doubtful labels")
    first = component_data(app, "inspect.doubtful")["tiles"][0]
    assert first["name"] == f"train-{position}"
    label = int(lab.dataset.train_labels[position])
    assert first["caption"].startswith(CLASSES[label])
    assert CLASSES[int(REAL.train_labels[position])] in first["caption"]  # what it is


def test_all_stored_runs_are_asked_about_doubtful_labels(lab):
    stored = [lab.train(), lab.train(OTHER_SEED), lab.train(DROPPED)]
    app = lab.open("inspect", view="Doubtful labels", run=stored[0], beside="none")
    expected = expected_doubtful_labels(lab, stored, "validation")
    assert expected != expected_doubtful_labels(lab, stored[:1], "validation")
    assert tiles(app, "inspect.doubtful") == expected


def test_test_labels_can_be_doubted_once_revealed(lab):
    stored = [lab.train(), lab.train(ARTICLE)]
    app = lab.open("inspect", view="Doubtful labels", run=stored[0])
    press(choose(app, "inspect.part", "test"), "inspect.reveal")
    assert tiles(app, "inspect.doubtful") == expected_doubtful_labels(lab, stored, "test")


def test_runs_that_stored_no_predictions_are_asked_about_doubtful_labels(lab):
    position = mislabelled(lab)
    old, new = lab.train(SURE), lab.train(replace(SURE, seed=1))
    lab.forget_predictions(old, new)
    app = lab.open("inspect", view="Doubtful labels", run=new)
    assert not app.exception
    assert tiles(app, "inspect.doubtful")[0] == f"train-{position}"


def test_labels_that_nobody_doubts_are_said_to_be_so(lab):
    lab.train(SURE)
    app = lab.open("inspect", view="Doubtful labels")
    assert not app.exception
    assert len(app.info) == 1
    assert grids(app) == []


def test_a_doubtful_image_leads_to_predict(lab):
    key = lab.train()
    app = lab.open("inspect", view="Doubtful labels")
    name = tiles(app, "inspect.doubtful")[2]
    trigger(app, "pick", name, key="inspect.doubtful")
    assert texts(app.title) == [PREDICT_TITLE]
    address = {"run": key, "beside": "none", "weights": "best", "image": name}
    assert address.items() <= dict(app.query_params).items()


# First layer


def test_the_strongest_hundred_units_of_each_run_are_shown(lab, monkeypatch):
    shown = []
    original = inspect_views.diverging_sheet
    monkeypatch.setattr(
        inspect_views, "diverging_sheet", lambda units, **look: shown.append(units) or original(units, **look)
    )
    wide = replace(CONFIG, hidden=(128, 16), epochs=1)
    stored = [lab.train(wide), lab.train(replace(wide, dropout=0.3)), lab.train(replace(wide, seed=1))]
    weights = [lab.network(key).first_layer_weights() for key in stored]
    orders = [strongest_first(units)[:100] for units in weights]
    app = lab.open("inspect", view="First layer", run=stored[0], beside=stored[1])
    assert not app.exception
    assert len(app.get("image")) == 2
    assert "100 of 128" in all_words(app)
    assert np.array_equal(shown[0], weights[0][orders[0]])
    assert np.array_equal(shown[1], weights[1][orders[0]])  # the same start: the same unit in the same place
    shown.clear()
    lab.open("inspect", view="First layer", run=stored[0], beside=stored[2])
    assert np.array_equal(shown[1], weights[2][orders[2]])


def test_networks_of_different_width_can_be_shown_side_by_side(lab):
    first, second = lab.train(), lab.train(replace(CONFIG, hidden=(16,), epochs=1))
    app = lab.open("inspect", view="First layer", run=first, beside=second)
    assert not app.exception
    assert len(app.get("image")) == 2
    assert "16 of 16" in all_words(app)


# Map


def points(app):
    """Image name -> its place on the map."""
    return {
        name: place
        for trace in live_charts(app)["inspect.map"]["data"]
        for name, *place in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
    }


def neighbours(lab, **address):
    """The map by neighbours, and what is asked of the dispatcher for it."""
    return choose(lab.open("inspect", view="Map", **address), "inspect.way", "neighbours")


def test_the_map_shows_each_evaluation_image_on_the_plane_of_its_run(lab):
    plain, dropped = pair(lab)
    app = lab.open("inspect", view="Map", run=plain, beside=dropped)
    images = lab.evaluation_images(plain, "validation")
    pixels = images.pixels(lab.dataset)
    for key in (plain, dropped):
        choose(app, f"inspect.map_run {plain} {dropped}", key)
        expected = plane(lab.network(key).last_hidden(pixels))
        shown = points(app)
        assert len(shown) == 100
        for row in (0, 42, 99):
            assert shown[str(images.name(row))] == pytest.approx(expected[row].tolist(), abs=1e-3)
    assert [trace["name"] for trace in live_charts(app)["inspect.map"]["data"]] == list(CLASSES)


def test_a_point_of_the_map_leads_to_predict(lab):
    key = lab.train()
    app = lab.open("inspect", view="Map")
    name = list(points(app))[17]
    trigger(app, "click", name, key="inspect.map")
    assert not app.exception
    assert texts(app.title) == [PREDICT_TITLE]
    address = {"run": key, "beside": "none", "weights": "best", "image": name}
    assert address.items() <= dict(app.query_params).items()


def test_a_click_that_names_no_image_leads_nowhere(lab):
    lab.train()
    app = lab.open("inspect", view="Map")
    for name in ("", None, 7, "elsewhere", "test-01", "train-1\n", "x" * 10_000, ["test-1"]):
        trigger(app, "click", name, key="inspect.map")
        assert not app.exception, name
        assert list(live_charts(app)) == ["inspect.map"], name


def test_a_map_of_neighbours_is_drawn_on_request_by_a_worker_and_then_kept(lab):
    key = lab.train()
    request = MapRequest(key, "best", "validation")
    app = neighbours(lab)
    assert not live_charts(app)
    assert lab.dispatcher.maps == []
    press(app, "inspect.draw")
    assert not app.exception
    assert lab.dispatcher.maps == [request]
    assert "inspect.draw" not in keys(app.button)
    assert len(app.info) == 1
    drawn = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    lab.store.put_projection(key, lab.store.run(key).best_epoch, "validation", drawn)
    lab.dispatcher.maps.remove(request)
    app.run()
    assert not app.info
    assert sorted(map(tuple, points(app).values())) == [
        pytest.approx(place, abs=1e-3) for place in sorted(map(tuple, drawn.tolist()))
    ]
    assert list(live_charts(neighbours(lab))) == ["inspect.map"]  # for the next visitor, too


def test_a_map_is_asked_for_with_the_chosen_run_weights_and_images(lab):
    plain, dropped = pair(lab)
    app = neighbours(lab, run=plain, beside=dropped, weights="last")
    press(choose(app, "inspect.part", "test"), "inspect.reveal")
    choose(app, f"inspect.map_run {plain} {dropped}", dropped)
    press(app, "inspect.draw")
    assert lab.dispatcher.maps == [MapRequest(dropped, "last", "test")]


def test_a_map_that_could_not_be_drawn_is_explained_and_can_be_asked_for_again(lab):
    request = MapRequest(lab.train(), "best", "validation")
    lab.dispatcher.problems[request] = "the data are gone *for good*."
    app = neighbours(lab)
    assert not app.exception
    (sentence,) = texts(app.error)
    assert "the data are gone \\*for good\\*." in sentence
    assert not sentence.endswith("..")
    press(app, "inspect.draw")
    assert not app.error
    assert lab.dispatcher.maps == [request]


def test_the_map_of_a_run_that_trains_waits_for_its_end(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.4, best=model_to_bytes(MLP(CONFIG)))
    app = neighbours(lab, run=key)
    assert not app.exception
    assert len(app.info) == 1
    assert not keys(app.button)
