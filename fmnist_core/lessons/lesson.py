"""What a lesson is: one page, a task, a question, and which of the page's controls are shown.

Those of this program and a teacher's are the same thing. A teacher's comes in a link, which anybody may have written:
its words are shown as plain text, and what does not hold here is refused with a sentence.
"""

import unicodedata
from dataclasses import dataclass

from fmnist_core.lessons.controls import CONTROLS
from fmnist_core.wording import counted

# The longest text, in characters, of each of a lesson's words.
LENGTHS = {"title": 80, "task": 1000, "question": 300, "answer": 100}
ANSWER_LIMITS = (2, 6)
NO_IDEA = "no idea, show it"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One page with something to do and to answer. Raises ValueError that names the rule and the value."""

    page: str  # the name of its script
    title: str
    task: str
    question: str
    answers: tuple[str, ...] = ()  # to choose from; none: the answer is typed
    asks_first: bool = True  # whether the page waits for the answer
    controls: tuple[str, ...] = ()  # the groups of the page's controls that are shown, in their order there

    def __post_init__(self) -> None:
        if self.page not in CONTROLS:
            raise ValueError(f"a lesson's page must be one of {', '.join(CONTROLS)}, got {_quoted(self.page)}")
        for name in ("title", "task", "question"):
            check_words(name, getattr(self, name), with_lines=name == "task")
        for answer in self.answers:
            check_words("answer", answer)
        low, high = ANSWER_LIMITS
        if self.answers and not low <= len(self.answers) <= high:
            raise ValueError(
                f"a lesson must have {low} to {high} answers to choose from, or none where they are typed, "
                f"got {len(self.answers)}"
            )
        if twice := [answer for answer in self.answers if self.answers.count(answer) > 1]:
            raise ValueError(f"a lesson's answers must differ, got {_quoted(twice[0])} twice")
        if NO_IDEA in self.answers:
            raise ValueError(f"a lesson's answers must not be {NO_IDEA!r}, which every choice has at its end")
        known = CONTROLS[self.page]
        if unknown := [name for name in self.controls if name not in known]:
            raise ValueError(
                f"the page {self.page} has no controls {_quoted(unknown[0])}; it has {', '.join(known) or 'none'}"
            )
        object.__setattr__(self, "controls", tuple(name for name in known if name in self.controls))

    @property
    def choices(self) -> tuple[str, ...]:
        """What a learner can choose from: the answers, and none of them; nothing where the answer is typed."""
        return (*self.answers, NO_IDEA) if self.answers else ()


def check_words(name: str, text: object, *, with_lines: bool = False) -> None:
    """Raise ValueError unless `text` can be shown as a lesson's `name`.

    Characters that nobody sees, or that turn the direction of what follows, could make a text say something else.
    """
    longest = LENGTHS[name]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"a lesson's {name} must be a text, got {_quoted(text) if text else 'nothing'}")
    if len(text) > longest:
        raise ValueError(
            f"a lesson's {name} must have at most {counted(longest, 'character')}, got {len(text):,}; shorten it"
        )
    hidden = [one for one in text if _is_hidden(one) and not (with_lines and one == "\n")]
    if hidden:
        raise ValueError(f"a lesson's {name} must hold nothing invisible, got the character U+{ord(hidden[0]):04X}")


def _is_hidden(character: str) -> bool:
    joins = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # parts of emoji, and of words in some scripts
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in joins


def _quoted(value: object) -> str:
    """A value from a link in quotation marks, and not too much of it."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
