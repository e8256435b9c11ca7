"""Exported scripts, run where this project is not: their figures are the lab's, bit for bit, and they say so."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from fmnist_core.comparison.arms import figures_at
from fmnist_core.comparison.evidence import weigh
from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.measures import MEASURES, unit_of
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.split import Examples, split
from fmnist_core.export.script import comparison_script, run_script
from fmnist_core.network.evaluation import evaluate
from fmnist_core.network.training import Training
from tests.export.clean_process import printed_by
from tests.export.stored import stored_run, trained, trained_arms
from tests.network.test_fast_step import EVERYTHING

# A minute on two cores that have nothing else to do; the first test waits for all scripts.
pytestmark = [pytest.mark.real_data, pytest.mark.timeout(900)]

PRESET_NAMES = [preset.name for preset in PRESETS]
SMALL = RunConfig(hidden=(24,), training_images=300, batch_size=50, epochs=2, seed=5)
SETTINGS = {
    "nothing": SMALL,
    **{name: replace(SMALL, **{name: value}) for name, value in EVERYTHING.items()},
    "a lone last image": replace(SMALL, batch_size=43, training_images=302, batch_norm=True),
    "everything": replace(SMALL, **EVERYTHING),
    "everything, adam": replace(SMALL, **{**EVERYTHING, "optimizer": "adam"}),
}
TINY = replace(SMALL, epochs=1)
STUDIES = {
    **{name: Study(base=TINY, setting=name, levels=factor.levels[:2]) for name, factor in FACTORS.items()},
    "training_images": Study(base=TINY, setting="training_images", levels=(100, 300)),
    "epochs": Study(base=TINY, setting="epochs", levels=(1, 2)),
    "decay, either optimiser": Study(base=replace(TINY, weight_decay=0.1), setting="optimizer", levels=("adam", "sgd")),
    "rates of one cycle": Study(base=replace(TINY, schedule="one-cycle"), setting="learning_rate", levels=(0.01, 0.02)),
}
SEVERAL = Study(base=TINY, levels=(0.0, 0.2, 0.5), seeds=3)


@pytest.fixture(scope="module")
def several(fashion_mnist):
    return trained_arms(SEVERAL, fashion_mnist)


@pytest.fixture(scope="module")
def scripts(fashion_mnist, several):
    """Every script by its name. Presets are stopped after an epoch."""
    made = {preset.name: run_script(*trained(preset.config, fashion_mnist, epochs=1)) for preset in PRESETS}
    made |= {name: run_script(*trained(config, fashion_mnist)) for name, config in SETTINGS.items()}
    for name, study in STUDIES.items():
        made[f"arms: {name}"] = comparison_script(study, trained_arms(study, fashion_mnist))
    training = Training(SMALL, split(fashion_mnist, SMALL.protocol, SMALL.seed))
    run, epochs = stored_run(SMALL, list(training), fashion_mnist)
    tested = evaluate(training.model, Examples.all(fashion_mnist.test_images, fashion_mnist.test_labels))
    made["tested"] = run_script(run, epochs, test=tested)
    made["altered test"] = run_script(run, epochs, test=replace(tested, accuracy=0.5))
    made["several"] = comparison_script(SEVERAL, several)
    made["altered run"] = _altered(made["nothing"])
    made["altered arms"] = _altered(made["several"])
    made["made elsewhere"] = made["altered run"].replace("STORED_ON = [", 'STORED_ON = [("another", "machine", 1),')
    made["other images"] = made["nothing"].replace(fashion_mnist.fingerprint, "0123456789abcdef")
    return made


def _altered(script):
    """The script with one stored figure that differs in its last digit alone."""
    begin = script.index("STORED = ")
    figure = re.search(r"\d\.\d{8,}", script[begin:]).group()
    changed = repr(float(np.nextafter(float(figure), 9)))
    return script[:begin] + script[begin:].replace(figure, changed, 1)


@pytest.fixture(scope="module")
def printed(scripts, torchvision_folder, tmp_path_factory):
    """What every script prints, by its name; one process runs them all."""
    return printed_by(scripts, torchvision_folder, tmp_path_factory.mktemp("scripts"))


@pytest.mark.parametrize("name", [*PRESET_NAMES, *SETTINGS])
def test_a_run_comes_out_bit_identical(printed, name):
    epochs = 1 if name in PRESET_NAMES else SETTINGS[name].epochs
    which = "the epoch" if epochs == 1 else f"all {epochs} epochs"
    assert f"\nMET: the figures of {which} are bit-identical to the lab's.\n" in printed[name], printed[name]


@pytest.mark.parametrize("name", STUDIES)
def test_a_comparison_comes_out_bit_identical(printed, name):
    assert "\nMET: all figures of 2 runs are bit-identical to the lab's.\n" in printed[f"arms: {name}"], printed[name]


def test_every_setting_is_switched_on():
    assert set(EVERYTHING) == set(asdict(SMALL)) - {"seed"}
    assert all(SETTINGS[name] != SMALL for name in EVERYTHING)


def test_a_comparison_shows_the_labs_differences_with_their_intervals(printed, several):
    assert "\nMET: all figures of 9 runs are bit-identical to the lab's.\n" in printed["several"]
    arms = {
        level: {one.seed: figures_at(one, "last", False) for one in several if one.level == level}
        for level in SEVERAL.levels
    }
    for level in SEVERAL.levels[1:]:
        shown = printed["several"].split(f"dropout {level} - no dropout")[1].splitlines()[2:5]
        evidence = weigh(arms[0.0], arms[level], rivals=2)
        for metric, line in zip(MEASURES, shown, strict=True):
            difference, unit = evidence.differences[metric], unit_of(metric)
            mean, low, high = (
                f"{unit.scale * value:+.{unit.digits}f}" for value in (difference.mean, difference.low, difference.high)
            )
            words = f"{mean} ({low} to {high}) {unit.of_differences}"
            assert re.fullmatch(rf"  [a-z ]+ {re.escape(words)} +{re.escape(words)}", line), line


def test_a_script_says_where_it_did_not_meet_its_figures(printed):
    assert "\nMET" not in printed["altered run"] + printed["altered arms"]
    assert "\nNOT MET: the figures differ from the lab's. They should not" in printed["altered run"]
    assert re.search(r"\n  training loss, as trained: at most \d\.\de-16 apart, at epoch 1\n", printed["altered run"])
    assert "\nNOT MET: the figures differ from the lab's. They should not" in printed["altered arms"]


def test_test_figures_are_made_again_where_they_are_asked_for(printed):
    assert "\nMET: the figures of all 2 epochs" in printed["tested"], printed["tested"]
    assert "\nTest loss " in printed["tested"]
    assert "\nTest loss " not in printed["nothing"]
    assert "\nNOT MET" in printed["altered test"]
    assert "\n  test loss: 0 apart\n  test accuracy: 0." in printed["altered test"]


def test_a_difference_on_another_machine_is_said_to_be_expected(printed):
    assert (
        "\nNOT MET: the figures differ from the lab's. The lab used [('another', 'machine', 1)"
        in (printed["made elsewhere"])
    )
    assert "small differences are to be expected" in printed["made elsewhere"]


def test_other_images_are_refused(printed):
    assert "ValueError: these are not the official images" in printed["other images"]
    assert "Epoch" not in printed["other images"]


def test_pictures_are_drawn_where_matplotlib_is(scripts, torchvision_folder, tmp_path):
    wanted = {name: scripts[name] for name in ("everything", "several")}
    showing = {
        name: script.replace("plt.show()", 'print("drawn:", len(plt.gcf().axes)); plt.close("all")')
        for name, script in wanted.items()
    }
    printed = printed_by(showing, torchvision_folder, tmp_path, pictures=True)
    assert "MET" in printed["everything"]
    assert [line for line in printed["everything"].splitlines() if "drawn" in line] == [
        "drawn: 10",
        "drawn: 1",
        "drawn: 2",
        "drawn: 1",
    ]
    assert printed["several"].count("drawn: 1") == 1
