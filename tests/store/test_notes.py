"""What people write about runs is kept as they wrote it, but for what cannot be seen."""

from dataclasses import replace

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.store.notes import NAME_LIMIT, NO_NOTES, TEXT_LIMIT, Notes
from fmnist_core.store.runs import RunGoneError
from fmnist_core.store.visitor import NotYoursError, Visitor

CONFIG = RunConfig(hidden=(16,), epochs=3)
ADA, BOB = Visitor("ada"), Visitor("bob")
HOSTILE = (
    "<script>alert(1)</script>",
    "**bold** _it_ [link](http://example.org) # no heading",
    "$x^2$ :red[red] :material/home: :smile: -> -- www.example.org",
    '=HYPERLINK("http://example.org")',
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\N{FAMILY} \U0001f468\u200d\U0001f469\u200d\U0001f467 na\u00efve",
    "'; DROP TABLE runs; --",
    "{0} %s %(name)s ${HOME} \\n",
)


def ask(store, by=ADA, **changes):
    return store.request(replace(CONFIG, **changes), "Tiny", "f" * 16, by)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_kept_to_the_letter(store, text):
    key = ask(store)
    assert store.run(key).notes == NO_NOTES
    notes = Notes.typed(text, f"{text}\n\n{text}", text)
    assert notes == Notes(name=" ".join(text.split()), hypothesis=f"{text}\n\n{text}", conclusion=text)
    store.write_notes(key, notes, by=ADA)
    assert store.run(key).notes == notes
    assert store.runs()[0].notes == notes


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two\n lines\t here ", "two lines here"),
        ("nul\0 bell\a escape\x1b[31m", "nul bell escape[31m"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("half a pair \ud800", "half a pair"),
    ],
)
def test_a_name_is_one_line_without_what_cannot_be_seen(typed, kept):
    assert Notes.typed(typed, "", "").name == kept


def test_paragraphs_stay_paragraphs():
    assert Notes.typed("", " one\r\n\r\ntwo\rthree \n", "").hypothesis == "one\n\ntwo\nthree"


@pytest.mark.parametrize(("field", "limit"), [("name", NAME_LIMIT), ("conclusion", TEXT_LIMIT)])
def test_what_is_too_long_is_refused_with_its_length(field, limit):
    Notes(**{field: "x" * limit})
    with pytest.raises(ValueError, match=f"the {field} must have at most {limit:,} characters, got {limit + 1:,}"):
        Notes(**{field: "x" * (limit + 1)})


def test_only_whose_run_it_is_writes_about_it(store):
    key = ask(store)
    store.write_notes(key, Notes(name="mine"), by=ADA)
    with pytest.raises(NotYoursError, match="only they may write about it"):
        store.write_notes(key, Notes(name="not mine"), by=BOB)
    store.write_notes(key, Notes(), by=Visitor("admin", may_change_all=True))
    assert store.run(key).notes == NO_NOTES


def test_nothing_is_written_about_a_deleted_run(store):
    key = ask(store)
    store.delete(key)
    with pytest.raises(RunGoneError, match="deleted meanwhile"):
        store.write_notes(key, Notes(name="late"))
    store.bring_back(key)
    assert store.run(key).notes == NO_NOTES
