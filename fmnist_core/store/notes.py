"""What people write about their runs: a name, a hypothesis before, a conclusion after."""

import unicodedata
from dataclasses import dataclass, fields
from typing import Self

# Characters. A name stands in lists and legends; the others are a paragraph or two.
NAME_LIMIT = 80
TEXT_LIMIT = 2000
# These turn the order of whatever is written after them; right-to-left words need none of them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What is written about a run, as plain text; empty where nothing is.

    Raises ValueError that names the field, the rule and the length where a text is too long.
    """

    name: str = ""  # one line
    hypothesis: str = ""
    conclusion: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            text, limit = getattr(self, field.name), NAME_LIMIT if field.name == "name" else TEXT_LIMIT
            if len(text) > limit:
                raise ValueError(f"the {field.name} must have at most {limit:,} characters, got {len(text):,}")

    @classmethod
    def typed(cls, name: str, hypothesis: str, conclusion: str) -> Self:
        """Notes of what somebody typed, without what cannot be seen; raises ValueError as the class does."""
        return cls(
            name=" ".join(_visible(name).split()),
            hypothesis=_visible(hypothesis).strip(),
            conclusion=_visible(conclusion).strip(),
        )


def _visible(text: str) -> str:
    """`text` without control characters but line breaks, and without what turns the order of the words around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(
        one for one in text if one == "\n" or (unicodedata.category(one) not in {"Cc", "Cs"} and one not in _TURNING)
    )


NO_NOTES = Notes()
