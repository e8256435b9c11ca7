"""The Runs page: list, filter, selection, notes, actions, and what is undone."""

import re
from dataclasses import replace
from io import BytesIO

import pandas as pd
import pytest

from fmnist_core.config import PRESETS
from fmnist_core.store.notes import Notes
from fmnist_core.store.visitor import Visitor
from tests.components import component_data
from tests.page_lab import CONFIG, all_words, choose, curve, keys, live_charts, press, texts, unescaped
from ui import visitors
from ui.forms import deletion, notes_form, run_actions, run_filter_form
from ui.views import runs_view

ADA, BOB = Visitor("ada"), Visitor("bob")
HOSTILE = "<b>x</b> **y** $z^2$ :red[r] :smile: -> www.example.org"


@pytest.fixture
def be(monkeypatch):
    """Be another visitor from now on."""
    now = [ADA]
    for module in (visitors, deletion, notes_form, run_actions, run_filter_form):
        monkeypatch.setattr(module, "visitor", lambda: now[0])
    return lambda who: now.__setitem__(0, who)


def ask(lab, by=ADA, **changes):
    return lab.store.request(replace(CONFIG, **changes), lab.dataset.name, lab.dataset.fingerprint, by)


def listed(app):
    (table,) = (one for one in app.dataframe if (one.key or "").startswith("runs.table"))
    return table.value


def select(app, *chosen):
    """As though these rows were selected: an AppTest cannot click a table."""
    app.session_state["runs.chosen"] = list(chosen)
    return app.run()


def finished(lab, losses=(0.5, 0.4), by=ADA, **changes):
    """A run that ended with these validation losses, and no network."""
    key = ask(lab, by, **changes)
    lab.store.leases.claim(key, "a worker")
    for epoch, loss in enumerate(losses, 1):
        best = b"weights" if loss == min(losses[:epoch]) else None
        lab.record(key, epoch, loss, best)
    lab.store.leases.end(key, "a worker", "finished")
    return key


# The list


def test_without_a_run_the_page_leads_to_train(lab):
    app = lab.open("runs")
    assert not app.exception
    assert "No run yet" in texts(app.subheader)
    assert not app.dataframe


def test_all_runs_are_listed_newest_first_with_their_curves(lab):
    finished(lab)
    ask(lab, seed=1)
    table = listed(lab.open("runs"))
    assert table["run"].tolist() == [2, 1]
    assert table["status"].tolist() == ["Waiting", "Finished"]
    assert list(table["curve"].iloc[1]) == [0.5, 0.4]
    assert table["best_validation_accuracy"].iloc[1] == pytest.approx(82)


def test_words_state_preset_and_owner_narrow_the_list(lab, be):
    be(ADA)
    finished(lab, seed=1)
    mine = ask(lab, seed=2)
    ask(lab, BOB, **PRESETS[2].config.to_dict() | {"hidden": PRESETS[2].config.hidden})
    lab.store.write_notes(mine, Notes(name="Needle"))
    app = lab.open("runs")
    app.text_input(key="runs.find").set_value("needle waiting").run()
    assert listed(app)["run"].tolist() == [2]
    app.text_input(key="runs.find").set_value("").run()
    app.pills(key="runs.states").set_value(["finished"]).run()
    assert listed(app)["run"].tolist() == [1]
    app.pills(key="runs.states").set_value([]).run()
    choose(app, "runs.preset", "Quick")
    assert listed(app)["run"].tolist() == [3]
    choose(app, "runs.preset", None)
    choose(app, "runs.mine", True)
    assert listed(app)["run"].tolist() == [2, 1]
    app.text_input(key="runs.find").set_value("nothing has this").run()
    assert listed(app).empty
    assert not app.exception


def test_what_is_taken_along_as_csv_holds_no_formula(lab):
    key = finished(lab)
    lab.store.write_notes(key, Notes(name="=1+1", hypothesis="@SUM(A1)"))
    text = runs_view._csv([lab.store.run(key)])
    assert '"\'=1+1"' in text
    table = pd.read_csv(BytesIO(text.encode()))
    assert table["hypothesis"].tolist() == ["'@SUM(A1)"]
    assert table["last_validation_loss"].tolist() == [0.4]
    assert table["key"].tolist() == [key]


# What is selected


def test_selected_runs_are_drawn_together_and_what_differs_is_told(lab):
    one, other = finished(lab), finished(lab, (0.6, 0.3), seed=1, dropout=0.2)
    app = select(lab.open("runs"), one, other)
    figure = live_charts(app)["runs.curves"]
    names = [trace["name"] for trace in figure["data"]]
    assert [name.partition(" \N{MIDDLE DOT} ")[0] for name in names] == ["Run 1", "Run 2"]
    assert curve(figure, names[1]) == [0.6, 0.3]
    (differing,) = (table.value for table in app.dataframe if "Run" in table.value)
    assert differing["Dropout"].tolist() == ["0", "0.2"]
    assert list(differing) == ["Run", "Dropout", "Seed"]
    assert "runs.axes" not in live_charts(app)
    choose(app, "runs.metric", "accuracy")
    app.select_slider(key="runs.smoothing").set_value(0.5).run()
    figure = live_charts(app)["runs.curves"]
    assert len(figure["data"]) == 4
    choose(app, "runs.axis", "seconds")
    assert live_charts(app)["runs.curves"]["data"][0]["x"] == [10.0, 20.0]
    assert not app.exception


def test_from_five_runs_on_they_are_lines_across_axes(lab):
    chosen = [finished(lab, seed=seed) for seed in range(5)]
    app = lab.open("runs")
    assert "runs.axes" not in live_charts(select(app, *chosen[:4]))
    figure = live_charts(select(app, *chosen))["runs.axes"]
    assert len(figure["data"]) == 5


def test_a_selected_run_stays_so_when_the_list_is_narrowed_and_none_is_one_press(lab):
    key = finished(lab)
    app = select(lab.open("runs"), key)
    app.text_input(key="runs.find").set_value("nothing has this").run()
    assert "1 selected, 1 of them not listed" in all_words(app)
    assert "runs.curves" in live_charts(app)
    press(app, "runs.clear")
    assert "runs.curves" not in live_charts(app)


def test_a_run_that_trains_brings_its_page_up_to_date(lab):
    key = ask(lab)
    lab.store.leases.claim(key, "a worker")
    app = select(lab.open("runs"), key)
    before = runs_view._news().version
    lab.record(key, 1, 0.5, b"weights")
    assert runs_view._news().version != before
    app.run()
    assert listed(app)["epochs"].tolist() == [f"1 of {CONFIG.epochs}"]
    assert live_charts(app)["runs.curves"]["data"][0]["y"] == [0.5]


# The address


def said(app):
    """What the page puts into the browser's address."""
    return component_data(app, "runs.state_address")["said"]


def test_the_address_says_what_is_shown_and_shows_it_again(lab):
    keys_ = [finished(lab, seed=seed) for seed in range(2)]
    app = lab.open("runs")
    assert said(app) == {}
    select(app, *keys_)
    app.text_input(key="runs.find").set_value("learning").run()
    app.pills(key="runs.states").set_value(["finished", "stopped"]).run()
    choose(app, "runs.mine", True)
    choose(app, "runs.metric", "accuracy")
    app.select_slider(key="runs.smoothing").set_value(0.3).run()
    address = said(app)
    assert address == {
        "find": "learning",
        "state": "finished,stopped",
        "mine": "on",
        "runs": ",".join(keys_),
        "curves": "accuracy",
        "smoothing": "0.3",
    }
    again = lab.open("runs", **address)
    assert not again.exception
    assert said(again) == address
    assert "2 selected" in all_words(again)
    assert again.text_input(key="runs.find").value == "learning"
    figure = live_charts(again)["runs.curves"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "Validation accuracy"
    assert len(figure["data"]) == 4


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"state": "finished,lost"}, "state must be one or more of"),
        ({"runs": "../../etc/passwd"}, "runs must be names of runs"),
        ({"find": "x" * 101}, "find must have at most 100 characters, got 101"),
        ({"smoothing": "1.0"}, "smoothing must be one of"),
        ({"preset": "<b>"}, "preset must be one of"),
    ],
)
def test_a_link_that_asks_for_what_there_is_not_gets_a_sentence(lab, address, sentence):
    finished(lab)
    app = lab.open("runs", **address)
    assert not app.exception
    assert any(sentence in unescaped(text) for text in texts(app.warning))
    assert "1 run" in all_words(app)


def test_runs_of_a_link_that_are_not_stored_here_are_told(lab):
    key = finished(lab)
    app = lab.open("runs", runs=f"{key},{'0' * 16}")
    assert "1 selected" in all_words(app)
    assert "1 run of the link is not stored here" in all_words(app)


# Notes


def test_a_name_is_shown_wherever_the_run_is_and_as_text(lab):
    key = lab.train()
    app = select(lab.open("runs"), key)
    app.text_input(key=f"runs.name.{key}").set_value(HOSTILE)
    app.text_area(key=f"runs.hypothesis.{key}").set_value("It overfits.\n\n# Why?")
    press(app, f"runs.save.{key}")
    assert lab.store.run(key).notes == Notes(name=HOSTILE, hypothesis="It overfits.\n\n# Why?")
    assert listed(app)["name"].tolist() == [HOSTILE]
    joiner = "\N{WORD JOINER}"
    assert any(HOSTILE in unescaped(text).replace(joiner, "") for text in texts(app.subheader))
    assert not any(re.search(r"(?<!\\)[<*$\[]|:smile:|->|www\.", text) for text in texts(app.subheader))
    for page in ("train", "predict", "inspect"):
        shown = lab.open(page, run=key)
        assert not shown.exception
        words = unescaped(all_words(shown)).replace(joiner, "")
        assert "<b>x</b> **y**" in words.replace("****", "**") or "<b>x</b>" in words, page
    bars = live_charts(lab.open("predict", run=key))["predict.bars"]
    assert "&lt;b&gt;x" in bars["data"][0]["name"]


def test_others_read_what_is_written_and_cannot_change_it(lab, be):
    key = ask(lab, ADA)
    lab.store.write_notes(key, Notes(name="hers", hypothesis="**bold** words", conclusion="so"))
    be(BOB)
    app = select(lab.open("runs"), key)
    assert f"runs.name.{key}" not in keys(app.text_input)
    assert texts(app.get("text")) == ["**bold** words", "so"]


def test_what_a_form_of_a_moment_ago_still_offers_is_refused(lab, be):
    key = ask(lab, ADA)
    be(ADA)
    app = select(lab.open("runs"), key)
    be(BOB)
    app.text_input(key=f"runs.name.{key}").set_value("not mine")
    press(app, f"runs.save.{key}")
    assert any("somebody else" in text for text in texts(app.error))
    assert lab.store.run(key).notes.name == ""


# What can be done


def test_runs_stop_and_go_on(lab):
    key = ask(lab)
    app = press(select(lab.open("runs"), key), "runs.stop")
    assert lab.store.run(key).status == "stopped"
    press(app, "runs.go_on")
    assert lab.store.run(key).status == "queued"
    assert lab.dispatcher.woken
    assert not app.exception


def test_of_several_runs_only_those_that_can_be_stopped_are(lab, be):
    be(BOB)
    his, hers, done = ask(lab, BOB), ask(lab, ADA, seed=1), finished(lab, by=BOB, seed=2)
    app = select(lab.open("runs"), his, hers, done)
    assert app.button(key="runs.stop").label == "Stop (1 of 3)"
    press(app, "runs.stop")
    assert [lab.store.run(key).status for key in (his, hers, done)] == ["stopped", "queued", "finished"]


def test_train_again_takes_a_new_seed_and_keeps_pairs_together(lab):
    pair = [finished(lab), finished(lab, dropout=0.2)]
    app = press(select(lab.open("runs"), *pair), "runs.new_seed")
    new = [run for run in lab.store.runs() if run.status == "queued"]
    assert {run.config.dropout for run in new} == {0.0, 0.2}
    (seed,) = {run.config.seed for run in new}
    assert seed != CONFIG.seed
    assert {replace(run.config, seed=CONFIG.seed) for run in new} == {CONFIG, replace(CONFIG, dropout=0.2)}
    assert app.session_state["runs.chosen"][:2] == pair
    assert len(app.session_state["runs.chosen"]) == 4


def test_a_run_of_other_data_cannot_go_on_here(lab):
    key = lab.store.request(CONFIG, "Other data", "0" * 16)
    lab.store.cancel(key)
    app = select(lab.open("runs"), key)
    assert "runs.go_on" not in keys(app.button)


def test_deleted_runs_are_gone_and_undo_brings_them_back(lab):
    chosen = [finished(lab), finished(lab, seed=1)]
    other = finished(lab, seed=2)
    app = press(select(lab.open("runs"), *chosen), "runs.delete")
    assert [run.key for run in lab.store.runs()] == [other]
    assert "Deleted: Run 2" in unescaped(all_words(app))
    press(app, "runs.undo0")
    assert len(lab.store.runs()) == 3
    assert "Deleted" not in all_words(app)
    assert not app.exception


def test_of_several_runs_only_ones_own_are_deleted(lab, be):
    be(ADA)
    own, others = [finished(lab, seed=seed) for seed in range(2)], finished(lab, by=BOB, seed=9)
    app = select(lab.open("runs"), *own, others)
    assert "1 run of somebody else's stays" in all_words(app)
    press(app, "runs.delete")
    assert [run.key for run in lab.store.runs()] == [others]


def test_delete_for_good_leaves_nothing_to_undo(lab):
    key = finished(lab)
    app = press(select(lab.open("runs"), key), "runs.delete")
    assert "No run yet" in texts(app.subheader)
    press(app, "runs.purge0")
    assert lab.store.bring_back(key) == []
    assert "Deleted" not in all_words(app)


def test_others_see_no_undo_and_cannot_delete(lab, be):
    be(ADA)
    key = finished(lab)
    other = finished(lab, seed=1)
    press(select(lab.open("runs"), key), "runs.delete")
    be(BOB)
    app = select(lab.open("runs"), other)
    assert "Deleted" not in all_words(app)
    assert "runs.undo0" not in keys(app.button)
    (popover,) = (one for one in app.get("popover") if one.proto.popover.label == "Delete")
    assert popover.proto.popover.disabled
    assert "somebody else" in popover.proto.popover.help
