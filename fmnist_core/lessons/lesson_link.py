"""How a link carries a teacher's lesson: one parameter, beside those that say what the page shows."""

import base64
import json
from dataclasses import fields
from typing import Any

from fmnist_core.lessons.lesson import Lesson

PARAMETER = "lesson"
LONGEST = 4000  # characters of the parameter: chats and proxies take addresses of twice that

_KNOWN = {field.name for field in fields(Lesson)}


def lesson_to_text(lesson: Lesson) -> str:
    """The lesson as one word of ASCII; `lesson_from_text`'s inverse. Raises ValueError where that is too long."""
    standard = {field.name: field.default for field in fields(Lesson)}
    values = {name: getattr(lesson, name) for name in sorted(_KNOWN) if getattr(lesson, name) != standard[name]}
    content = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(content).decode().rstrip("=")
    if len(text) > LONGEST:
        raise ValueError(
            f"a lesson's link must have at most {LONGEST:,} characters, got {len(text):,}; shorten the task"
        )
    return text


def lesson_from_text(text: str) -> Lesson:
    """Read a link's lesson, from whomever it comes. Raises ValueError with a sentence for people."""
    if len(text) > LONGEST:
        raise ValueError(f"a lesson's link must have at most {LONGEST:,} characters, got {len(text):,}")
    try:
        content = base64.b64decode(f"{text}{'=' * (-len(text) % 4)}".encode("ascii"), altchars=b"-_", validate=True)
        values: Any = json.loads(content.decode())
    except (ValueError, RecursionError):  # the errors of text, base64, UTF-8 and JSON are all ValueErrors
        raise ValueError("the link's lesson cannot be read; it was cut off or changed on its way") from None
    if not isinstance(values, dict):
        raise ValueError(f"the link's lesson must say what it consists of by name, got a {type(values).__name__}")
    if unknown := sorted(values.keys() - _KNOWN):
        raise ValueError(
            f"the link's lesson has {unknown[0][:40]!a}, which is not known here; it may be of a newer lab"
        )
    if missing := [name for name in ("page", "title", "task", "question") if name not in values]:
        raise ValueError(f"the link's lesson must have a {missing[0]}")
    for name in ("answers", "controls"):
        texts = values.get(name, [])
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise ValueError(f"the link's {name} must be a list of texts")
        values[name] = tuple(texts)
    if not isinstance(values["page"], str):
        raise ValueError("the link's page must be a text")
    if not isinstance(values.get("asks_first", True), bool):
        raise ValueError("the link's asks_first must be true or false")
    return Lesson(**values)
