"""Pairs whose runs trained under different conditions are named; what is not known is not."""

from types import SimpleNamespace

import pandas as pd
import pytest

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.conditions import trained_apart


def pair(seed, *, status="finished", **conditions):
    """Two runs of one seed; of each condition the first arm's and the second arm's."""
    for place, level in enumerate((0.0, 0.2)):
        known = {"torch_version": ("2.13.0",) * 2, "processor": ("EPYC",) * 2, "threads": (1, 1)} | conditions
        run = SimpleNamespace(status=status, **{name: values[place] for name, values in known.items()})
        yield ArmRun(level, seed, run, pd.DataFrame({"epoch": [1]}), {})


def said(*pairs):
    return trained_apart([one for two in pairs for one in two], 0.0, 0.2)


def test_runs_that_trained_alike_need_no_word():
    assert said(pair(0), pair(1)) is None


def test_pairs_may_differ_from_one_another():
    elsewhere = {"torch_version": ("2.12.1",) * 2, "processor": ("Xeon",) * 2, "threads": (2, 2)}
    assert said(pair(0), pair(1, **elsewhere)) is None


def test_a_pair_apart_is_named_with_what_differs():
    sentence = said(pair(0), pair(3, torch_version=("2.12.1", "2.13.0"), processor=("EPYC", "Xeon")))
    assert sentence.startswith(
        "1 pair did not train alike, which changes how figures round: "
        "seed 3 (torch 2.12.1 and 2.13.0, processors EPYC and Xeon)."
    )
    assert "seed 1 (threads 1 and 2)" in said(pair(1, threads=(1, 2)))


def test_many_pairs_are_counted():
    sentence = said(*(pair(seed, threads=(1, 2)) for seed in range(7)))
    assert sentence.startswith("7 pairs")
    assert "seed 2 (threads 1 and 2) and 4 more." in sentence


@pytest.mark.parametrize("conditions", [{"torch_version": (None, "2.13.0")}, {"threads": (1, None)}])
def test_what_an_earlier_version_did_not_record_says_nothing(conditions):
    assert said(pair(0, **conditions)) is None


def test_only_finished_pairs_count():
    assert said(pair(0, status="running", threads=(1, 2))) is None
