import dataclasses

import pytest

from fmnist_core.config import PRESETS, RunConfig, parse_hidden, preset_of, typed_image_count

BAD_VALUES = [
    ("hidden", ()),
    ("hidden", (64,) * 7),
    ("hidden", (7,)),
    ("hidden", (2049,)),
    ("hidden", (64.0,)),
    ("hidden", [64]),
    ("dropout", -0.1),
    ("dropout", 1.0),
    ("dropout", float("nan")),
    ("dropout", "0.2"),
    ("dropout", True),
    ("learning_rate", 0.0),
    ("learning_rate", float("inf")),
    ("schedule", "cosine"),
    ("batch_size", 4),
    ("batch_size", 64.0),
    ("epochs", 0),
    ("epochs", 201),
    ("weight_decay", -1e-9),
    ("label_smoothing", 0.6),
    ("batch_norm", 1),
    ("flips", None),
    ("protocol", "test"),
    ("seed", -1),
    ("seed", 2**31),
    ("training_images", 99),
    ("training_images", 60_001),
    ("training_images", 500.0),
    ("training_images", "some"),
    ("label_noise", 0.91),
    ("label_noise", -0.1),
    ("input_dropout", 0.96),
    ("shift_pixels", 4),
    ("shift_pixels", 1.0),
    ("optimizer", "lion"),
]


@pytest.mark.parametrize(("name", "value"), BAD_VALUES)
def test_a_wrong_value_is_refused_with_its_name_and_value(name, value):
    with pytest.raises(ValueError, match="must") as refusal:
        RunConfig(**{name: value})
    rule, _, got = str(refusal.value).partition(", got ")
    assert (" hidden layer" if name == "hidden" else f"{name.replace('_', ' ')} must ") in f" {rule.replace('_', ' ')}"
    if name != "hidden" or isinstance(value, list):
        assert got == repr(value)
    elif len(value) == 1:
        assert got == repr(value[0])  # of the layer that is wrong
    else:
        assert got == str(len(value))  # how many there are


def test_dictionary_round_trip_keeps_the_config():
    config = RunConfig(hidden=(512, 128), dropout=0.35, batch_norm=True, schedule="one-cycle", seed=7)
    assert RunConfig.from_dict(config.to_dict()) == config


def test_an_unknown_field_is_refused_by_name():
    with pytest.raises(ValueError, match="'momentum'"):
        RunConfig.from_dict({"momentum": 0.9})


def test_every_field_is_part_of_the_key():
    base = RunConfig()
    changed = {
        "hidden": (64,),
        "dropout": 0.2,
        "batch_norm": True,
        "learning_rate": 0.001,
        "schedule": "one-cycle",
        "batch_size": 128,
        "epochs": 5,
        "weight_decay": 0.1,
        "label_smoothing": 0.1,
        "flips": True,
        "protocol": "article",
        "seed": 1,
        "training_images": 500,
        "label_noise": 0.2,
        "input_dropout": 0.2,
        "shift_pixels": 2,
        "optimizer": "sgd",
    }
    assert changed.keys() == {field.name for field in dataclasses.fields(RunConfig)}
    keys = {dataclasses.replace(base, **{name: value}).key("data", 1) for name, value in changed.items()}
    keys |= {base.key("data", 1), base.key("other data", 1), base.key("data", 2)}
    assert len(keys) == len(changed) + 3


EARLIER_BEST = {
    "hidden": [512, 128],
    "dropout": 0.35,
    "batch_norm": True,
    "learning_rate": 0.004,
    "schedule": "one-cycle",
    "batch_size": 256,
}
FIRST_SETTINGS = {
    "hidden": [64, 32],
    "dropout": 0.3,
    "batch_norm": True,
    "learning_rate": 0.01,
    "schedule": "one-cycle",
    "batch_size": 128,
    "epochs": 7,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "flips": True,
    "protocol": "article",
    "seed": 3,
}


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({}, "e40b60962de0cd2a"),
        ({"protocol": "article"}, "e6016239a88fe88f"),
        ({"protocol": "article", "dropout": 0.2}, "117d2e7186f03479"),
        (PRESETS[2].config.to_dict(), "20d848433a4046c1"),
        (EARLIER_BEST, "817cbeafbf1a84bf"),
        (FIRST_SETTINGS, "89f729fec7f27a30"),
    ],
    ids=["defaults", "Article", "Article with dropout 0.2", "Quick", "an earlier Best", "every first setting"],
)
def test_runs_keep_the_keys_that_they_had_before_there_were_more_settings(values, key):
    """Stored runs of earlier versions are found by these, and their configs lack the later settings."""
    assert RunConfig.from_dict(values).key("5b22a816b4ddd488", 1) == key


def test_equal_numbers_of_different_types_give_one_key():
    assert RunConfig(dropout=0).key("data", 1) == RunConfig(dropout=0.0).key("data", 1)


@pytest.mark.parametrize("text", ["256, 128, 64", "256 128 64", "256-128-64", " 256,128 ,64,"])
def test_hidden_sizes_are_read_as_people_type_them(text):
    assert parse_hidden(text) == (256, 128, 64)


@pytest.mark.parametrize("text", ["256, x", "1_000", "٢٥٦", "2.5", "1e3", "9999999"])
def test_what_is_no_whole_number_is_quoted(text):
    with pytest.raises(ValueError, match="whole numbers"):
        parse_hidden(text)


@pytest.mark.parametrize("text", ["2000", " 2,000", "2.000", "2 000", "2'000", "2\N{NARROW NO-BREAK SPACE}000"])
def test_a_number_of_images_is_read_as_people_type_it(text):
    assert typed_image_count(text) == 2000


@pytest.mark.parametrize("text", ["all", " All "])
def test_all_images_are_no_number(text):
    assert typed_image_count(text) is None


@pytest.mark.parametrize("text", ["", "2,00", "2,0000", "1,000.5", "٢٠٠٠", "2e3", "every"])
def test_a_number_of_images_that_cannot_be_read_is_refused_with_its_rule(text):
    with pytest.raises(ValueError, match='training images must be a whole number from 100 to 60000, or "all", got'):
        RunConfig(training_images=typed_image_count(text))


def test_presets_are_recognised_whatever_the_seed():
    for preset in PRESETS:
        assert preset_of(dataclasses.replace(preset.config, seed=99)) is preset
    assert preset_of(RunConfig(epochs=29)) is None
