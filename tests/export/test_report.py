"""The report: one file that asks nobody for anything, and shows people's words as text."""

from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.verdict import conclude
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.make import make
from fmnist_core.export.material import GridMaterial
from fmnist_core.export.report import report
from fmnist_core.results.confusion import confusion
from fmnist_core.results.diagnosis import diagnose
from fmnist_core.store.notes import Notes
from tests.export import hostile
from tests.export.trained import STUDY

VOID = {"meta", "img", "br", "rect", "line", "circle", "polygon", "path"}
LINK = "https://lab.example/?run=1"


class Parsed(HTMLParser):
    """What a browser would make of a report: elements with their attributes, and the text in each."""

    def __init__(self, content):
        super().__init__(convert_charrefs=True)
        self.elements, self._open = [], []
        self.feed(content.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append({"tag": tag, "text": "", **dict(attributes)})

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag

    def handle_data(self, text):
        for element in self._open:
            element["text"] += text

    def all(self, tag, **attributes):
        return [one for one in self.elements if one["tag"] == tag and attributes.items() <= one.items()]

    @property
    def text(self):
        (body,) = self.all("body")
        return body["text"]


def test_it_says_what_the_run_shows(run_material):
    material = run_material(link=LINK)
    page = Parsed(report(material))
    found, _, why = diagnose(material.epochs).sentence.partition(": ")
    assert f"{found}." in page.text
    assert why[1:] in page.text
    assert material.run.key in page.text
    assert {one["href"] for one in page.all("a")} == {LINK}
    last = material.epochs.iloc[-1]
    assert f"{last.validation_loss:.3f}" in page.text
    assert f"{last.validation_accuracy:.2%}" in page.text
    for name in ("Hidden layers", "Learning rate", "Seed", "Validation"):
        assert [one for one in page.all("th") if one["text"] == name]


@pytest.mark.parametrize("subject", ["run", "study"])
def test_the_script_that_makes_it_again_is_in_it(trained, subject):
    request = trained.run_request() if subject == "run" else trained.study_request()
    material = trained.material(request)
    page = Parsed(make("report", material))
    (script,) = page.all("pre")
    assert script["text"] == make("script", material).decode().removeprefix("\n")
    (link,) = [one for one in page.all("a") if "download" in one]
    assert b64decode(link["href"].partition(",")[2]).decode() == make("script", material).decode()


def test_where_there_can_be_no_script_it_says_why(run_material):
    material = run_material()
    drawn = replace(material, run=replace(material.run, data_name="Drawn garments"))
    page = Parsed(make("report", drawn))
    assert not page.all("pre")
    assert "No script: a script fetches Fashion-MNIST by torchvision" in page.text


def test_its_matrix_counts_every_image_and_its_mistakes_are_the_surest(run_material):
    material = run_material()
    answers = material.answers
    page = Parsed(report(material))
    cells = [one["text"] for one in page.all("td") if one.get("style", "").startswith("background:rgba")]
    counts = np.array([int(text or 0) for text in cells]).reshape(10, 10)
    assert (counts == confusion(answers.labels, answers.predicted)).all()
    pictures = page.all("img")
    wrong = np.flatnonzero(answers.predicted != answers.labels)
    assert len(pictures) == min(20, len(wrong)) > 0
    surest = wrong[answers.probabilities[wrong].max(axis=1).argmax()]
    said = f"{CLASSES[answers.labels[surest]]}, taken for {CLASSES[answers.predicted[surest]]}"
    assert said in pictures[0]["alt"]


def test_nothing_in_it_runs_and_nothing_comes_from_elsewhere(run_material):
    page = Parsed(report(run_material(link=LINK), script="print('</pre><script>')\n"))
    assert not page.all("script")
    assert not [name for one in page.elements for name in one if name.startswith("on")]
    addresses = [one[name] for one in page.elements for name in ("src", "href") if name in one]
    assert {address.partition(":")[0] for address in addresses} == {"data", "https"}
    assert [address for address in addresses if address.startswith("https")] == [LINK]
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'")
    assert "print('</pre><script>')" in page.all("pre")[0]["text"]


def test_peoples_words_are_shown_as_they_wrote_them(run_material):
    notes = Notes(name=hostile.NAME, hypothesis=hostile.TEXT, conclusion=hostile.TEXT + "!")
    page = Parsed(report(run_material(notes=notes)))
    assert page.all("h1")[0]["text"] == hostile.NAME
    assert page.all("title")[0]["text"] == hostile.NAME
    assert [one["text"] for one in page.all("p", **{"class": "own"})] == [hostile.TEXT, hostile.TEXT + "!"]
    assert not page.all("script")
    assert not page.all("b")


def test_test_figures_stay_hidden_until_they_were_revealed(run_material):
    hidden, shown = (Parsed(report(run_material(reveal_tests=reveal))).text for reveal in (False, True))
    assert "Test accuracy" not in hidden
    assert "had not revealed them" in hidden
    assert "Test accuracy" in shown
    assert "had revealed them" in shown


def test_it_stays_far_below_five_megabytes(trained, run_material):
    assert len(report(run_material())) < 500_000
    assert len(report(trained.material(trained.study_request()))) < 1_000_000


def test_every_chart_has_words_and_every_picture_too(trained):
    page = Parsed(report(trained.material(trained.study_request())))
    charts = page.all("svg")
    assert len(charts) == 5  # two curves an arm, and the differences
    assert len(page.all("title")) == 1 + len(charts)
    assert all(one["text"] for one in page.all("title"))
    assert all(one["alt"] for one in page.all("img"))


def test_a_comparison_tells_its_answer_and_what_one_network_gets_right_alone(trained):
    material = trained.material(trained.study_request(notes=Notes(hypothesis=hostile.TEXT)))
    page = Parsed(report(material))
    verdict = conclude(material.collected.runs, STUDY.factor, 0.0, 0.5)
    for sentence in (verdict.headline, *verdict.sentences):
        assert sentence in page.text
    assert page.all("h1")[0]["text"] == "Does dropout help here?"
    assert page.all("p", **{"class": "own"})[0]["text"] == hostile.TEXT
    assert len(page.all("table", **{"class": "matrix"})) == 2
    before, after = (one.answers for one in material.pair)
    fixed = ((before.predicted != before.labels) & (after.predicted == after.labels)).sum()
    broke = ((before.predicted == before.labels) & (after.predicted != after.labels)).sum()
    assert len(page.all("img")) == min(20, fixed) + min(20, broke)
    assert "**" not in page.text


def test_without_the_data_it_says_what_is_missing(run_material):
    text = Parsed(report(replace(run_material(), data=None))).text
    assert "other data" in text
    assert "What is taken for what" not in text


def test_a_comparison_without_any_run_says_so(trained):
    other = replace(STUDY, base=replace(STUDY.base, hidden=(8,)))
    page = Parsed(report(trained.material(trained.study_request(study=other))))
    assert "No answer yet." in page.text
    assert "appear when a pair of runs has finished" in page.text


@pytest.mark.parametrize("levels", [(0.0, 0.5), (0.0, 0.2, 0.5)])
def test_a_grid_has_its_sentences_and_all_its_figures(trained, levels):
    grid = Grid(study=replace(STUDY, levels=levels), across="hidden", values=((8,), (24, 16)))
    request = replace(trained.study_request(), subject="grid", experiment=grid.to_address())
    material = trained.material(request)
    assert isinstance(material, GridMaterial)
    page = Parsed(report(replace(material, notes=Notes(hypothesis="It helps nowhere."))))
    assert "It helps nowhere." in page.text
    assert len(page.all("svg")) == 6
    assert len(page.all("tbody")[0]["text"].split("3 of 3")) == 2  # one of the cells has been trained


def test_an_article_run_calls_its_validation_images_test_images(run_material):
    material = run_material()
    article = replace(material.run, config=replace(material.run.config, protocol="article"))
    assert "test images, on which this run validates" in Parsed(report(replace(material, run=article))).text
