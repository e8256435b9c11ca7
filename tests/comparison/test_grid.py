"""A comparison across a second setting."""

from dataclasses import replace
from itertools import permutations

import pytest

from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.grid import GRID_NAMES, Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS, RunConfig

BASE = RunConfig(hidden=(16,), epochs=2, seed=3)
GRID = Grid(study=Study(base=BASE, levels=(0.0, 0.5), seeds=2), across="training_images", values=(2000, 500, None))


def test_it_is_the_comparison_at_each_value_from_the_least_to_the_most():
    assert GRID.values == (500, 2000, None)
    assert [study.base.training_images for study in GRID.studies] == [500, 2000, None]
    for study in GRID.studies:
        assert replace(study, base=replace(study.base, training_images=None)) == GRID.study


def test_all_runs_of_a_seed_come_before_those_of_the_next():
    assert [(config.seed, config.training_images, config.dropout) for config in GRID.configs()] == [
        (seed, images, dropout) for seed in (3, 4) for images in (500, 2000, None) for dropout in (0.0, 0.5)
    ]


def test_the_bases_own_value_does_not_matter():
    other = replace(GRID.study, base=replace(BASE, training_images=700))
    assert Grid(study=other, across="training_images", values=GRID.values) == GRID


SOME = ("dropout", "hidden", "schedule", "batch_norm", "epochs")


@pytest.mark.parametrize(("setting", "across"), list(permutations(SOME, 2)))
def test_the_address_carries_all_of_it(setting, across):
    study = Study(base=PRESETS[2].config, setting=setting, levels=FACTORS[setting].levels, seeds=3)
    grid = Grid(study=study, across=across, values=FACTORS[across].levels)
    address = grid.to_address()
    assert Grid.from_address(address) == grid
    assert set(address) <= GRID_NAMES
    words = grid.describe()
    assert not [name for name in (*map(grid.second.arm_name, grid.values),) if name in words]


def test_a_value_that_is_left_out_of_a_link_takes_its_default():
    address = {"arms": "0,0.5", "across": "batch_size"}
    assert Grid.from_address(address).values == FACTORS["batch_size"].levels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"across": "dropout"}, "can go across one of"),
        ({"across": "seed"}, "across must be one of"),
        ({"across": "x" * 500}, "across must be one of"),
        ({"values": "500"}, "2 to 6 values of training images, got 1; add another"),
        ({"values": "100,200,300,400,500,600,700"}, "got 7; leave some out"),
        ({"values": "500,500"}, "500 is given twice"),
        ({"values": "50,500"}, "training images must be a whole number from 100"),
        ({"values": "500;700"}, "the link's values must look like"),
        ({"across": "none", "values": "1"}, "the link's across must be one of"),
        (
            {"seeds": "20", "arms": "0,0.1,0.2,0.3,0.4", "values": "500,600,700"},
            "got 3 values x 5 arms x 20 seeds = 300",
        ),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(changes, message):
    address = {**GRID.to_address(), **changes}
    if address["across"] != "training_images" and "values" not in changes:
        del address["values"]
    with pytest.raises(ValueError, match=message) as caught:
        Grid.from_address(address)
    assert len(str(caught.value)) < 400
