"""Text from elsewhere stays text. How a browser shows it is tested in tests/browser/test_lessons.py."""

import pytest

from tests.page_lab import unescaped
from ui.wording import plain

JOINER = "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("text", "kept_apart"),
    [
        ("see http://a.example/x", f"http:{JOINER}//a.example"),
        ("see HTTPS://a.example", f"HTTPS:{JOINER}//a"),
        ("www.a.example", f"www{JOINER}.a"),
        ("me@a.example", f"me@{JOINER}a"),
        (":material/close:", f":{JOINER}material/close:"),
        (":smile: :+1:", f":{JOINER}smile: :{JOINER}+1:"),
        ("a -> b", f"a -{JOINER}> b"),
        ("a -- b", f"a -{JOINER}- b"),
    ],
)
def test_what_would_become_a_link_or_an_icon_is_kept_apart_by_something_that_nobody_sees(text, kept_apart):
    assert kept_apart in plain(text).replace("\\", "")
    assert unescaped(plain(text)) == text


@pytest.mark.parametrize(
    "text", ["**b**", "<b>", "$x$", ":red[x]", "[a](b)", "`c`", "~~s~~", "a|b", "# h", "&lt;", "\\"]
)
def test_what_markdown_would_read_is_escaped(text):
    assert all(f"\\{character}" in plain(text) for character in set(text) & set("\\*<>$:[]`~|#&"))


@pytest.mark.parametrize("text", ["10:30", "one, two", "e-mail at noon", "a: b", "3 @ 4"])
def test_nothing_is_put_into_plain_words(text):
    assert JOINER not in plain(text)
