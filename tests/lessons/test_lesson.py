"""What a lesson may be, and how a link carries it: whoever wrote the link."""

import base64
import json
from dataclasses import replace

import pytest

from fmnist_core.lessons.controls import CONTROLS
from fmnist_core.lessons.lesson import LENGTHS, NO_IDEA, Lesson
from fmnist_core.lessons.lesson_link import LONGEST, lesson_from_text, lesson_to_text

LESSON = Lesson(
    page="train",
    title="Wie groß wird die Lücke?",
    task="Trainiere zweimal.\nVergleiche: <b>1 < 2</b> & $x$ 👩‍🏫",
    question="Was siehst du?",
    answers=("nichts", "viel"),
    asks_first=False,
    controls=("dropout", "seed"),
)


def link_of(**changes):
    """A link's text for values that no `Lesson` would take."""
    values = {"page": "train", "title": "A title", "task": "A task", "question": "A question?", **changes}
    content = json.dumps({name: value for name, value in values.items() if value is not None})
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def test_a_link_brings_back_the_same_lesson():
    text = lesson_to_text(LESSON)
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert lesson_from_text(text) == LESSON


def test_a_lesson_without_answers_asks_for_a_typed_one():
    typed = replace(LESSON, answers=())
    assert typed.choices == ()
    assert LESSON.choices == ("nichts", "viel", NO_IDEA)
    assert lesson_from_text(lesson_to_text(typed)) == typed


def test_controls_are_kept_in_the_pages_order_and_once():
    assert replace(LESSON, controls=("seed", "dropout", "seed")).controls == ("dropout", "seed")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"page": "admin"}, "page must be one of train, compare, predict, inspect, runs, data, got 'admin'"),
        ({"page": ["train"]}, "page must be a text"),
        ({"title": ""}, "title must be a text, got nothing"),
        ({"title": "   "}, "title must be a text"),
        ({"title": 5}, "title must be a text, got 5"),
        ({"title": "x" * 81}, "title must have at most 80 characters, got 81; shorten it"),
        ({"task": "x" * 1001}, "task must have at most 1,000 characters, got 1,001"),
        ({"question": None}, "must have a question"),
        ({"question": "Is\nit?"}, r"question must hold nothing invisible, got the character U\+000A"),
        ({"title": "safe\u202eelgoog"}, r"title must hold nothing invisible, got the character U\+202E"),
        ({"task": "a\x00b"}, r"U\+0000"),
        ({"task": "a\ud800b"}, r"U\+D800"),
        ({"answers": "yes"}, "answers must be a list of texts"),
        ({"answers": ["yes"]}, "must have 2 to 6 answers"),
        ({"answers": list("abcdefg")}, "2 to 6 answers to choose from, or none where they are typed, got 7"),
        ({"answers": ["yes", "yes"]}, "answers must differ, got 'yes' twice"),
        ({"answers": ["yes", NO_IDEA]}, "answers must not be"),
        ({"answers": ["yes", 1]}, "answers must be a list of texts"),
        ({"controls": ["dropout", "teleport"]}, "the page train has no controls 'teleport'; it has preset, hidden"),
        ({"controls": [["dropout"]]}, "controls must be a list of texts"),
        ({"asks_first": "no"}, "asks_first must be true or false"),
        ({"colour": "red"}, "has 'colour', which is not known here"),
    ],
)
def test_a_link_that_asks_for_what_there_is_not_is_refused_with_a_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        lesson_from_text(link_of(**changes))


@pytest.mark.parametrize(
    "text",
    ["", "x", "overfittin", "ü", "%%%", "eyJ", link_of()[:-5], base64.urlsafe_b64encode(b"\xff\xfe{}").decode()],
)
def test_a_link_that_was_cut_off_or_changed_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="cannot be read; it was cut off or changed on its way"):
        lesson_from_text(text)


@pytest.mark.parametrize("content", ["[]", "1", "null", '"train"'])
def test_a_link_that_is_no_lesson_is_refused_with_a_sentence(content):
    with pytest.raises(ValueError, match="must say what it consists of by name"):
        lesson_from_text(base64.urlsafe_b64encode(content.encode()).decode().rstrip("="))


def test_deeply_nested_content_does_no_harm():
    with pytest.raises(ValueError, match=r"cannot be read|must say what"):
        lesson_from_text(base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("="))


def test_too_long_a_link_is_refused_when_it_is_made_and_when_it_is_read():
    long = replace(LESSON, task="漢" * LENGTHS["task"])
    with pytest.raises(ValueError, match=r"at most 4,000 characters, got 4,[0-9]{3}; shorten the task"):
        lesson_to_text(long)
    with pytest.raises(ValueError, match="at most 4,000 characters, got 4,001"):
        lesson_from_text("A" * (LONGEST + 1))


def test_the_longest_lesson_in_latin_letters_fits_into_a_link():
    longest = Lesson(
        page="compare",
        title="x" * LENGTHS["title"],
        task="x" * LENGTHS["task"],
        question="x" * LENGTHS["question"],
        answers=tuple(letter * LENGTHS["answer"] for letter in "abcdef"),
        controls=tuple(CONTROLS["compare"]),
    )
    assert lesson_from_text(lesson_to_text(longest)) == longest
