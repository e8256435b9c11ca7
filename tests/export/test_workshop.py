"""Exports made beside the server: once each, one at a time, in bounded room, and told when they cannot be."""

import json
from dataclasses import replace
from io import StringIO

import pandas as pd
import pytest

from fmnist_core.export import workshop as workshops
from fmnist_core.export.kinds import KINDS
from fmnist_core.export.make import MAKERS
from fmnist_core.export.request import ExportRequest
from fmnist_core.export.workshop import Made, Making, Problem, Workshop, WorkshopFullError
from fmnist_core.store.notes import Notes
from tests.conftest import wait_until
from tests.export import hostile


@pytest.fixture
def workshop(trained):
    return Workshop(trained.settings)


def finished(workshop, request):
    wait_until(lambda: not isinstance(workshop.state(request), Making), "the export is made")
    return workshop.state(request)


def test_every_kind_that_is_offered_can_be_made():
    assert {subject: {kind.name for kind in kinds} for subject, kinds in KINDS.items()} == MAKERS


def test_a_wish_survives_the_way_to_another_process(trained):
    wish = trained.study_request(notes=Notes(name=hostile.NAME, conclusion=hostile.TEXT), reading={"epoch": "3"})
    assert ExportRequest.from_json(wish.to_json()) == wish
    assert wish.digest != replace(wish, version="2").digest


def test_it_is_made_once_in_another_process_and_kept(trained, workshop, monkeypatch):
    request = trained.run_request("history")
    assert workshop.state(request) is None
    workshop.ask(request)
    made = finished(workshop, request)
    assert isinstance(made, Made), made
    content = workshop.content(request)
    assert made.size == len(content)
    read = pd.read_csv(StringIO(content.decode()))
    pd.testing.assert_frame_equal(read, trained.store.epochs(request.keys[0]), check_dtype=False)
    monkeypatch.setattr(workshops.subprocess, "run", None)  # whoever starts another process now fails
    workshop.ask(request)
    assert workshop.state(request) == made


def test_what_was_given_up_for_room_is_made_again_when_it_is_wanted(trained):
    workshop = Workshop(trained.settings, kept_bytes=10)
    first, second = trained.run_request("settings"), trained.run_request("latex")
    for request in (first, second):
        workshop.ask(request)
    assert isinstance(finished(workshop, second), Made)
    assert workshop.state(first) is None
    assert json.loads(workshop.content(first))["key"] == first.keys[0]
    assert workshop.state(second) is None


def test_a_deleted_runs_files_are_given_up(trained, workshop):
    request = trained.run_request("settings")
    workshop.ask(request)
    made = finished(workshop, request)
    workshop.forget(["another"])
    assert workshop.state(request) == made
    workshop.forget(request.keys)
    assert workshop.state(request) is None
    assert not made.file.exists()


def test_a_run_that_is_gone_gets_a_sentence_and_another_try(trained, workshop):
    request = replace(trained.run_request(), keys=("0" * 16,))
    workshop.ask(request)
    assert finished(workshop, request) == Problem("the run was deleted")
    with pytest.raises(OSError, match="the run was deleted"):
        workshop.content(request)


def test_one_that_breaks_off_holds_up_nothing(trained, workshop, caplog):
    broken = replace(trained.run_request(), kind="figures", subject="study")  # without its comparison's setting
    request = trained.run_request("settings")
    workshop.ask(replace(broken, second=7))
    workshop.ask(request)
    assert isinstance(finished(workshop, request), Made)
    problem = workshop.state(replace(broken, second=7))
    assert "the server's log has the details" in problem.sentence
    assert "IndexError" in caplog.text


def test_one_that_takes_too_long_is_given_up(trained, workshop, monkeypatch):
    monkeypatch.setattr(workshops, "LONGEST_SECONDS", 0.01)
    request = trained.run_request("settings")
    workshop.ask(request)
    assert isinstance(finished(workshop, request), Problem)
    assert "took longer" in workshop.state(request).sentence


def test_only_so_many_may_wait(trained, workshop, monkeypatch):
    monkeypatch.setattr(workshops, "WAITING", 2)
    wishes = [trained.run_request("settings", version_of) for version_of in (0, 1, 2)]
    for wish in wishes[:2]:
        workshop.ask(wish)
    with pytest.raises(WorkshopFullError, match="2 others wait already"):
        workshop.ask(wishes[2])
    assert workshop.state(wishes[1]).before == 1
    workshop.ask(wishes[1])  # asking again is not asking for another
    assert isinstance(finished(workshop, wishes[1]), Made)
    workshop.ask(wishes[2])
    assert isinstance(finished(workshop, wishes[2]), Made)


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({"notes": Notes(name="Erster Lauf")}, "Erster-Lauf-{key}.html"),
        ({"kind": "history"}, "run-{key}-history.csv"),
        ({"kind": "weights"}, "run-{key}.safetensors"),
    ],
)
def test_files_are_called_by_name_and_key(trained, wish, name):
    request = trained.run_request(**wish)
    assert request.file_name() == name.format(key=request.keys[0])
    study = trained.study_request("figures")
    assert study.file_name() == f"dropout-comparison-{study.digest[:8]}-figures.csv"
