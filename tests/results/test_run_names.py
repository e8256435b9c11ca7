from dataclasses import fields, replace
from itertools import combinations

import pytest

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.results.run_names import (
    describe,
    describe_all,
    describe_recipe,
    describe_settings,
    run_title,
    run_titles,
    short_title,
)
from fmnist_core.store.notes import Notes
from tests.results.stored_runs import run

OTHER = RunConfig(
    hidden=(64, 32),
    dropout=0.1 + 0.2,
    batch_norm=True,
    learning_rate=0.01,
    schedule="one-cycle",
    batch_size=128,
    epochs=1,
    weight_decay=1e-6,
    label_smoothing=0.1,
    flips=True,
    protocol="article",
    seed=3,
    training_images=2000,
    label_noise=0.4,
    input_dropout=0.2,
    shift_pixels=1,
    optimizer="sgd",
)
NAMES = [field.name for field in fields(RunConfig)]


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (replace(PRESETS[0].config, seed=3), "Article · seed 3"),
        (replace(PRESETS[1].config, learning_rate=0.03), "Article with dropout 0.2, learning rate 0.03 · seed 0"),
        (replace(PRESETS[3].config, dropout=0.0, flips=True), "Best, no dropout, flips · seed 0"),
        (RunConfig(), "Article, held-out validation · seed 0"),
        (RunConfig(hidden=(64, 32), dropout=0.5, epochs=1), "64-32, dropout 0.5, 1 epoch · seed 0"),
        (
            replace(PRESETS[2].config, training_images=2000, label_noise=0.4),
            "Quick, 2,000 images, label noise 0.4 · seed 0",
        ),
        (replace(PRESETS[2].config, shift_pixels=1, optimizer="sgd"), "Quick, shifts up to 1 pixel, SGD · seed 0"),
        (replace(PRESETS[0].config, input_dropout=0.2), "Article, input dropout 0.2 · seed 0"),
    ],
)
def test_a_name_says_what_differs_from_the_nearest_preset_or_else_from_the_defaults(config, name):
    assert describe(config) == name


@pytest.mark.parametrize("base", [*(preset.config for preset in PRESETS), RunConfig(hidden=(16,), epochs=2), OTHER])
def test_runs_that_differ_in_any_setting_have_different_names(base):
    other = OTHER if base is not OTHER else RunConfig()
    configs = [base, *(replace(base, **{name: getattr(other, name)}) for name in NAMES)]
    configs += [replace(base, **{name: getattr(other, name) for name in pair}) for pair in combinations(NAMES, 2)]
    different = set(configs)
    assert len({describe(config) for config in different}) == len(different)
    assert len(set(describe_all(sorted(different, key=str)))) == len(different)


def test_what_tells_listed_runs_apart_comes_first():
    base = PRESETS[0].config
    listed = [replace(base, learning_rate=0.01), replace(base, learning_rate=0.03)]
    assert describe_all(listed) == ["learning rate 0.01 · Article, seed 0", "learning rate 0.03 · Article, seed 0"]
    assert describe_all([base, replace(base, seed=1)]) == ["seed 0 · Article", "seed 1 · Article"]


def test_a_run_that_is_listed_alone_has_its_plain_name():
    assert describe_all([]) == []
    assert describe_all([OTHER]) == [describe(OTHER)]


def test_a_recipe_leaves_out_dropout_and_seed():
    best = replace(PRESETS[3].config, dropout=0.5, seed=4)
    assert describe_recipe(best, "dropout") == "Best · 30 epochs · held-out validation"
    article = replace(PRESETS[0].config, learning_rate=0.01, epochs=1)
    assert describe_recipe(article, "dropout") == "Article, learning rate 0.01 · 1 epoch · validated on the test set"


def test_a_network_of_one_layer_is_called_one():
    config = RunConfig(hidden=(128,), learning_rate=0.001, batch_norm=True, flips=True)
    assert describe(config).startswith("network 128, batch norm, flips, learning rate 0.001")
    assert describe(replace(config, hidden=(128, 64))).startswith("128-64, batch norm")


def test_a_run_is_called_by_its_number_its_name_and_its_settings():
    named, other = run(2, notes=Notes(name="mine")), run(3)
    assert run_title(named) == f"Run 2 \N{MIDDLE DOT} mine \N{MIDDLE DOT} {describe(named.config)}"
    assert run_title(other) == f"Run 3 \N{MIDDLE DOT} {describe(other.config)}"
    settings = describe_all([named.config, other.config])
    assert run_titles([named, other]) == [
        f"Run 2 \N{MIDDLE DOT} mine \N{MIDDLE DOT} {settings[0]}",
        f"Run 3 \N{MIDDLE DOT} {settings[1]}",
    ]


def test_where_there_is_little_room_a_name_stands_for_the_settings():
    assert short_title(run(2, notes=Notes(name="mine")), "no dropout") == "Run 2 \N{MIDDLE DOT} mine"
    assert short_title(run(2), "no dropout") == "Run 2 \N{MIDDLE DOT} no dropout"
    assert short_title(run(2)) == "Run 2"
    assert len(short_title(run(2, notes=Notes(name="x" * 80)))) < 60


def test_a_name_from_right_to_left_turns_nothing_around_it():
    hebrew = "\u05e9\u05dc\u05d5\u05dd"
    assert short_title(run(2, notes=Notes(name=hebrew))) == f"Run 2 \N{MIDDLE DOT} \u2068{hebrew}\u2069"


def test_settings_without_the_seed_are_described_as_with_it():
    assert f"{describe_settings(OTHER)} \N{MIDDLE DOT} seed {OTHER.seed}" == describe(OTHER)
