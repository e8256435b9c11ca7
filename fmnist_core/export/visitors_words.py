"""What visitors wrote, as Markdown that shows it letter by letter."""

import html
import re
import textwrap
import unicodedata

_WIDTH = 94  # characters of a line, before those that mark a quotation in a comment

# Formulas begin with these. No backslash would do, since programs that show notebooks look for formulas first.
_ENTITIES = {"\\": "&#92;", "$": "&#36;"}
_ESCAPES = str.maketrans(_ENTITIES | {mark: f"\\{mark}" for mark in "`*_[]|~#@"})
# What makes a tag or an entity.
_HTML = re.compile(r"[<&](?=[\w#/!?])")
# What makes a list, a quotation, a rule or a cell where a line begins with it.
_AT_START = re.compile(r"^([0-9]+(?=[.)])|(?=[-+=%:!>]))")
# These could show the code beside them in another order than it has.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def heading(text: str) -> str:
    """A heading of the first order, in one line."""
    return f"# {escaped(' '.join(_lines(text)))}"


def quotation(text: str) -> str:
    """A quotation, of which each line of `text` is a paragraph; empty ones are left out."""
    return "\n>\n".join(
        "\n".join(
            f"> {escaped(line)}"
            for line in textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
        )
        for paragraph in _lines(text)
    )


def _lines(text: str) -> list[str]:
    """The lines that have something on them, whatever parted them, without characters that no file may hold."""
    lines = ("".join(" " if _is_control(one) else one for one in line).split() for line in text.splitlines())
    return [" ".join(words) for words in lines if words]


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"} or character in _TURNING


def escaped(line: str) -> str:
    """One line, of which no sign means anything."""
    line = _HTML.sub(lambda mark: html.escape(mark[0]), line)
    return _AT_START.sub(r"\1\\", line.translate(_ESCAPES))
