"""Predict as a visitor without a browser sees it: the real app, a tiny data set, and no workers.

How pictures are pressed, drawn and replayed in a browser is tested in tests/browser.
"""

import base64
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from torch import Generator

from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.evaluation_images import common_images
from fmnist_core.data.image_name import ImageName
from fmnist_core.data.split import split, training_examples
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.pictures.own_picture import background_is_bright, prepare
from fmnist_core.results import selection
from fmnist_core.results.run_names import describe, describe_all
from fmnist_core.results.selection import PAIR_CHOICES, select
from fmnist_core.store.predictions import unpack
from tests.components import component_data, components, set_state, trigger
from tests.conftest import make_tiny_dataset
from tests.page_lab import CONFIG, all_words, choose, go_to, keys, live_charts, press, texts, unescaped
from ui import handles

DROPPED = replace(CONFIG, dropout=0.3)
OTHER_SEED = replace(CONFIG, seed=1)
ARTICLE = replace(CONFIG, protocol="article")
# Early enough that dropout fixes some images and breaks others, among the test and the validation images.
EARLY = replace(CONFIG, epochs=4)
EARLY_DROPPED = replace(EARLY, dropout=0.2)
SINGLE = ("all", "mistakes", "confident mistakes", "least certain")
PAGE_IMAGES = 20


def tiles(app):
    """The names of the images to pick from."""
    return [tile["name"] for tile in component_data(app, "predict.grid")["tiles"]]


def all_tiles(app):
    """The names of all images to pick from, page after page."""
    names = tiles(app)
    while not app.button(key="predict.next").disabled:
        press(app, "predict.next")
        names += tiles(app)
    return names


def shown(app):
    """The name of the image that is asked about."""
    return component_data(app, "predict.grid")["chosen"]


def pick(app, name):
    return trigger(app, "pick", name, key="predict.grid")


def figure(app):
    return live_charts(app)["predict.bars"]


def bars(app):
    """Each run's probabilities."""
    return [trace["x"] for trace in figure(app)["data"] if trace["type"] == "bar"]


def pixels_of(lab, name):
    image, _label = ImageName.parse(name).find(lab.dataset)
    return image


def answers(lab, image, *keys, kind="best"):
    """What the stored networks say of an image, uint8 (28, 28)."""
    return [pytest.approx(lab.network(key, kind).probabilities(image[None])[0].tolist(), abs=1e-5) for key in keys]


def range_words(app):
    """The first and the last place shown and, where it is told, of how many."""
    (found,) = filter(None, (re.fullmatch(r"(\d+) to (\d+)(?: of ([\d,]+))?", text) for text in texts(app.caption)))
    return tuple(None if number is None else int(number.replace(",", "")) for number in found.groups())


def verdicts(app):
    """How many runs are said to be right, and how many wrong."""
    return len(app.success), len(app.error)


def pair(lab):
    """Two runs that differ in dropout alone, without first."""
    return lab.train(), lab.train(DROPPED)


# Images


def test_the_first_image_of_the_grid_is_shown_with_the_stored_networks_probabilities(lab):
    key = lab.train()
    app = lab.open("predict")
    assert not app.exception
    assert tiles(app) == [f"test-{row}" for row in np.random.default_rng(0).permutation(200)[:PAGE_IMAGES]]
    assert shown(app) == tiles(app)[0]
    assert "image" not in app.query_params
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), key)


def test_the_verdict_says_whether_each_run_is_right(lab):
    keys_ = pair(lab)
    said = [lab.probabilities(key).argmax(axis=1) for key in keys_]
    truth = lab.dataset.test_labels
    right = np.stack([classes == truth for classes in said])
    app = lab.open("predict", run=keys_[0], beside=keys_[1])
    seen = set()
    for row in (*np.flatnonzero(right.all(axis=0))[:1], *np.flatnonzero(~right.all(axis=0))[:6]):
        app.query_params["image"] = f"test-{row}"
        app.run()
        assert verdicts(app) == (right[:, row].sum(), (~right[:, row]).sum())
        verdict_words = "\n".join(texts(app.success) + texts(app.error))
        assert all(f"**{CLASSES[classes[row]]}**" in verdict_words for classes in said)
        assert f"true class **{CLASSES[truth[row]]}**" in all_words(app)
        seen.add(verdicts(app))
    assert len(seen) >= 2


def test_what_differs_between_two_runs_is_told_from_the_one_with_less_dropout(lab):
    plain, dropped = lab.train(EARLY), lab.train(EARLY_DROPPED)
    before, after, labels = lab.probabilities(plain), lab.probabilities(dropped), lab.dataset.test_labels
    for run, beside in ((plain, dropped), (dropped, plain)):
        app = lab.open("predict", run=run, beside=beside)
        for choice, sentence in (
            ("fixed", "Dropout fixed it."),
            ("broke", "Dropout broke it."),
            ("both wrong", "Both are wrong."),
        ):
            app.query_params["image"] = f"test-{select(choice, labels, before, after)[0]}"
            assert sentence in texts(app.run().markdown)


def test_each_tile_says_what_the_first_run_takes_it_for(lab):
    key = lab.train()
    answered, truth = lab.probabilities(key), lab.dataset.test_labels
    app = lab.open("predict")
    press(app, "predict.reveal")
    sent = component_data(app, "predict.grid")["tiles"]
    for tile in sent:
        row = ImageName.parse(tile["name"]).index
        assert tile["wrong"] == (answered[row].argmax() != truth[row])
        assert CLASSES[truth[row]] in tile["caption"]
        assert (CLASSES[answered[row].argmax()] in tile["caption"]) or not tile["wrong"]
    assert len({tile["wrong"] for tile in sent}) == 2


def test_a_picked_image_goes_into_the_address_and_stays_when_the_run_changes(lab):
    first, second = lab.train(), lab.train(OTHER_SEED)
    app = lab.open("predict")
    name = tiles(app)[5]
    pick(app, name)
    assert not app.exception
    assert app.query_params["image"] == name
    assert bars(app) == answers(lab, pixels_of(lab, name), second)
    choose(app, "look.run", first)
    assert (app.query_params["image"], shown(app)) == (name, name)
    assert bars(app) == answers(lab, pixels_of(lab, name), first)


def test_what_is_no_tile_is_not_picked(lab):
    lab.train()
    app = lab.open("predict")
    before = shown(app)
    for value in ("test-999999", "train-0", "", None, 7, ["test-1"], "<b>"):
        pick(app, value)
        assert not app.exception, value
        assert "image" not in app.query_params, value
        assert shown(app) == before, value


@pytest.mark.parametrize(("name", "kind"), [("test-199", "test"), ("test-0", "test"), ("train-held", "validation")])
def test_the_image_in_the_address_is_shown(lab, name, kind):
    key = lab.train()
    name = name.replace("held", str(lab.evaluation_images(key, "validation").positions[7]))
    app = lab.open("predict", image=name)
    assert not app.exception
    assert not app.warning
    assert app.segmented_control(key="predict.kind").value == kind
    assert shown(app) == name
    assert bars(app) == answers(lab, pixels_of(lab, name), key)


NO_IMAGES = [
    "",
    "test",
    "test-",
    "test-01",
    "test--1",
    "test-200",
    "train-600",
    "train-9999999",
    "test-99999999999999999999",
    "Test-1",
    "validation-1",
    "test-\N{ARABIC-INDIC DIGIT THREE}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "[a](javascript:b) $x$ `c`",
    "\0",
    "x" * 3000,
]


def test_an_address_that_names_no_image_is_explained(lab):
    lab.train()
    app = lab.open("predict")
    for name in NO_IMAGES:
        app.query_params["image"] = name
        app.run()
        assert not app.exception, name
        (sentence,) = texts(app.warning)
        assert "image in this page's address cannot be shown" in sentence
        assert not re.search(r"(?<!\\)[<>`$\[\]]", sentence)  # shown as it is, not as Markdown
        assert shown(app) == tiles(app)[0]
    pick(app, tiles(app)[3])
    assert not app.warning


# Runs and weights


def test_the_run_in_the_address_is_the_one_that_is_asked(lab):
    first, second = lab.train(), lab.train(OTHER_SEED)
    app = lab.open("predict", run=first)
    box = app.selectbox(key="look.run")
    names = describe_all([OTHER_SEED, CONFIG])
    assert box.options == [f"Run {number} · {name}" for number, name in zip((2, 1), names, strict=True)]
    assert box.value == first
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), first)
    assert lab.open("predict").selectbox(key="look.run").value == second  # the newest, where the address names none


def test_the_second_run_is_the_one_that_differs_in_dropout_alone(lab):
    plain, dropped = pair(lab)
    strong, other = lab.train(replace(CONFIG, dropout=0.5)), lab.train(OTHER_SEED)
    app = lab.open("predict", run=plain)
    assert app.selectbox(key="look.beside").value == dropped  # nearer to the article's 0.2 than 0.5
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), plain, dropped)
    assert lab.open("predict", run=strong).selectbox(key="look.beside").value == plain
    app = lab.open("predict", run=other)
    assert app.selectbox(key="look.beside").value == "none"
    assert len(bars(app)) == 1


def test_the_address_chooses_both_runs_and_the_weights(lab):
    plain, _, other = *pair(lab), lab.train(OTHER_SEED)
    app = lab.open("predict", run=plain, beside=other, weights="last")
    assert not app.warning
    assert app.segmented_control(key="look.kind").value == "last"
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), plain, other, kind="last")
    app = lab.open("predict", run=plain, beside="none")
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), plain)


@pytest.mark.parametrize(
    ("parameter", "value", "warnings"),
    [
        ("beside", "x", 1),
        ("beside", "0123456789abcdef", 1),
        ("beside", "NONE", 1),
        ("beside", "itself", 0),
        ("weights", "checkpoint", 0),
        ("weights", "", 0),
        ("weights", "<b>", 0),
    ],
)
def test_what_the_address_says_wrongly_of_runs_falls_back_to_the_default(lab, parameter, value, warnings):
    plain, dropped = pair(lab)
    app = lab.open("predict", run=plain, **{parameter: plain if value == "itself" else value})
    assert not app.exception
    assert len(app.warning) == warnings
    assert app.selectbox(key="look.beside").value == dropped
    assert app.segmented_control(key="look.kind").value == "best"
    assert len(bars(app)) == 2


def test_choices_of_runs_and_weights_go_into_the_address(lab):
    plain, dropped = pair(lab)
    other = lab.train(OTHER_SEED)
    app = lab.open("predict", run=plain)
    choose(app, "look.beside", other)
    assert dict(app.query_params) == {"run": plain, "beside": other, "weights": "best"}
    choose(app, "look.kind", "last")
    assert dict(app.query_params) == {"run": plain, "beside": other, "weights": "last"}
    choose(app, "look.run", dropped)  # another run has another counterpart
    assert dict(app.query_params) == {"run": dropped, "beside": plain, "weights": "last"}
    choose(app, "look.beside", "none")
    assert dict(app.query_params) == {"run": dropped, "beside": "none", "weights": "last"}
    choose(app, "look.run", other)
    assert dict(app.query_params) == {"run": other, "beside": "none", "weights": "last"}


def test_the_second_run_can_never_be_the_first(lab):
    plain, dropped = pair(lab)
    app = lab.open("predict", run=plain, beside=dropped)
    assert not any(name.startswith("Run 1 ") for name in app.selectbox(key="look.beside").options)
    choose(app, "look.run", dropped)
    assert app.selectbox(key="look.beside").value == plain


def test_choices_last_while_another_page_is_open(lab):
    plain, _dropped = pair(lab)
    app = lab.open("predict")
    choose(app, "look.run", plain)
    choose(app, "look.beside", "none")
    choose(app, "predict.choice", "mistakes")
    go_to(app, "data")
    app.query_params.clear()
    go_to(app, "predict")
    assert app.selectbox(key="look.run").value == plain
    assert app.selectbox(key="look.beside").value == "none"
    assert app.selectbox(key="predict.choice").value == "mistakes"


def fake_run(lab, config=CONFIG, last=2):
    """A run with two epochs and different networks, the first one the best, as though it had been trained."""
    key = lab.ask(config)
    first, second = (model_to_bytes(MLP(CONFIG, weights=Generator().manual_seed(seed))) for seed in (1, 2))
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.4, best=first)
    lab.record(key, 2, 0.5)
    lab.store.leases.end(key, "a worker", "finished" if last else "failed", last=second if last else None)
    return key


def test_the_last_epochs_weights_can_be_asked_instead_of_the_best(lab):
    key = fake_run(lab)
    app = lab.open("predict")
    image = pixels_of(lab, shown(app))
    assert bars(app) == answers(lab, image, key, kind="best")
    assert "Run 1: epoch 1" in texts(app.caption)
    choose(app, "look.kind", "last")
    assert bars(app) == answers(lab, image, key, kind="last") != answers(lab, image, key, kind="best")
    assert "Run 1: epoch 2" in texts(app.caption)


def test_a_run_that_failed_has_its_best_epoch_only(lab):
    fine, failed = lab.train(OTHER_SEED), fake_run(lab, last=None)
    app = lab.open("predict", run=failed, weights="last")
    assert not app.exception
    assert app.segmented_control(key="look.kind").value == "best"
    assert len(app.segmented_control(key="look.kind").options) == 1
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), failed)
    app = lab.open("predict", run=fine, beside=failed)
    assert len(app.segmented_control(key="look.kind").options) == 1


def test_a_run_that_went_on_is_asked_with_its_new_last_weights(lab):
    """Its best epoch, and so all that was known of it, may be the same as before."""
    key = lab.ask()
    early, late = (model_to_bytes(MLP(CONFIG, weights=Generator().manual_seed(seed))) for seed in (1, 2))
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.4, best=early)
    lab.store.leases.end(key, "a worker", "stopped", last=early)
    app = lab.open("predict", weights="last")
    image = pixels_of(lab, shown(app))
    before = answers(lab, image, key, kind="last")
    assert bars(app) == before
    lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 2, 0.5)
    lab.store.leases.end(key, "a worker", "finished", last=late)
    app.run()
    assert bars(app) == answers(lab, image, key, kind="last") != before


def test_a_run_that_trains_is_asked_at_its_best_epoch_so_far(lab):
    finished, running = lab.train(), lab.ask(OTHER_SEED)
    lab.store.leases.claim(running, "a worker")
    lab.record(running, 1, 0.4, best=model_to_bytes(MLP(CONFIG, weights=Generator().manual_seed(1))))
    app = lab.open("predict", run=finished)
    choose(app, "look.kind", "last")
    choose(app, "look.run", running)
    assert not app.exception
    assert len(app.segmented_control(key="look.kind").options) == 1
    assert app.segmented_control(key="look.kind").value == "best"
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), running)
    lab.record(running, 2, 0.3, best=model_to_bytes(MLP(CONFIG, weights=Generator().manual_seed(2))))
    app.run()
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), running)


@pytest.mark.parametrize("parameter", ["run", "beside"])
def test_runs_trained_on_other_data_are_not_offered(lab, parameter):
    real, other = lab.dataset, replace(make_tiny_dataset(train_per_class=30), name="Drawn garments")
    lab.dataset = other
    foreign = lab.train(dataset=other)
    lab.dataset = real
    own = lab.train(DROPPED)
    app = lab.open("predict", **{parameter: foreign})
    assert not app.exception
    assert app.selectbox(key="look.run").options == [f"Run 2 · {describe(DROPPED)}"]
    assert app.selectbox(key="look.run").value == own
    assert len(app.selectbox(key="look.beside").options) == 1
    (sentence,) = texts(app.info)
    assert sentence.startswith("Run 1 was trained on other data (Drawn garments)")


def test_a_run_without_an_epoch_is_not_offered_and_the_page_says_why(lab):
    lab.train()
    waiting = lab.ask(DROPPED)
    app = lab.open("predict", run=waiting)
    assert not app.exception
    assert app.selectbox(key="look.run").options == [f"Run 1 · {describe(CONFIG)}"]
    assert len(app.selectbox(key="look.beside").options) == 1
    assert texts(app.info) == ["Run 2 has no network to ask yet."]


@pytest.mark.parametrize("method", ["changed_runs", "weights", "replay"])
def test_a_store_that_fails_while_the_page_is_drawn_is_explained(lab, method):
    lab.train()
    app = lab.open()
    lab.fail(method)
    go_to(app, "predict")
    assert not app.exception
    assert [text for text in texts(app.error) if "the run store cannot be read (disk I/O error)" in text]
    assert not [key for key in live_charts(app) if key.startswith("predict")]


# Which images to pick from


@pytest.mark.parametrize("choice", SINGLE + PAIR_CHOICES)
@pytest.mark.parametrize("part", ["test", "validation"])
def test_each_filter_shows_exactly_its_images_in_its_order(lab, choice, part):
    plain, dropped = lab.train(EARLY), lab.train(EARLY_DROPPED)
    images = lab.evaluation_images(plain, part)
    labels = images.labels(lab.dataset)
    before, after = lab.probabilities(plain, part), lab.probabilities(dropped, part)
    app = lab.open("predict", run=dropped, beside=plain)  # whichever stands first, dropout is what it is about
    choose(app, "predict.kind", part)
    choose(app, "predict.choice", choice)
    if part == "test" and choice not in {"all", "least certain"}:
        press(app, "predict.reveal")
    rows = select(choice, labels, before, after) if choice in PAIR_CHOICES else select(choice, labels, after)
    assert len(rows)
    assert all_tiles(app) == [str(images.name(int(row))) for row in rows]


def test_two_runs_can_be_compared_and_one_cannot(lab):
    plain, dropped = pair(lab)
    app = lab.open("predict", run=plain, beside=dropped)
    choose(app, "predict.choice", "both wrong")
    assert len(app.selectbox(key="predict.choice").options) == 7
    choose(app, "look.beside", "none")
    assert not app.exception
    assert len(app.selectbox(key="predict.choice").options) == 4
    assert app.selectbox(key="predict.choice").value == "all"
    assert len(all_tiles(app)) == 200


def test_only_of_two_runs_that_differ_in_nothing_else_dropout_is_said_to_fix_an_image(lab):
    plain, dropped = pair(lab)
    other = lab.train(replace(DROPPED, seed=1))
    for run, beside in ((plain, dropped), (dropped, plain)):
        words = lab.open("predict", run=run, beside=beside).selectbox(key="predict.choice").options
        assert {"Dropout fixed it", "Dropout broke it"} <= set(words)
    words = lab.open("predict", run=other, beside=plain).selectbox(key="predict.choice").options
    assert {"Run 3 fixed it", "Run 3 broke it"} <= set(words)
    assert not [text for text in words if "ropout" in text]


def test_one_class_can_be_asked_for(lab):
    key = lab.train()
    app = lab.open("predict")
    choose(app, "predict.class", 7)
    assert set(all_tiles(app)) == {f"test-{row}" for row in np.flatnonzero(lab.dataset.test_labels == 7)}
    press(choose(app, "predict.choice", "mistakes"), "predict.reveal")
    choose(app, "predict.class", 6)
    wrong = lab.probabilities(key).argmax(axis=1) != lab.dataset.test_labels
    expected = {f"test-{row}" for row in np.flatnonzero(wrong & (lab.dataset.test_labels == 6))}
    assert expected
    assert set(all_tiles(app)) == expected


def test_a_choice_without_images_says_so(lab):
    key = lab.train(replace(CONFIG, learning_rate=0.003))
    assert lab.store.tests(key)["best"].accuracy == 1
    app = lab.open("predict")
    press(choose(app, "predict.choice", "mistakes"), "predict.reveal")
    assert not app.exception
    assert len(app.info) == 1
    assert not components(app)
    app.query_params["image"] = "test-5"  # one that was picked before stays
    app.run()
    assert bars(app) == answers(lab, pixels_of(lab, "test-5"), key)
    del app.query_params["image"]
    choose(app, "predict.choice", "all")
    assert not app.info
    assert shown(app) == tiles(app)[0]


def test_pages_hold_20_images_and_can_be_turned_up_to_the_ends(lab):
    lab.train()
    app = lab.open("predict")
    seen = []
    for page in range(10):
        assert app.button(key="predict.previous").disabled == (page == 0)
        assert app.button(key="predict.next").disabled == (page == 9)
        assert range_words(app) == (20 * page + 1, 20 * page + 20, 200)
        assert shown(app) == tiles(app)[0]
        seen += tiles(app)
        if page < 9:
            assert len(tiles(app)) == PAGE_IMAGES
            press(app, "predict.next")
    assert sorted(seen) == sorted(f"test-{row}" for row in range(200))
    press(app, "predict.previous")
    assert range_words(app) == (161, 180, 200)


def test_a_picked_image_stays_when_the_page_is_turned(lab):
    lab.train()
    app = lab.open("predict")
    name = tiles(app)[2]
    press(pick(app, name), "predict.next")
    assert name not in tiles(app)
    assert shown(app) == app.query_params["image"] == name


@pytest.mark.parametrize(
    ("key", "value", "before"),
    [
        ("predict.choice", "least certain", "all"),
        ("predict.class", 3, -1),
        ("predict.kind", "validation", "test"),
    ],
)
def test_another_choice_of_images_starts_on_its_first_page(lab, key, value, before):
    lab.train()
    app = lab.open("predict")
    press(press(app, "predict.next"), "predict.next")
    for chosen in (value, before):
        choose(app, key, chosen)
        assert range_words(app)[0] == 1
        assert app.button(key="predict.previous").disabled


def test_a_run_with_fewer_mistakes_shows_its_last_page_of_them(lab):
    many, few = lab.train(EARLY), lab.train()
    app = choose(lab.open("predict", run=many, beside="none"), "predict.choice", "mistakes")
    press(app, "predict.reveal")
    press(press(app, "predict.next"), "predict.next")
    assert range_words(app)[0] == 41
    press(choose(app, "look.run", few), "predict.reveal")
    assert not app.exception
    assert range_words(app)[0] == 21
    assert app.button(key="predict.next").disabled


def test_a_shuffle_starts_anew_in_another_order(lab, monkeypatch):
    lab.train()
    app = lab.open("predict")
    before = tiles(press(app, "predict.next"))
    monkeypatch.setattr(selection, "new_order", lambda: 1)
    press(app, "predict.shuffle")
    assert range_words(app)[0] == 1
    assert tiles(app) != before
    assert tiles(app) == [f"test-{row}" for row in np.random.default_rng(1).permutation(200)[:PAGE_IMAGES]]


# Figures that stay hidden


@pytest.mark.parametrize("choice", ["mistakes", "confident mistakes", *PAIR_CHOICES])
def test_which_test_images_are_wrong_is_shown_once_test_figures_are_revealed(lab, choice):
    """Neither a count nor a pager, a class nor a single picture: each would tell the test accuracy, or a part of it."""
    plain, dropped = lab.train(EARLY), lab.train(EARLY_DROPPED)
    app = lab.open("predict", run=plain, beside=dropped)
    choose(app, "predict.choice", choice)

    def is_hidden():
        return "predict.grid" not in keys(components(app))

    assert is_hidden()
    choose(app, "predict.class", 3)
    assert is_hidden()
    choose(app, "predict.class", -1)
    app.session_state["revealed"] = {plain}
    app.run()
    assert is_hidden(), "both runs are needed"
    press(app, "predict.reveal")
    assert range_words(app)[2] == len(all_tiles(app))


def test_hidden_test_figures_mark_no_tile(lab):
    """Who pages through marked test images counts a part of the accuracy."""
    lab.train()
    app = lab.open("predict")
    for choice in ("all", "least certain"):
        choose(app, "predict.choice", choice)
        sent = component_data(app, "predict.grid")["tiles"]
        truth = lab.dataset.test_labels
        for tile in sent:
            image = ImageName.parse(tile["name"])
            name = CLASSES[truth[image.index]]
            assert (tile["caption"], tile["alt"], tile["wrong"]) == (name, f"Test image {image.index}, {name}", False)
    choose(app, "predict.kind", "validation")
    assert any(tile["wrong"] for tile in component_data(app, "predict.grid")["tiles"])


def test_how_many_validation_images_are_wrong_is_no_secret(lab):
    key = lab.train()
    app = choose(lab.open("predict"), "predict.kind", "validation")
    choose(app, "predict.choice", "mistakes")
    wrong = lab.probabilities(key, "validation").argmax(axis=1) != lab.evaluation_images(key, "validation").labels(
        lab.dataset
    )
    assert range_words(app)[2] == wrong.sum() > 0


def test_the_articles_test_mistakes_are_no_secret(lab):
    key = lab.train(ARTICLE)
    app = choose(lab.open("predict"), "predict.choice", "mistakes")
    wrong = lab.probabilities(key).argmax(axis=1) != lab.dataset.test_labels
    assert range_words(app)[2] == wrong.sum() > 0


# Validation images


def test_the_validation_images_are_those_held_out(lab):
    key = lab.train(OTHER_SEED)
    app = choose(lab.open("predict"), "predict.kind", "validation")
    held_out = lab.evaluation_images(key, "validation").positions
    assert len(held_out) == 100
    assert sorted(all_tiles(app)) == sorted(f"train-{position}" for position in held_out)
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), key)


def test_of_two_seeds_only_the_common_validation_images_are_shown(lab):
    first, second = lab.train(), lab.train(OTHER_SEED)
    app = choose(lab.open("predict", run=first, beside=second), "predict.kind", "validation")
    common = common_images(lab.evaluation_images(first, "validation"), lab.evaluation_images(second, "validation"))
    assert 0 < len(common) < 100
    assert sorted(all_tiles(app)) == sorted(f"train-{position}" for position in common.positions)
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), first, second)
    assert not app.warning


@pytest.mark.parametrize("image", [None, "train-5"])
def test_a_held_out_run_beside_one_of_the_article_has_no_validation_image(lab, image):
    first, second = lab.train(), lab.train(ARTICLE)
    app = lab.open("predict", run=first, beside=second, **({} if image is None else {"image": image}))
    choose(app, "predict.kind", "validation") if image is None else None
    assert not app.exception
    assert len(app.info) == 1
    if image is None:
        assert not components(app)
    else:  # it is answered all the same, and said to be known to the run of the article
        assert bars(app) == answers(lab, pixels_of(lab, image), first, second)
        assert len(app.warning) == 1
    choose(app, "predict.kind", "test")
    assert not app.info
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), first, second)


def test_an_image_that_a_smaller_training_set_left_out_is_not_called_known(lab):
    config = replace(CONFIG, training_images=100)
    key = lab.train(config)
    chosen = training_examples(config, split(lab.dataset, config.protocol, config.seed).training).indices
    left_out = min(set(range(600)) - set(chosen) - set(lab.evaluation_images(key, "validation").positions))
    assert len(texts(lab.open("predict", run=key, image=f"train-{chosen[0]}").warning)) == 1
    assert not lab.open("predict", run=key, image=f"train-{left_out}").warning


def test_an_image_that_a_run_was_trained_on_is_labelled_so(lab):
    first, second = lab.train(), lab.train(OTHER_SEED)
    ours, theirs = (set(lab.evaluation_images(key, "validation").positions) for key in (first, second))
    for position, names in (
        (min(theirs - ours), ["Run 1"]),
        (min(ours - theirs), ["Run 2"]),
        (min(set(range(600)) - ours - theirs), ["Run 1", "run 2"]),
    ):
        app = lab.open("predict", run=first, beside=second, image=f"train-{position}")
        (sentence,) = texts(app.warning)
        assert re.findall("[Rr]un [0-9]", sentence) == names
        assert bars(app) == answers(lab, pixels_of(lab, f"train-{position}"), first, second)
    app = lab.open("predict", run=first, beside=second, image=f"train-{min(ours & theirs)}")
    assert not app.warning


def test_another_kind_of_image_begins_with_its_own_first_one(lab):
    lab.train()
    app = lab.open("predict", image="test-7")
    choose(app, "predict.kind", "validation")
    assert "image" not in app.query_params
    assert shown(app) == tiles(app)[0]
    assert shown(app).startswith("train-")


# Looking inside


def dots(app):
    """Run by run, the single answers: class -> values."""
    found = []
    for trace in figure(app)["data"]:
        if trace["type"] == "scatter" and trace["mode"] == "markers":
            rows = np.rint(np.array(trace["y"])).astype(int)
            found.append({row: np.array(trace["x"])[rows == row].tolist() for row in np.unique(rows).tolist()})
    return found


def test_asked_often_each_likely_class_has_fifty_dots(lab):
    plain, dropped = pair(lab)
    app = lab.open("predict", run=plain, beside=dropped, image="test-130")
    assert not dots(app)
    choose(app, "predict.passes", True)
    assert not app.exception
    image = pixels_of(lab, "test-130")
    for key, shown_dots in zip((plain, dropped), dots(app), strict=True):
        passes = lab.network(key).dropout_passes(image, 50)
        seen = np.flatnonzero(passes.max(axis=0) >= 0.01).tolist()
        assert list(shown_dots) == seen
        assert all(shown_dots[row] == pytest.approx(passes[:, row].tolist(), abs=1e-5) for row in seen)
        assert {len(values) for values in shown_dots.values()} == {50}
    without, with_dropout = dots(app)
    assert all(np.ptp(values) == 0 for values in without.values())
    assert max(np.ptp(values) for values in with_dropout.values()) > 0.01
    assert "Run 1 was trained without dropout" in all_words(app)
    assert "Run 2 was trained without dropout" not in all_words(app)
    assert not live_charts(app)["predict.bars"].get("frames")  # single answers belong to one epoch
    assert bars(app) == answers(lab, image, plain, dropped)


def test_pixels_are_shown_for_each_run(lab):
    plain, dropped = pair(lab)
    app = lab.open("predict", run=plain, beside=dropped)
    assert len(app.get("image")) == 1
    choose(app, "predict.pixels", True)
    assert not app.exception
    assert len(app.get("image")) == 3
    assert len({element.proto.imgs[0].url for element in app.get("image")}) == 3
    choose(app, "look.beside", "none")
    assert len(app.get("image")) == 2


# Replays


def replays(app):
    """Epoch -> each run's probabilities."""
    return {frame["name"]: [bar["x"] for bar in frame["data"]] for frame in figure(app).get("frames") or []}


@pytest.mark.parametrize("kind", ["test", "validation"])
def test_the_replay_shows_what_each_epoch_said(lab, kind):
    plain, dropped = pair(lab)
    app = lab.open("predict", run=plain, beside=dropped)
    choose(app, "predict.kind", kind)
    row = lab.evaluation_images(plain, kind).row(ImageName.parse(shown(app)))
    stored = [lab.store.replay(key, kind) for key in (plain, dropped)]
    assert list(replays(app)) == [f"Epoch {epoch}" for epoch in range(1, 9)]
    for epoch, rows in enumerate(replays(app).values(), start=1):
        assert rows == [pytest.approx(unpack(packed[epoch])[row].tolist()) for packed in stored]
    assert figure(app)["layout"]["meta"]["start_frame"] == lab.store.run(plain).best_epoch - 1


def test_a_shorter_run_beside_leaves_the_replay_early(lab):
    long, short = lab.train(), lab.train(replace(CONFIG, epochs=3))
    app = lab.open("predict", run=long, beside=short)
    assert len(replays(app)) == 8
    assert [rows[1] == [None] * 10 for rows in replays(app).values()] == [False] * 3 + [True] * 5
    app = lab.open("predict", run=short, beside=long)
    assert not app.exception
    assert len(replays(app)) == 8
    assert figure(app)["layout"]["meta"]["start_frame"] == lab.store.run(short).best_epoch - 1


def test_runs_that_stored_no_predictions_have_no_replay_and_the_page_says_so(lab):
    key = lab.train()
    lab.forget_predictions(key)
    app = lab.open("predict")
    assert not app.exception
    assert not replays(app)
    assert "No replay" in all_words(app)
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), key)


def test_a_run_whose_best_epoch_is_older_than_replays_has_one_of_the_others(lab):
    key = lab.train()
    lab.forget_predictions(key, epoch=lab.store.run(key).best_epoch)
    app = lab.open("predict")
    assert not app.exception
    assert len(replays(app)) == 7
    assert bars(app) == answers(lab, pixels_of(lab, shown(app)), key)


def test_images_that_a_run_was_trained_on_have_no_replay(lab):
    key = lab.train()
    trained_on = min(set(range(600)) - set(lab.evaluation_images(key, "validation").positions))
    app = lab.open("predict", image=f"train-{trained_on}")
    assert not replays(app)
    assert "No replay" in all_words(app)


# Your own picture


def own(lab, way="draw", **address):
    app = choose(lab.open("predict", **address), "predict.kind", "own")
    return app if way == "draw" else choose(app, "predict.way", way)


def draw(app, pixels):
    return set_state(app, "pixels", base64.b64encode(pixels.tobytes()).decode(), key="predict.drawing")


def png(pixels):
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def upload(app, content, name="garment.png"):
    return app.file_uploader(key="predict.upload").set_value((name, content, "image/png")).run()


def dark_ground(lab):
    """A test image that is not taken for one with a bright background."""
    images = lab.dataset.test_images
    return images[next(row for row, pixels in enumerate(images) if not background_is_bright(pixels))]


def coat():
    """A photo of something pale on a grey, unevenly lit background, (90, 160)."""
    photo = np.tile(np.linspace(60, 80, 160), (90, 1))
    photo[20:75, 50:100] = 220
    return photo.astype(np.uint8)


def test_without_a_picture_there_is_no_answer_yet(lab):
    lab.train()
    for way in ("draw", "upload", "camera"):
        app = own(lab, way)
        assert not app.exception
        assert not live_charts(app)
        assert "No picture yet" in texts(app.subheader)


def test_a_drawing_is_asked_about_stroke_by_stroke(lab):
    keys_ = pair(lab)
    app = own(lab, run=keys_[0], beside=keys_[1])
    drawing = np.zeros((28, 28), np.uint8)
    for stroke in (slice(4, 9), slice(12, 20)):
        drawing[stroke, 5:20] = 255
        draw(app, drawing)
        assert not app.exception
        assert bars(app) == answers(lab, drawing, *keys_)
    assert verdicts(app) == (0, 0)  # nobody knows what it is
    assert len(app.info) == 2
    assert not replays(app)
    assert "true class" not in all_words(app)
    choose(app, "predict.passes", True)
    assert len(dots(app)) == 2
    draw(app, np.zeros((28, 28), np.uint8))
    assert not live_charts(app)


def test_what_is_no_drawing_gets_no_answer(lab):
    lab.train()
    app = own(lab)
    for sent in (None, "", "x" * 1048, [1, 2], "A" * 100_000):
        set_state(app, "pixels", sent, key="predict.drawing")
        assert not app.exception
        assert not live_charts(app)


def test_an_image_of_the_data_set_as_a_file_gets_the_same_answer(lab):
    key = lab.train()
    image = dark_ground(lab)
    app = upload(own(lab, "upload"), png(image))
    assert not app.exception
    assert not app.error
    assert bars(app) == answers(lab, image, key)
    choose(app, "predict.invert", "Invert")
    assert bars(app) == answers(lab, 255 - image, key)


def test_the_way_from_a_photo_to_28_pixels_is_shown_step_by_step(lab):
    key = lab.train()
    app = upload(own(lab, "upload"), png(coat()))
    prepared = prepare(coat())
    assert prepared.cropped
    assert len(prepared.steps) >= 4
    assert bars(app) == answers(lab, prepared.pixels, key)
    assert len(app.get("image")) == len(prepared.steps) + 1
    assert [step.what for step in prepared.steps if step.what not in all_words(app)] == []
    choose(app, "predict.crop.large", False)
    prepared = prepare(coat(), crop=False)
    assert bars(app) == answers(lab, prepared.pixels, key)
    assert len(app.get("image")) == len(prepared.steps) + 1


def test_a_white_shirt_with_a_dark_print_gets_both_readings(lab):
    key = lab.train()
    shirt = np.full((160, 160), 140, np.uint8)
    shirt[20:140, 40:120] = 240
    shirt[50:90, 60:100] = 20
    app = upload(own(lab, "upload"), png(shirt))
    assert not app.exception
    prepared, other = prepare(shirt), prepare(shirt, invert=True)
    assert bars(app) == answers(lab, prepared.pixels, key)
    top = CLASSES[int(lab.network(key).probabilities(other.pixels[np.newaxis]).argmax())]
    assert len([said for said in texts(app.warning) if f"**{top}**" in said]) == 1


def test_a_picture_unlike_all_training_images_is_said_to_be_so(lab):
    lab.train()
    app = upload(own(lab, "upload"), png(dark_ground(lab)))
    assert not app.warning
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    upload(app, png(noise))
    assert not app.exception
    assert ["unlike any training image" in said for said in texts(app.warning)] == [True]
    assert live_charts(app)


def test_a_photo_from_the_camera_is_asked_about(lab):
    key = lab.train()
    app = own(lab, "camera")
    app.camera_input(key="predict.camera").set_value(("photo.jpg", png(coat()), "image/jpeg")).run()
    assert not app.exception
    assert bars(app) == answers(lab, prepare(coat()).pixels, key)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty. Choose another one."),
        (b"no picture", "The file must be a JPEG, PNG or WebP picture."),
        (png(np.zeros((40, 40), np.uint8))[:-20], "The PNG file cannot be read"),
        (png(np.zeros((4, 40), np.uint8)), "The picture must be at least 8 pixels wide and high"),
        (
            png(np.full((40, 40), 90, np.uint8)),
            "Nothing stands out from the background. Choose a picture of one garment",
        ),
        (
            png(np.full((28, 28), 90, np.uint8)),
            "Nothing stands out from the background. Choose a picture of one garment",
        ),
    ],
    ids=["empty", "text", "broken", "small", "plain", "plain 28"],
)
def test_a_file_that_cannot_be_used_is_explained_and_gets_no_answer(lab, content, sentence):
    lab.train()
    app = own(lab, "upload")
    upload(app, content)
    assert not app.exception
    (said,) = texts(app.error)
    assert unescaped(said).startswith(sentence)
    assert not live_charts(app)
    upload(app, png(dark_ground(lab)))
    assert not app.error
    assert live_charts(app)


def test_a_store_that_fails_while_a_drawing_is_asked_about_is_explained(lab):
    lab.train()
    app = own(lab)
    lab.fail("weights")
    handles.network.clear()
    draw(app, dark_ground(lab))
    assert not app.exception
    assert len(app.error) == 1
    assert "predict.passes" not in keys(app.toggle)


def test_back_from_an_own_picture_an_image_is_shown_again(lab):
    key = lab.train()
    app = own(lab)
    choose(app, "predict.kind", "test")
    assert bars(app) == answers(lab, pixels_of(lab, tiles(app)[0]), key)
