"""Which of all stored runs a list shows: by words, state, preset and owner."""

import unicodedata
from dataclasses import dataclass

from fmnist_core.config import PRESETS, preset_of
from fmnist_core.results.run_names import STATUS_WORDS, describe
from fmnist_core.store.run import Run, Status

OWN_SETTINGS = "Other settings"  # beside the presets' names
PRESET_CHOICES = (*(preset.name for preset in PRESETS), OWN_SETTINGS)


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """What runs must have to be listed; as it is made, all are."""

    words: str = ""  # each must occur in the run's number, name, hypothesis, conclusion, settings, state or data
    states: tuple[Status, ...] = ()  # none: all
    preset: str | None = None  # one of PRESET_CHOICES
    asked_by: str | None = None  # the opaque name of who asked for the run

    def keeps(self, run: Run) -> bool:
        """Whether a run is listed."""
        return (
            (not self.states or run.status in self.states)
            and (self.asked_by is None or run.asked_by == self.asked_by)
            and (self.preset is None or self.preset == _preset_name(run))
            and self._all_words_occur(run)
        )

    def _all_words_occur(self, run: Run) -> bool:
        words = _plainly(self.words).split()
        return not words or all(word in text for text in [_text_of(run)] for word in words)


def _preset_name(run: Run) -> str:
    preset = preset_of(run.config)
    return OWN_SETTINGS if preset is None else preset.name


def _text_of(run: Run) -> str:
    notes = run.notes
    parts = (notes.name, notes.hypothesis, notes.conclusion, describe(run.config), run.data_name)
    return _plainly(" \n ".join((f"run {run.number}", *parts, STATUS_WORDS.get(run.status, ""))))


def _plainly(text: str) -> str:
    """`text` so that case, and letters that look alike, make no difference."""
    return unicodedata.normalize("NFKC", text).casefold()
