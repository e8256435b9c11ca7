"""The colours of runs are ten, apart, and visible on both themes."""

import tomllib
from pathlib import Path

import pytest

from fmnist_core.charts.colours import RUN_COLOURS, run_colour, see_through


def relative_luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(relative_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def theme() -> dict:
    return tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())["theme"]


def test_runs_have_ten_colours_that_repeat():
    colours = [run_colour(number) for number in range(1, 12)]
    assert len(set(colours)) == 10
    assert colours[10] == colours[0] == RUN_COLOURS[0]


def test_theme_uses_the_runs_colours():
    assert theme()["chartCategoricalColors"] == list(RUN_COLOURS)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_run_colour_is_visible_on_the_theme(mode):
    background = theme()[mode]["backgroundColor"]
    assert all(contrast(colour, background) >= 3 for colour in RUN_COLOURS)
    assert contrast(theme()[mode]["textColor"], background) >= 7
    assert contrast(theme()[mode]["grayTextColor"], background) >= 4.5


def test_a_colour_is_given_an_opacity():
    assert see_through("#3f72d8", 0.25) == "rgba(63,114,216,0.25)"
