"""One line in the log for what happens to a run: that it starts, ends, is taken up again, or that a wish is refused.

The lines read `event=end run=0123456789abcdef status=failed reason="…"`: `key=value`, where a value with anything but
letters, digits and what names are made of is quoted as in JSON, so that nobody can write a line of their own.
"""

import json
import logging
import re
from typing import Literal

Event = Literal["start", "end", "retry", "refusal"]

logger = logging.getLogger(__name__)

_PLAIN = re.compile(r"[\w.:/@-]+", re.ASCII)
_PROGRAMS = ("fmnist_core", "ui")  # the loggers whose lines are shown


def log_run(event: Event, **values: object) -> None:
    """Log an event with its values, in their order; those that are None are left out."""
    known = {"event": event, **{name: value for name, value in values.items() if value is not None}}
    logger.info("%s", " ".join(f"{name}={_quoted(str(value))}" for name, value in known.items()))


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def show_log_lines() -> None:
    """Write this program's log lines to standard error, unless whoever runs it has set up logging already."""
    for name in _PROGRAMS:
        program = logging.getLogger(name)
        if program.hasHandlers():
            continue
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        program.addHandler(handler)
        program.setLevel(logging.INFO)
