from dataclasses import replace

import pytest

from fmnist_core.config import PRESETS
from fmnist_core.results.run_filter import OWN_SETTINGS, PRESET_CHOICES, RunFilter
from fmnist_core.store.notes import Notes
from tests.results.stored_runs import run, waiting

RUNS = [
    run(1, config=replace(PRESETS[0].config, seed=5), asked_by="ada"),
    run(12, notes=Notes(name="Wide Stra\u00dfe", hypothesis="more units", conclusion="it overfits"), asked_by="bob"),
    waiting(3, config=PRESETS[3].config, data_name="Drawn garments"),
]


def kept(**wanted):
    return [run.number for run in RUNS if RunFilter(**wanted).keeps(run)]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", [1, 12, 3]),
        ("   ", [1, 12, 3]),
        ("wide", [12]),
        ("STRASSE", [12]),
        ("overfits more", [12]),
        ("more dropout", []),
        ("article", [1]),
        ("seed 5", [1]),
        ("32-16", [12]),
        ("waiting", [3]),
        ("drawn", [3]),
        ("run 12", [12]),
        ("\N{FULLWIDTH LATIN SMALL LETTER W}ide", [12]),
        (".*", []),
    ],
)
def test_every_word_must_occur_somewhere(words, numbers):
    assert kept(words=words) == numbers


def test_states_presets_and_owners_are_told_apart():
    assert kept(states=("queued",)) == [3]
    assert kept(states=("queued", "finished")) == [1, 12, 3]
    assert kept(preset="Article") == [1]
    assert kept(preset=OWN_SETTINGS) == [12]
    assert kept(asked_by="bob") == [12]
    assert kept(asked_by="") == []
    assert kept(states=("finished",), asked_by="ada", words="article") == [1]


def test_every_preset_can_be_chosen():
    assert [preset.name for preset in PRESETS] == list(PRESET_CHOICES[:-1])
