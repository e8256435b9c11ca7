"""Settings as a file: the way back gives the same key, and says exactly what is wrong with other files."""

import json
from dataclasses import replace

import pytest

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.export.config_file import LONGEST_FILE, config_file, read_config_file
from fmnist_core.network.figures import TRAINING_VERSION

UNUSUAL = RunConfig(
    hidden=(8, 9), dropout=0.05, training_images=2000, label_noise=0.1, shift_pixels=2, optimizer="sgd", seed=3
)


def written(run_material, config=UNUSUAL, **changes):
    run = run_material().run
    run = replace(run, config=config, key=config.key(run.data_fingerprint, TRAINING_VERSION))
    return run, {**json.loads(config_file(run)), **changes}


def read(values, fingerprint="another"):
    content = values if isinstance(values, bytes) else json.dumps(values).encode()
    return read_config_file(content, fingerprint)


@pytest.mark.parametrize("config", [*(preset.config for preset in PRESETS), UNUSUAL])
def test_what_was_written_is_read_and_gives_the_same_key(run_material, config):
    run, values = written(run_material, config)
    found = read(values, run.data_fingerprint)
    assert found.config == config
    assert found.key == run.key == found.config.key(run.data_fingerprint, TRAINING_VERSION)
    assert found.is_same_here


def test_other_data_or_other_training_code_give_another_key_and_it_says_so(run_material):
    run, values = written(run_material)
    assert not read(values, "other data").is_same_here
    older = UNUSUAL.key(run.data_fingerprint, TRAINING_VERSION + 1)
    newer = {**values, "key": older, "training_version": TRAINING_VERSION + 1}
    assert not read(newer, run.data_fingerprint).is_same_here


def test_plain_settings_will_do(run_material):
    found = read({"hidden": [64], "epochs": 3})
    assert found.config == RunConfig(hidden=(64,), epochs=3)
    assert found.key == ""


def test_a_byte_order_mark_is_no_harm(run_material):
    _, values = written(run_material)
    assert read(b"\xef\xbb\xbf" + json.dumps(values).encode()).config == UNUSUAL


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"settings": {"mixup": 0.2}}, 'unknown setting "mixup"; the file may be of a newer version'),
        ({"settings": {"dropout": 2}}, "dropout must be a number from 0 to 0.95, got 2"),
        ({"settings": {"hidden": "64"}}, "hidden layer sizes must be a tuple"),
        ({"settings": {"hidden": [True]}}, "a hidden layer's size must be a whole number"),
        ({"settings": {"seed": 1}}, "were changed since"),
        ({"settings": []}, '"settings" as an object, got []'),
        ({"format": "something else"}, 'must say "format": "dropout-lab-run", got "something else"'),
        ({"training_version": True}, '"training_version" as a whole number, got true'),
        ({"key": None}, '"key" as a text, got nothing'),
    ],
)
def test_a_file_that_cannot_be_used_is_told_exactly(run_material, changes, sentence):
    _, values = written(run_material, **changes)
    with pytest.raises(ValueError, match=r".") as raised:
        read(values)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must be JSON; line 1 is not"),
        (b'{\n"hidden": [64],\n}', "must be JSON; line 3 is not"),
        (b"\xff\xfe", "must be text in UTF-8; byte 0 is none"),
        (b"[1]", "must hold one JSON object, got [1]"),
        (b'{"seed": 1, "seed": 2}', 'got "seed" twice'),
        (b'{"dropout": NaN}', "must hold numbers, got NaN"),
        (b"[" * 20_000, "must be JSON"),
        (b" " * (LONGEST_FILE + 1), "must have at most 64 KB, got 64 KB"),
    ],
)
def test_what_is_no_settings_file_is_told_exactly(content, sentence):
    with pytest.raises(ValueError, match=r".") as raised:
        read(content)
    assert sentence in str(raised.value)
