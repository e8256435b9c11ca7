"""Taking things along, as a visitor does it: a choice, a button, the file; and settings on their way back."""

import json
from dataclasses import replace
from io import BytesIO

import pandas as pd
import pytest

from fmnist_core.comparison.arms import arm_table
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.data.mapped import mapped
from fmnist_core.export.workshop import Making
from fmnist_core.store.notes import Notes
from tests.conftest import wait_until
from tests.page_lab import CONFIG, REAL, choose, keys, press, texts, unescaped
from tests.pages.test_compare import arm_runs
from tests.pages.test_runs import select
from ui import handles

STUDY = Study(base=CONFIG, seeds=3)


@pytest.fixture(autouse=True)
def _data_on_the_disk(lab):
    mapped(REAL, handles.settings().data_cache)


def made(app, page, kind):
    """Choose, make, wait, and return the file as the browser would get it."""
    choose(app, f"{page}.take_away.kind", kind)
    press(app, f"{page}.take_away.make")
    assert not app.exception
    workshop = handles.workshop()
    *_, request = [job.request for job in workshop._jobs.values() if job.request.kind == kind]  # the newest
    wait_until(lambda: not isinstance(workshop.state(request), Making), "the export is made")
    app.run()
    assert not app.exception
    (download,) = [one for one in app.download_button if one.key == f"{page}.take_away.download"]
    assert download.label == "Download"
    return workshop.content(request), request


def test_a_runs_settings_come_back_as_the_same_run(lab):
    key = lab.train(replace(CONFIG, seed=7))
    app = lab.open(run=key)
    content, request = made(app, "train", "settings")
    assert request.file_name() == f"run-{key}.json"
    assert any("made in" in text for text in texts(app.caption))

    other = lab.open()
    other.file_uploader(key="train.settings_file").set_value(("x.json", content, "application/json")).run()
    assert not other.exception
    assert any(f"They are those of run {key}." in text for text in texts(other.info))
    press(other, "train.start")
    assert other.query_params["run"] in (key, [key])


def test_a_bad_settings_file_is_told_and_the_form_stays(lab):
    app = lab.open()
    before = app.text_input(key="train.hidden").value
    content = json.dumps({"hidden": [8], "mixup": 1}).encode()
    app.file_uploader(key="train.settings_file").set_value(("x.json", content, "application/json")).run()
    assert not app.exception
    assert any('Unknown setting "mixup"' in unescaped(text) for text in texts(app.error))
    assert app.text_input(key="train.hidden").value == before


@pytest.mark.parametrize("revealed", [False, True])
def test_a_comparisons_table_is_what_the_page_shows(lab, revealed):
    ran = [lab.train(config) for config in STUDY.configs()]
    app = lab.open("compare", **STUDY.to_address())
    if revealed:
        press(app, "compare.reveal")
    content, request = made(app, "compare", "figures")
    expected = arm_table(arm_runs(lab, STUDY, ran), reveal_tests=revealed).rename(columns={"level": "dropout"})
    pd.testing.assert_frame_equal(pd.read_csv(BytesIO(content)), expected, check_dtype=False)
    assert set(request.keys) == set(ran)


def test_a_grids_table_can_be_had_and_its_guess_goes_along(lab):
    grid = Grid(study=replace(STUDY, seeds=1), across="training_images", values=(100, 200))
    for config in grid.configs():
        lab.train(config)
    app = lab.open("compare", **grid.to_address())
    (radio,) = [one for one in app.radio if one.key.startswith("compare.guess")]
    radio.set_value("helps nowhere").run()
    content, request = made(app, "compare", "figures")
    assert pd.read_csv(BytesIO(content))["training_images"].tolist() == [100, 100, 200, 200]
    assert request.notes.hypothesis == "It helps nowhere."


def test_what_the_visitor_writes_goes_into_the_report(lab):
    study = replace(STUDY, seeds=1)
    for config in study.configs():
        lab.train(config)
    app = lab.open("compare", **study.to_address())
    app.text_area(key="compare.take_away.hypothesis").input("It <b>helps</b>.").run()
    app.text_area(key="compare.take_away.conclusion").input("Not yet.").run()
    content, _ = made(app, "compare", "report")
    assert b"It &lt;b&gt;helps&lt;/b&gt;." in content
    assert b"Not yet." in content


def test_before_the_first_epoch_there_is_nothing_to_take(lab):
    app = lab.open(run=lab.ask(RunConfig(hidden=(8,), epochs=1)))
    assert not app.exception
    assert "train.take_away.make" not in keys(app.button)


def test_a_selected_run_can_be_taken_along_under_its_own_name(lab):
    key = lab.train()
    lab.store.write_notes(key, Notes(name="Erster <b>Lauf</b>", hypothesis="It fits."))
    app = lab.open("runs")
    select(app, key)
    content, request = made(app, "runs", "card")
    assert request.file_name() == f"Erster-b-Lauf-b-{key}-card.md"
    assert "name: Erster <b>Lauf</b>" in content.decode()
    assert "> It fits." in content.decode()


def test_new_notes_make_another_file(lab):
    key = lab.train()
    app = lab.open(run=key)
    before, _ = made(app, "train", "card")
    lab.store.write_notes(key, Notes(conclusion="It overfits."))
    app.run()
    assert "train.take_away.download" not in keys(app.download_button)
    after, _ = made(app, "train", "card")
    assert b"It overfits." in after
    assert b"It overfits." not in before
