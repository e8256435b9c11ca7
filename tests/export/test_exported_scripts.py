"""Exported scripts, run where this project is not: their figures are the lab's, bit for bit, and they say so."""

from dataclasses import asdict, replace

import pytest

from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.export.script import comparison_script, run_script
from tests.export.clean_process import printed_by
from tests.export.stored import trained, trained_arms
from tests.network.test_fast_step import EVERYTHING

pytestmark = pytest.mark.real_data

PRESET_NAMES = [preset.name for preset in PRESETS]
SMALL = RunConfig(hidden=(24,), training_images=300, batch_size=50, epochs=2, seed=5)
SETTINGS = {
    "nothing": SMALL,
    **{name: replace(SMALL, **{name: value}) for name, value in EVERYTHING.items() if name != "batch_size"},
    "a lone last image": replace(SMALL, batch_size=43, training_images=302, batch_norm=True),
    "everything": replace(SMALL, **EVERYTHING),
    "everything, adam": replace(SMALL, **{**EVERYTHING, "optimizer": "adam"}),
}
TINY = replace(SMALL, epochs=1)
STUDIES = {
    # "all" images would take seconds.
    name: Study(base=TINY, setting=name, levels=(100, 300) if name == "training_images" else factor.levels[:2])
    for name, factor in FACTORS.items()
}
STUDIES["epochs"] = Study(base=TINY, setting="epochs", levels=(1, 2))
STUDIES["three seeds"] = Study(base=TINY, levels=(0.0, 0.2, 0.5), seeds=3)
STUDIES["decay under either optimiser"] = Study(
    base=replace(TINY, weight_decay=0.1), setting="optimizer", levels=("adam", "sgd")
)


@pytest.fixture(scope="module")
def printed(fashion_mnist, torchvision_folder, tmp_path_factory):
    """What every script prints, by its name; one process runs them all."""
    scripts = {preset.name: run_script(*trained(preset.config, fashion_mnist, epochs=1)) for preset in PRESETS}
    scripts |= {name: run_script(*trained(config, fashion_mnist)) for name, config in SETTINGS.items()}
    scripts |= {
        f"arms: {name}": comparison_script(study, trained_arms(study, fashion_mnist)) for name, study in STUDIES.items()
    }
    return printed_by(scripts, torchvision_folder, tmp_path_factory.mktemp("scripts"))


@pytest.mark.parametrize("name", [*PRESET_NAMES, *SETTINGS])
def test_a_run_comes_out_bit_identical(printed, name):
    epochs = 1 if name in PRESET_NAMES else SETTINGS[name].epochs
    assert (
        printed[name].splitlines()[-1] == f"MET: the figures of all {epochs} epochs are bit-identical to the lab's."
    ), printed[name]


@pytest.mark.parametrize("name", STUDIES)
def test_a_comparison_comes_out_bit_identical(printed, name):
    text = printed[f"arms: {name}"]
    runs = len(STUDIES[name].configs())
    assert text.splitlines()[-1] == f"MET: all figures of {runs} runs are bit-identical to the lab's.", text


def test_every_setting_is_switched_on():
    assert set(EVERYTHING) == set(asdict(SMALL)) - {"seed"}
