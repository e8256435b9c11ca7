"""The model card: a YAML head that reads back equal, and Markdown that shows people's words as text."""

import re
from html.parser import HTMLParser

import yaml
from markdown_it import MarkdownIt

from fmnist_core.export.model_card import model_card
from fmnist_core.store.notes import Notes
from tests.export import hostile


class Text(HTMLParser):
    def __init__(self, content):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, text):
        self.text += text


def parts(card):
    """The head as YAML has it, and the body as a browser would."""
    _, head, body = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)
    return yaml.safe_load(head), Text(MarkdownIt("commonmark").enable("table").render(body))


def test_the_head_is_what_hugging_face_reads(run_material):
    material = run_material(notes=Notes(name=hostile.NAME))
    head, _ = parts(model_card(material))
    assert head["pipeline_tag"] == "image-classification"
    assert head["datasets"] == ["zalando-datasets/fashion_mnist"]
    (entry,) = head["model-index"]
    assert entry["name"] == hostile.NAME
    (result,) = entry["results"]
    best = material.epochs.set_index("epoch").loc[material.run.best_epoch]
    assert {one["type"]: one["value"] for one in result["metrics"]} == {
        "loss": best["validation_loss"],
        "accuracy": best["validation_accuracy"],
    }


def test_test_figures_are_told_only_where_they_were_revealed(run_material):
    material = run_material(reveal_tests=True)
    head, body = parts(model_card(material))
    told = {one["name"]: one["value"] for one in head["model-index"][0]["results"][0]["metrics"]}
    assert told["Test accuracy"] == material.tests["best"].accuracy
    assert "Test accuracy" in body.text
    hidden = model_card(run_material())
    assert "Test accuracy" not in hidden
    assert "had not revealed them" in hidden


def test_peoples_words_are_shown_as_they_wrote_them(run_material):
    notes = Notes(name=hostile.NAME, hypothesis=hostile.TEXT, conclusion="# no heading\n    no code\n\n1. no list")
    _, body = parts(model_card(run_material(notes=notes)))
    read = " ".join(body.text.split())
    assert " ".join(hostile.NAME.replace("\N{RIGHT-TO-LEFT OVERRIDE}", " ").split()) in read
    assert " ".join(hostile.TEXT.split()) in read
    assert "# no heading no code 1. no list" in read
    assert not {"script", "img", "b", "code", "ol"} & set(body.tags)
    assert body.tags.count("a") == 0
    assert body.tags.count("blockquote") == 2


def test_a_link_leads_to_the_run(run_material):
    _, body = parts(model_card(run_material(link="http://localhost:8501/?run=0")))
    assert body.tags.count("a") == 1
    assert "http://localhost:8501/?run=0" in body.text
