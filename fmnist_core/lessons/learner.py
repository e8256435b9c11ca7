"""What one learner has guessed and finished."""

from dataclasses import dataclass, field

MOST_GUESSES = 30  # whoever makes links of lessons by the thousand fills no memory


@dataclass
class Learner:
    """Guesses are by what a lesson's link says; `done` has the names of this program's lessons."""

    guesses: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def guess(self, lesson: str, answer: str) -> None:
        """Keep an answer; of very many the oldest goes."""
        self.guesses[lesson] = answer
        while len(self.guesses) > MOST_GUESSES:
            self.guesses.pop(next(iter(self.guesses)))
