"""The pages as a visitor without a browser sees them: the real app, a tiny data set, and no workers.

What needs a browser (a growing chart, a click into a table, cold links) is tested in tests/browser.
"""

import json
import threading
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.background import BackgroundData
from fmnist_core.data.dataset import CLASSES, DataError
from fmnist_core.data.download import Progress
from fmnist_core.jobs import worker
from fmnist_core.results.diagnosis import diagnose
from fmnist_core.results.run_names import describe
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import Store
from tests.components import component_data
from tests.conftest import make_tiny_dataset
from tests.page_lab import (
    CONFIG,
    ROOT,
    SECONDS,
    all_words,
    choose,
    curve,
    go_to,
    keys,
    live_charts,
    press,
    progress_bars,
    texts,
    unescaped,
)
from ui import handles
from ui.components.plotly_js import plotly_address

PAGES = {
    "train": "Is it overfitting?",
    "predict": "What does it see?",
    "inspect": "What does it get wrong?",
    "data": "What the networks look at",
}
UNKNOWN_KEY = "0123456789abcdef"


def form(app):
    """What the form shows, as a config."""
    shown = {name: app.session_state[f"train.{name}"] for name in RunConfig.__dataclass_fields__ if name != "hidden"}
    whole = {name: int(shown[name]) for name in ("batch_size", "epochs", "seed")}
    real = ("learning_rate", "weight_decay", "label_smoothing", "label_noise", "input_dropout")
    numbers = {name: float(shown[name]) for name in real}
    images = shown["training_images"]
    numbers["training_images"] = None if images == "all" else int(images)
    hidden = tuple(map(int, app.text_input(key="train.hidden").value.split(",")))
    return RunConfig(**{**shown, **whole, **numbers, "hidden": hidden})


def figures(app):
    """The table of the best and the last epoch."""
    table = ElementTree.fromstring(component_data(app, "train.table")["html"])
    heads = [cell.text for cell in table.findall("thead/tr/th")]
    rows = [[cell.text for cell in row] for row in table.findall("tbody/tr")]
    return pd.DataFrame(rows, columns=heads).set_index(heads[0])


def pictures(app):
    return [element.proto.imgs[0].url for element in app.get("image")]


def links(app):
    return [(element.proto.page, element.proto.label) for element in app.get("page_link")]


# Every page


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
@pytest.mark.parametrize("page", PAGES)
def test_each_page_can_be_opened(lab, page, filled):
    if filled:
        lab.train()
    app = lab.open(page)
    assert not app.exception
    assert not app.error or page == "predict"  # there, an image may be classified wrongly
    assert texts(app.title) == [PAGES[page]]


@pytest.mark.parametrize("page", PAGES)
def test_each_page_can_be_opened_with_a_run_in_the_address(lab, page):
    key = lab.train()
    app = lab.open(page, run=key)
    assert not app.exception
    assert not app.warning


def test_the_front_door_shows_the_train_page(lab):
    app = AppTest.from_file(ROOT / "app.py", default_timeout=SECONDS).run()
    assert not app.exception
    assert texts(app.title) == [PAGES["train"]]


def test_the_empty_train_page_says_what_to_do(lab):
    app = lab.open()
    assert "Nothing on the bench yet" in texts(app.subheader)
    assert "Press **Train**" in all_words(app)
    assert not app.button(key="train.start").disabled
    assert not app.dataframe


def test_whoever_opens_train_finds_a_worker_and_what_draws_charts(lab):
    app = lab.open()
    assert lab.dispatcher.expected == [lab.dataset.fingerprint]
    assert component_data(app, "train.library") == {"library": plotly_address()}
    press(app, "train.start")
    assert "train.library" not in keys(app.get("bidi_component")), "the charts are there"


@pytest.mark.parametrize("page", ["predict", "inspect"])
def test_pages_about_networks_lead_to_the_train_page_while_there_is_none(lab, page):
    app = lab.open(page)
    assert "No trained network yet" in texts(app.subheader)
    assert [label for _, label in links(app)] == ["Go to Train"]
    assert not app.button


# A server that cannot start


def test_a_store_that_cannot_be_opened_is_explained_until_it_can(lab, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("DROPOUT_LAB_HOME", str(tmp_path / "file" / "home"))
    app = lab.open()
    assert not app.exception
    sentence = unescaped(*texts(app.error))
    assert sentence.startswith("Dropout Lab cannot start: the run store's folder cannot be made")
    assert "DROPOUT_LAB_HOME" in sentence
    assert [button.label for button in app.button] == ["Try again"]
    (tmp_path / "file").unlink()
    app.button[0].click().run()
    assert texts(app.title) == [PAGES["train"]]
    assert not app.error


def test_an_unusable_setting_is_explained_until_it_is_mended(lab, monkeypatch):
    monkeypatch.setenv("DROPOUT_LAB_WORKERS", "two")
    app = lab.open()
    assert not app.exception
    sentence = unescaped(*texts(app.error))
    assert "DROPOUT_LAB_WORKERS must be a whole number from 1 to 256, got 'two'" in sentence
    assert [button.label for button in app.button] == ["Try again"]
    assert not app.title
    monkeypatch.setenv("DROPOUT_LAB_WORKERS", "2")
    app.button[0].click().run()
    assert texts(app.title) == [PAGES["train"]]


@pytest.mark.parametrize("page", ["train", "predict", "inspect"])
def test_a_store_that_cannot_be_read_any_more_is_explained(lab, page, monkeypatch):
    app = lab.open(page)

    def fail(self, *arguments):
        raise StoreError("the run store cannot be read (disk I/O error)")

    monkeypatch.setattr(Store, "changed_runs", fail)
    app.run()
    assert not app.exception
    assert texts(app.error) == ["Runs cannot be shown: the run store cannot be read (disk I/O error)."]


@pytest.mark.parametrize(("page", "method"), [("train", "epochs_of"), ("predict", "weights"), ("inspect", "weights")])
def test_a_store_that_fails_while_a_run_is_shown_is_explained(lab, page, method, monkeypatch):
    key = lab.train()

    def fail(self, *arguments):
        raise StoreError("the run store cannot be read (disk I/O error)")

    monkeypatch.setattr(Store, method, fail)
    app = lab.open(page, run=key) if page == "train" else go_to(lab.open(), page)
    assert not app.exception
    assert any("the run store cannot be read" in text for text in texts(app.error))


@pytest.mark.parametrize("failing", ["request", "cancel"])
def test_a_store_that_cannot_be_written_is_explained(lab, failing, monkeypatch):
    app = lab.open(run=lab.ask())

    def fail(self, *arguments, **keywords):
        raise StoreError("the run store cannot be written (disk full)")

    monkeypatch.setattr(Store, failing, fail)
    press(app, "train.start" if failing == "request" else "train.stop")
    assert not app.exception
    (sentence,) = texts(app.error)
    assert sentence.endswith("the run store cannot be written (disk full).")
    assert not app.run().error


# The data behind the pages


def drawn(lab):
    return replace(lab.dataset, name="Drawn garments", source="drawn", notes=("The mirror *x_y* gave 404.",))


@pytest.mark.parametrize("page", PAGES)
def test_drawn_garments_are_announced_on_every_page_with_what_was_tried(lab, page):
    lab.dataset = drawn(lab)
    app = lab.open(page)
    assert not app.exception
    assert "Drawn garments in use" in all_words(app)
    assert "- The mirror \\*x\\_y\\* gave 404." in texts(app.markdown)  # shown as it is, not as Markdown
    assert app.button(key="frame.retry_data").label == "Try again"


@pytest.mark.parametrize("page", PAGES)
def test_real_data_need_no_notice(lab, page):
    app = lab.open(page)
    assert "Drawn garments" not in all_words(app)
    assert "frame.retry_data" not in keys(app.button)


def test_notes_about_real_data_are_shown_without_a_warning(lab):
    lab.dataset = replace(lab.dataset, notes=("The mirror gave 404.",))
    app = lab.open()
    assert "Notes about the data (1)" in [expander.label for expander in app.expander]
    assert "- The mirror gave 404." in texts(app.markdown)
    assert "Drawn garments" not in all_words(app)


def test_trying_again_shows_progress_and_then_the_real_data(lab):
    real, lab.dataset = lab.dataset, drawn(lab)
    app = lab.open()
    under_way, may_end = threading.Event(), threading.Event()

    def load(report):
        report(Progress("train-images.gz", 5_000_000, 10_000_000, "https://mirror"))
        under_way.set()
        assert may_end.wait(SECONDS)
        return real

    lab.load = load
    press(app, "frame.retry_data")
    assert under_way.wait(SECONDS)
    app.run()
    assert not app.exception
    assert texts(app.title) == [PAGES["train"]]  # the drawn ones can be used meanwhile
    ((share, words),) = progress_bars(app)
    assert share == 50
    assert "train-images.gz" in words
    assert "5.0 MB" in words
    assert "frame.retry_data" not in keys(app.button)
    may_end.set()
    assert handles.data().wait(SECONDS)
    app.run()
    assert not app.exception
    assert "Drawn garments" not in all_words(app)


def test_the_first_loading_is_shown_before_any_page(lab, monkeypatch):
    monkeypatch.setattr(BackgroundData, "wait", lambda self, seconds: not self.is_loading)
    under_way, may_end = threading.Event(), threading.Event()

    def load(report):
        report(Progress("labels.gz", 2_000_000, None, "https://mirror"))
        under_way.set()
        assert may_end.wait(SECONDS)
        return lab.dataset

    lab.load = load
    handles.data()
    assert under_way.wait(SECONDS)
    app = lab.open()
    assert not app.exception
    assert texts(app.subheader) == ["Getting Fashion-MNIST"]
    assert not app.title
    ((share, words),) = progress_bars(app)
    assert share == 0  # the source does not say how much there is
    assert "2.0 MB" in words
    may_end.set()
    assert handles.data()._done.wait(SECONDS)
    app.run()
    assert texts(app.title) == [PAGES["train"]]


def test_data_that_could_not_be_prepared_can_be_tried_again(lab):
    def fail(report):
        raise MemoryError("no room for the images")

    works, lab.load = lab.load, fail
    app = lab.open()
    assert not app.exception
    assert "the data could not be prepared" in texts(app.error)[0]
    assert [button.label for button in app.button] == ["Try again"]
    lab.load = works
    app.button[0].click().run()
    assert handles.data().wait(SECONDS)
    assert texts(app.run().title) == [PAGES["train"]]


# Train: the form


def preset_field(app):
    """Its key is another after each edit that ends a choice."""
    (field,) = [radio for radio in app.radio if radio.label == "Start from"]
    return field


def test_the_form_starts_with_the_articles_recipe(lab):
    app = lab.open()
    assert form(app) == PRESETS[0].config
    assert preset_field(app).value == "Article"
    assert "242,762 parameters" in texts(app.caption)


def test_the_quick_preset_has_five_epochs_and_batch_norm(lab):
    app = lab.open()
    preset_field(app).set_value("Quick").run()
    assert app.text_input(key="train.epochs").value == "5"
    assert app.toggle(key="train.batch_norm").value is True


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_fills_the_form_and_says_what_it_is_for(lab, preset):
    app = lab.open()
    app.text_input(key="train.epochs").set_value("77").run()
    preset_field(app).set_value(preset.name).run()
    assert not app.exception
    assert form(app) == preset.config
    assert preset_field(app).value == preset.name
    assert preset.purpose in texts(app.caption)


def test_a_change_makes_a_preset_your_own_recipe(lab):
    app = lab.open()
    app.slider(key="train.dropout").set_value(0.5).run()
    assert preset_field(app).value is None
    assert "Your own recipe." in texts(app.caption)


def test_a_new_seed_changes_nothing_else(lab, monkeypatch):
    monkeypatch.setattr("random.randrange", lambda stop: 4321)
    app = lab.open()
    press(app, "train.new_seed")
    assert form(app) == replace(PRESETS[0].config, seed=4321)
    assert preset_field(app).value == "Article"


def test_the_form_keeps_its_choices_while_another_page_is_open(lab):
    app = lab.open()
    preset_field(app).set_value("Best").run()
    app.text_input(key="train.epochs").set_value("7").run()
    go_to(app, "data")
    go_to(app, "train")
    assert form(app) == replace(PRESETS[3].config, epochs=7)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("abc", "whole numbers such as 256, 128, 64; got 'abc'"),
        ("1", "from 8 to 2048, got 1"),
        ("9 layers", "whole numbers such as 256, 128, 64; got 'layers'"),
        ("8, 8, 8, 8, 8, 8, 8, 8, 8", "1 to 6 hidden layers, got 9"),
        ("4096", "from 8 to 2048, got 4096"),
        ("64, \N{ARABIC-INDIC DIGIT THREE}", "got '\N{ARABIC-INDIC DIGIT THREE}'"),
        (" ", "1 to 6 hidden layers, got 0"),
    ],
)
def test_hidden_sizes_that_cannot_be_used_are_explained_and_cannot_be_trained(lab, typed, reason):
    app = lab.open()
    app.text_input(key="train.hidden").set_value(typed).run()
    assert not app.exception
    (sentence,) = texts(app.error)
    assert reason in sentence
    assert app.button(key="train.start").disabled
    app.text_input(key="train.hidden").set_value("64 32").run()
    assert not app.error
    assert not app.button(key="train.start").disabled


EVERY_SETTING = RunConfig(
    hidden=(32, 16),
    dropout=0.25,
    batch_norm=True,
    learning_rate=0.05,
    schedule="one-cycle",
    batch_size=32,
    epochs=2,
    weight_decay=0.001,
    label_smoothing=0.1,
    flips=True,
    protocol="article",
    seed=9,
    training_images=150,
    label_noise=0.2,
    input_dropout=0.1,
    shift_pixels=2,
    optimizer="sgd",
)


def test_a_link_to_a_run_with_every_setting_puts_them_all_into_the_form(lab):
    default = RunConfig()
    assert all(getattr(EVERY_SETTING, name) != getattr(default, name) for name in RunConfig.__dataclass_fields__)
    app = lab.open(run=lab.ask(EVERY_SETTING))
    assert form(app) == EVERY_SETTING
    press(app, "train.start")
    assert len(lab.store.runs()) == 1  # the form asks for the same run


SLIPS = [
    ("training_images", "99", 'Training images must be a whole number from 100 to 60000, or "all", got 99.'),
    ("training_images", "some", "Training images must be a whole number from 100 to 60000, or \"all\", got 'some'."),
    (
        "training_images",
        "501",
        "Training images must be at most the 500 of Fashion-MNIST that validation on held-out "
        'images leaves, got 501; choose fewer or "all".',
    ),
    ("label_noise", "1", "Label noise must be a number from 0 to 0.9, got 1.0."),
    ("label_noise", "", "Label noise must be a number from 0 to 0.9, got nothing."),
    ("input_dropout", "half", "Input dropout must be a number from 0 to 0.95, got 'half'."),
    ("learning_rate", "0", "Learning rate must be a number from 0.000001 to 1, got 0.0."),
]


@pytest.mark.parametrize(("name", "typed", "words"), SLIPS)
def test_a_slip_in_a_folded_field_is_told_beside_it_and_above_the_button(lab, name, typed, words):
    app = lab.open()
    choose(app, "train.protocol", "held-out")
    assert app.expander[0].icon == ""
    app.text_input(key=f"train.{name}").set_value(typed).run()
    assert not app.exception
    assert [unescaped(text) for text in texts(app.error)] == [words]
    assert app.expander[0].icon == ":material/error:"
    assert f":small[:red[:material/error: {words}]]" in map(unescaped, texts(app.expander[0].markdown))
    assert app.button(key="train.start").disabled
    app.text_input(key=f"train.{name}").set_value("0.2" if name != "training_images" else "All").run()
    assert not app.error
    assert not any("error" in text for text in texts(app.expander[0].markdown))
    assert app.expander[0].icon == ""
    assert not app.button(key="train.start").disabled


def test_every_slip_is_told_at_once(lab):
    app = lab.open()
    app.text_input(key="train.epochs").set_value("0")
    app.text_input(key="train.label_noise").set_value("2").run()
    (words,) = texts(app.error)
    assert "Epochs must be" in words
    assert "Label noise must be" in words


def test_more_images_fit_where_the_test_set_validates(lab):
    app = lab.open()
    assert app.session_state["train.protocol"] == "article"
    app.text_input(key="train.training_images").set_value("600").run()
    assert not app.error
    choose(app, "train.protocol", "held-out")
    assert "at most the 500 of Fashion-MNIST" in unescaped(*texts(app.error))


def test_new_settings_are_typed_as_people_write_numbers(lab):
    app = lab.open()
    app.text_input(key="train.label_noise").set_value("0,2")
    app.text_input(key="train.input_dropout").set_value(".1")
    app.text_input(key="train.training_images").set_value("500 ")
    press(app, "train.start")
    (run,) = lab.store.runs()
    assert (run.config.label_noise, run.config.input_dropout, run.config.training_images) == (0.2, 0.1, 500)


def test_too_many_images_typed_just_before_the_click_start_nothing(lab):
    app = lab.open()
    app.text_input(key="train.training_images").set_value("50,000")
    press(app, "train.start")
    assert not app.exception
    assert lab.store.runs() == []
    assert any("The run was not started: training images must be at most the 600" in text for text in texts(app.error))


# Train: starting and stopping


def test_pressing_train_stores_a_run_and_puts_it_into_the_address(lab):
    app = lab.open()
    app.text_input(key="train.hidden").set_value("32, 16").run()
    press(app, "train.start")
    assert not app.exception
    (run,) = lab.store.runs()
    assert run.config == replace(PRESETS[0].config, hidden=(32, 16))
    assert (run.status, run.data_fingerprint) == ("queued", lab.dataset.fingerprint)
    assert app.query_params["run"] == run.key
    assert "Run 1" in texts(app.subheader)
    assert lab.dispatcher.woken == 1


def test_pressing_train_twice_trains_once(lab):
    app = lab.open()
    press(app, "train.start")
    address = dict(app.query_params)
    press(app, "train.start")
    assert len(lab.store.runs()) == 1
    assert app.query_params == address


def test_asking_for_a_finished_run_shows_it_and_trains_nothing(lab):
    key = lab.train()
    app = lab.open(run=key)
    del app.query_params["run"]
    app.run()
    assert "No run chosen" in texts(app.subheader)
    press(app, "train.start")
    assert app.query_params["run"] == key
    assert [run.status for run in lab.store.runs()] == ["finished"]


def test_train_uses_what_was_typed_just_before_the_click(lab):
    """A browser sends both at once: leaving the field to click is what ends the typing."""
    app = lab.open()
    app.text_input(key="train.hidden").set_value("32, 16")
    press(app, "train.start")
    assert [run.config.hidden for run in lab.store.runs()] == [(32, 16)]


def test_train_does_not_start_what_was_mistyped_just_before_the_click(lab):
    app = lab.open()
    app.text_input(key="train.hidden").set_value("abc")
    press(app, "train.start")
    assert not app.exception
    assert lab.store.runs() == []
    assert "run" not in app.query_params
    assert any("'abc'" in text for text in texts(app.error))


def test_a_full_queue_is_explained_and_starts_nothing(lab, monkeypatch):
    monkeypatch.setenv("DROPOUT_LAB_WAITING_RUNS", "2")
    for seed in range(2):
        lab.ask(replace(CONFIG, seed=seed))
    app = lab.open()
    press(app, "train.start")
    assert not app.exception
    (sentence,) = texts(app.error)
    assert sentence.startswith("The run was not started: at most 2 runs may wait at once, and 2 do")
    assert len(lab.store.runs()) == 2
    assert "run" not in app.query_params
    assert not app.run().error  # said once


def test_a_waiting_run_can_be_stopped(lab):
    key = lab.ask()
    app = lab.open(run=key)
    ((share, words),) = progress_bars(app)
    assert share == 0
    assert words.startswith("Waiting")
    press(app, "train.stop")
    assert not app.exception
    assert lab.store.run(key).status == "stopped"
    assert "Stopped after 0 of 8 epochs" in texts(app.info)[0]
    assert "train.stop" not in keys(app.button)


def test_a_running_run_says_how_far_it_is_and_can_be_asked_to_stop(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.45, best=b"weights")
    lab.store.leases.beat(key, "a worker", 0.5)
    app = lab.open(run=key)
    assert not app.exception
    ((share, words),) = progress_bars(app)
    assert share == 1.5 / 8
    assert words == "Epoch 2 of 8 · about 65 s left"
    assert "So far: Too early to tell" in all_words(app)
    assert "Training]" in all_words(app)
    assert "train.reveal" not in keys(app.button)
    press(app, "train.stop")
    assert lab.store.run(key).cancel_requested
    assert "Stopping]" in all_words(app)


# Train: the run in the address


@pytest.mark.parametrize("page", ["train", "predict", "inspect"])
def test_an_unknown_run_is_explained(lab, page):
    app = lab.open(page, run=UNKNOWN_KEY)
    assert not app.exception
    assert f"This server has no run {UNKNOWN_KEY}" in texts(app.warning)[0]


@pytest.mark.parametrize("page", ["train", "predict", "inspect"])
@pytest.mark.parametrize(
    "gained",
    ["{}.", " {}\n", "{}\N{ZERO WIDTH SPACE}", "\N{ZERO WIDTH NO-BREAK SPACE}{}", "\u201c{}\u201d,", "({})"],
    ids=["full stop", "spaces", "zero width", "byte order mark", "quoted", "brackets"],
)
def test_a_link_may_gain_something_on_its_way(lab, page, gained):
    key = lab.train()
    app = lab.open(page, run=gained.format(key), fbclid="IwAR0")
    assert not app.exception
    assert not app.warning
    assert any(words.startswith("Run 1") for words in texts([*app.subheader, *app.caption]))


@pytest.mark.parametrize("page", ["train", "predict", "inspect"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key.upper(),
        lambda key: "\N{ARABIC-INDIC DIGIT THREE}" * 16,
        lambda key: "\N{FULLWIDTH DIGIT THREE}" * 16,
        lambda key: "../../etc",
        lambda key: "' OR 1=1; --",
        lambda key: "\0" * 16,
    ],
    ids=["short", "long", "uppercase", "arabic", "fullwidth", "path", "sql", "zeros"],
)
def test_an_address_that_names_no_run_is_explained(lab, page, spoil):
    key = lab.ask()
    assert key.upper() != key
    app = lab.open(page, run=spoil(key))
    assert not app.exception
    assert "not a run's name, which has 16 characters from 0-9 and a-f" in texts(app.warning)[0]
    assert "Run 1" not in texts(app.subheader)


def test_a_link_to_a_run_puts_its_settings_into_the_form(lab):
    config = replace(CONFIG, dropout=0.25, flips=True, seed=9)
    assert form(lab.open(run=lab.train(config))) == config


def test_a_link_leaves_a_form_alone_that_is_filled_already(lab):
    key = lab.train()
    app = lab.open()
    app.query_params["run"] = key
    app.run()
    assert "Run 1" in texts(app.subheader)
    assert form(app) == PRESETS[0].config
    press(app, "train.reuse")
    assert form(app) == CONFIG


def test_a_finished_run_shows_its_curves(lab):
    key = lab.train()
    app = lab.open(run=key)
    epochs, charts = lab.store.epochs(key), live_charts(app)
    assert list(charts) == ["train.loss", "train.accuracy"]
    for metric in ("loss", "accuracy"):
        figure = charts[f"train.{metric}"]
        assert curve(figure, "Validation") == epochs[f"validation_{metric}"].tolist()
        assert curve(figure, "Training, evaluated") == epochs[f"evaluated_training_{metric}"].tolist()
        assert curve(figure, "Training, as trained") == epochs[f"training_{metric}"].tolist()
        assert figure["layout"]["uirevision"] == key  # zoom belongs to this run
    assert not app.get("progress")


def test_a_run_with_wrong_labels_says_what_its_training_figures_are(lab):
    words = "wrong with a chance of 0.2"
    assert not any(words in text for text in texts(lab.open(run=lab.train()).caption))
    assert any(words in text for text in texts(lab.open(run=lab.train(replace(CONFIG, label_noise=0.2))).caption))


def test_a_finished_run_shows_its_settings_and_diagnosis(lab):
    key = lab.train()
    app = lab.open(run=key)
    words = all_words(app)
    assert diagnose(lab.store.epochs(key)).sentence in words
    assert "So far" not in words
    assert f"{describe(CONFIG)} · Fashion-MNIST" in texts(app.caption)
    assert "Finished]" in words


def test_test_figures_are_shown_when_asked_for_and_not_before(lab):
    key = lab.train()
    app = lab.open(run=key)
    table, best = figures(app), lab.store.run(key).best_epoch
    assert table.index.tolist() == [f"Best epoch ({best})", "Last epoch (8)"]
    assert not [heading for heading in table if heading.startswith("Test")]
    press(app, "train.reveal")
    assert not app.exception
    table, tests = figures(app), lab.store.tests(key)
    assert table["Test accuracy"].tolist() == [f"{tests[kind].accuracy:.2%}" for kind in ("best", "last")]
    assert table["Test loss"].tolist() == [f"{tests[kind].loss:.3f}" for kind in ("best", "last")]
    assert "train.reveal" not in keys(app.button)


def test_revealing_one_runs_test_figures_reveals_no_other(lab):
    first, second = lab.train(), lab.train(replace(CONFIG, seed=1))
    app = lab.open(run=first)
    press(app, "train.reveal")
    app.query_params["run"] = second
    app.run()
    assert "Test accuracy" not in figures(app)
    assert "train.reveal" in keys(app.button)


def test_a_run_by_the_articles_protocol_says_what_it_validates_on(lab):
    app = lab.open(run=lab.train(replace(CONFIG, protocol="article")))
    assert "Validation (test set)" in [trace["name"] for trace in live_charts(app)["train.loss"]["data"]]
    assert any("validates on the test set" in text for text in texts(app.caption))


def test_a_run_that_waits_has_charts_to_fill_and_no_figures_yet(lab):
    app = lab.open(run=lab.ask())
    assert not app.exception
    assert list(live_charts(app)) == ["train.loss", "train.accuracy"]
    assert "train.table" not in keys(app.get("bidi_component"))


def test_a_stopped_run_says_how_far_it_came(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.45, best=b"weights")
    lab.store.leases.end(key, "a worker", "stopped", last=b"weights")
    app = lab.open(run=key)
    assert not app.exception
    assert texts(app.info) == ["Stopped after 1 of 8 epochs. Train with the same settings to go on."]
    assert figures(app).index.tolist() == ["Best epoch (1)", "Last epoch (1)"]


def test_a_failed_run_says_why(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.store.leases.end(key, "a worker", "failed", error="training diverged in epoch 1; choose a lower learning rate")
    app = lab.open(run=key)
    assert not app.exception
    assert texts(app.error) == ["This run ended early: training diverged in epoch 1; choose a lower learning rate."]


def test_a_reason_that_is_a_whole_sentence_gets_no_second_full_stop(lab, monkeypatch):
    def other_data(settings, fingerprint):
        raise DataError("this run needs other data. Set DROPOUT_LAB_DATA.")

    monkeypatch.setattr(worker, "load_matching", other_data)
    key = lab.ask()
    worker.train_stored_run(handles.settings(), key, "a worker")
    app = lab.open(run=key)
    sentence = unescaped(*texts(app.error))
    assert sentence.endswith("Set DROPOUT_LAB_DATA.")
    assert not sentence.endswith("..")


# Data


def test_the_data_page_counts_what_there_is_and_names_its_source(lab):
    app = lab.open("data")
    assert "600 images to train on and 200 to test" in all_words(app)
    (source,) = (text for text in texts(app.caption) if text.startswith("Source: "))
    assert source == f"Source: made for a test · fingerprint {lab.dataset.fingerprint}"
    counts, pixels = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    assert {trace["name"]: trace["x"] for trace in counts["data"]} == {
        "Training": [50] * 10,
        "Validation": [10] * 10,
        "Test": [20] * 10,
    }
    assert sum(share or 0 for share in pixels["data"][0]["y"]) == pytest.approx(1)


def test_the_data_page_shows_samples_and_a_mean_image_of_each_class(lab):
    app = lab.open("data")
    assert len(pictures(app)) == 2 * len(CLASSES)
    words = texts(app.markdown)
    assert [name for name in CLASSES if f"**{name}**" in words] == list(CLASSES)


def test_other_samples_changes_the_samples_and_not_the_means(lab):
    app = lab.open("data")
    before = pictures(app)
    press(app, "data.other")
    after = pictures(app)
    assert all(old != new for old, new in zip(before[:10], after[:10], strict=True))
    assert before[10:] == after[10:]


def test_the_data_page_follows_the_data_in_use(lab):
    other, lab.dataset = lab.dataset, drawn(lab)
    app = lab.open("data")
    assert "**Drawn garments**: 600 images" in all_words(app)
    lab.dataset = replace(make_tiny_dataset(train_per_class=30), name=other.name)
    press(app, "frame.retry_data")
    assert handles.data().wait(SECONDS)
    app.run()
    assert not app.exception
    assert "**Fashion-MNIST**: 300 images" in all_words(app)
    counts = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert counts["data"][0]["x"] == [25] * 10


@pytest.mark.parametrize(
    ("name", "typed", "quoted"),
    [
        ("seed", "4294967296", "from 0 to 2147483647, got 4294967296"),
        ("epochs", "300", "from 1 to 200, got 300"),
        ("epochs", "3,5", "got '3,5'"),
        ("epochs", "", "got nothing"),
        ("learning_rate", "", "from 0.000001 to 1, got nothing"),
        ("learning_rate", "0.001.2", "got '0.001.2'"),
        ("batch_size", "1_0", "got '1_0'"),
    ],
)
def test_a_number_that_cannot_be_used_is_named_and_nothing_runs(lab, name, typed, quoted):
    app = lab.open()
    app.text_input(key=f"train.{name}").set_value(typed)
    press(app, "train.start")  # in one go, as a browser sends a field that is left by pressing the button
    assert lab.store.runs() == []
    assert app.text_input(key=f"train.{name}").value == typed
    assert any(quoted in text for text in map(unescaped, texts(app.error)))
    assert app.button(key="train.start").disabled


def test_a_decimal_comma_is_understood(lab):
    app = lab.open()
    app.text_input(key="train.learning_rate").set_value("0,001")
    press(app, "train.start")
    (run,) = lab.store.runs()
    assert run.config.learning_rate == 0.001


QUICK_AS_ARTICLE = {  # the fields that Quick changes, as the Article preset fills them, in the form's order
    "epochs": "30",
    "protocol": "article",
    "batch_norm": False,
    "schedule": "constant",
    "learning_rate": "0.003",
    "batch_size": "64",
}


def send_old(app, names):
    """Let the browser send fields as they were before Quick was chosen, together with what comes next."""
    for name in names:
        for kind in (app.text_input, app.selectbox, app.toggle):
            if field := [field for field in kind if field.key == f"train.{name}"]:
                field[0].set_value(QUICK_AS_ARTICLE[name])


@pytest.mark.parametrize("known", range(7), ids="{} fields known".format)
def test_a_preset_chosen_just_before_the_click_is_the_one_that_trains(lab, known):
    """The browser then sends the new choice together with fields as they were, as many as it does not know yet."""
    app = lab.open()
    preset_field(app).set_value("Quick").run()
    send_old(app, list(QUICK_AS_ARTICLE)[known:])
    app.button(key="train.start").click().run()
    (run,) = lab.store.runs()
    assert run.config == PRESETS[2].config == form(app)
    assert preset_field(app).value == "Quick"


def test_a_preset_chosen_just_before_another_choice_stays(lab):
    app = lab.open()
    preset_field(app).set_value("Quick").run()
    send_old(app, list(QUICK_AS_ARTICLE)[2:])
    press(app, "train.new_seed")
    assert replace(form(app), seed=0) == PRESETS[2].config


def test_an_edit_just_before_the_click_is_not_undone_by_the_preset_that_the_browser_still_shows(lab):
    app = lab.open()
    preset_field(app).set_value("Quick").run()
    as_in_the_browser = app._tree
    app.text_input(key="train.epochs").set_value("3").run()
    app._tree = as_in_the_browser  # the answer is still under way
    preset_field(app).set_value("Quick")
    app.text_input(key="train.epochs").set_value("3")
    app.button(key="train.start").click().run()
    (run,) = lab.store.runs()
    assert run.config == replace(PRESETS[2].config, epochs=3)
    assert app.text_input(key="train.epochs").value == "3"
    assert preset_field(app).value is None


def test_a_preset_can_be_undone_by_hand(lab):
    app = lab.open()
    preset_field(app).set_value("Article with dropout 0.2").run()
    app.slider(key="train.dropout").set_value(0.0).run()
    assert app.slider(key="train.dropout").value == 0.0
    assert preset_field(app).value == "Article"


def test_a_run_that_waits_without_workers_says_so(lab):
    lab.dispatcher.without_workers = "no worker process is there"
    ((_, text),) = progress_bars(lab.open(run=lab.ask()))
    assert lab.dispatcher.without_workers in text
