"""The colours that carry meaning: runs, arms, and what is neutral."""

from collections.abc import Sequence

from fmnist_core.results.side_by_side import less_dropout_first
from fmnist_core.store.run import Run

# Each has a contrast of 3 or more on white and on the dark background, and all ten stay apart under simulated
# protanopia and deuteranopia; the first four, which most comparisons use, are the furthest apart.
RUN_COLOURS = (
    "#3f72d8",  # blue
    "#c4480c",  # vermilion
    "#0da17d",  # green
    "#9a4294",  # plum
    "#b0920b",  # ochre
    "#828afa",  # periwinkle
    "#776459",  # umber
    "#b37249",  # clay
    "#8b91b9",  # slate
    "#966c9a",  # mauve
)
ACCENT = RUN_COLOURS[0]
NEUTRAL = "#808a97"  # readable on light and dark backgrounds alike


def run_colour(number: int) -> str:
    """The colour of run 1, 2, 3 and so on, everywhere; the ten colours repeat."""
    return RUN_COLOURS[(number - 1) % len(RUN_COLOURS)]


def arm_colour(position: int) -> str:
    """The colour of the arm at this position, counted from 0; the ten colours repeat."""
    return RUN_COLOURS[position % len(RUN_COLOURS)]


def colours_of(runs: Sequence[Run]) -> list[str]:
    """A run's own colour; of two, the colours of a comparison's first arms, which are the furthest apart.

    As in a comparison, the run with less dropout has the first.
    """
    if len(runs) == 1:
        return [run_colour(runs[0].number)]
    baseline = less_dropout_first(*runs)[0]
    return [RUN_COLOURS[0 if run == baseline else 1] for run in runs]


def see_through(colour: str, opacity: float) -> str:
    """A colour such as "#3f72d8" with an opacity from 0 to 1, for places that know no opacity of their own."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
