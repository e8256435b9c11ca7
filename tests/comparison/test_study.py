from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmnist_core.comparison.arms import ArmRun, arm_table, band, better_arms
from fmnist_core.comparison.factors import FACTORS, at_default
from fmnist_core.comparison.peeking import whole_way
from fmnist_core.comparison.setting_texts import SETTING_TEXTS, typed_levels, write_levels
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.verdict import conclude
from fmnist_core.config import PRESETS, SEED_LIMITS, RunConfig, count_parameters
from fmnist_core.jobs import worker
from fmnist_core.network.figures import Evaluation
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store

DROPOUT = FACTORS["dropout"]
TINY = RunConfig(hidden=(16,), epochs=3, batch_size=64, seed=5)
STUDY = Study(base=TINY, levels=(0.0, 0.5), seeds=3)
FIGURES = ("loss", "accuracy", "calibration_error")


# The experiment


def test_the_default_is_no_dropout_against_a_fifth():
    study = Study(base=RunConfig())
    assert (study.levels, study.seeds) == ((0.0, 0.2), 1)


def test_the_bases_own_dropout_does_not_matter():
    assert Study(base=RunConfig(dropout=0.7)) == Study(base=RunConfig())


def test_arms_are_kept_in_ascending_order():
    assert Study(base=RunConfig(), levels=(0.5, 0, 0.2)).levels == (0.0, 0.2, 0.5)


def test_an_arm_has_a_run_for_each_seed_and_differs_in_dropout_alone():
    assert STUDY.arm_configs(0.5) == [replace(TINY, dropout=0.5, seed=seed) for seed in (5, 6, 7)]


def test_pairs_come_together():
    assert [(config.seed, config.dropout) for config in STUDY.configs()] == [
        *((5, 0.0), (5, 0.5)),
        *((6, 0.0), (6, 0.5)),
        *((7, 0.0), (7, 0.5)),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": (0.2,)}, "2 to 8 arms, got 1; add"),
        ({"levels": ()}, "2 to 8 arms, got 0"),
        ({"levels": tuple(place / 10 for place in range(9))}, "2 to 8 arms, got 9; leave"),
        ({"levels": (0.2, 0.5, 0.2)}, r"arms must differ: 0\.2 is given twice"),
        ({"levels": (0, -0.0)}, "arms must differ: 0 is given twice"),
        ({"levels": (0, 0.96)}, r"dropout must be a number from 0 to 0\.95, got 0\.96"),
        ({"levels": (0, float("nan"))}, "got nan"),
        ({"levels": (0, "0.2")}, r"got '0\.2'"),
        ({"levels": (False, 0.2)}, "got False"),
        ({"levels": [0, 0.2]}, "must be a tuple"),
        ({"seeds": 0}, "from 1 to 20, got 0"),
        ({"seeds": 21}, "from 1 to 20, got 21"),
        ({"seeds": 2.0}, r"whole number from 1 to 20, got 2\.0"),
        ({"seeds": True}, "got True"),
        ({"base": RunConfig(seed=SEED_LIMITS[1]), "seeds": 2}, "choose a lower first seed"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Study(**{"base": RunConfig(), **changes})


def test_the_last_seed_there_is_can_be_used():
    study = Study(base=RunConfig(seed=SEED_LIMITS[1] - 1), seeds=2)
    assert study.configs()[-1].seed == SEED_LIMITS[1]


def test_a_comparison_is_named_by_its_recipe_and_its_seeds():
    assert Study(base=replace(PRESETS[0].config, seed=3)).describe().endswith("validated on the test set · seed 3")
    assert Study(base=RunConfig(seed=3), seeds=5).describe().endswith("held-out validation · seeds 3 to 7")


# As people type


@pytest.mark.parametrize("text", ["0, 0.2 0.5", "0,0.2,0.5", "  0;.2 ; 0.50,", "0\n0.2\t0.5"])
def test_rates_are_read_as_people_type_them(text):
    assert typed_levels(DROPOUT, text) == (0.0, 0.2, 0.5)


def test_no_rates_are_read_from_nothing():
    assert typed_levels(DROPOUT, " , ") == ()


@pytest.mark.parametrize(
    "part", ["x", "-0.1", "20%", "0_1", "0.2.3", "nan", "inf", "\u0660", "0x1", "1e", "\u00bd", "+0.2"]
)
def test_the_part_that_is_no_rate_is_quoted(part):
    with pytest.raises(ValueError, match="levels of dropout must be typed") as caught:
        typed_levels(DROPOUT, f"0, {part} 0.5")
    assert repr(part) in str(caught.value)


def test_a_long_text_is_not_repeated():
    with pytest.raises(ValueError, match="must be typed") as caught:
        typed_levels(DROPOUT, "9" * 10_000)
    assert len(str(caught.value)) < 200


# The address


@pytest.mark.parametrize(
    "study",
    [
        Study(base=RunConfig()),
        Study(base=PRESETS[0].config),
        *(Study(base=preset.config, seeds=5) for preset in PRESETS),
        Study(
            base=RunConfig(
                hidden=(2048, 8, 100, 64, 32, 16),
                batch_norm=True,
                learning_rate=0.1 + 0.2,
                schedule="one-cycle",
                batch_size=4096,
                epochs=200,
                weight_decay=1 / 3,
                label_smoothing=1.2345678901234567e-5,
                flips=True,
                protocol="article",
                seed=SEED_LIMITS[1] - 19,
            ),
            levels=(5e-324, 1.2345678901234567e-9, 1 / 3, 0.1 + 0.2, 1e-6, 0.95, 2 / 3, 1 / 7),
            seeds=20,
        ),
    ],
)
def test_the_address_carries_the_whole_comparison(study):
    address = study.to_address()
    assert Study.from_address(address) == study
    assert all(len(value) <= 250 and value.isascii() for value in address.values())


def test_the_address_is_short_and_readable():
    assert Study(base=PRESETS[0].config, levels=(0, 0.2, 0.5), seeds=5).to_address() == {
        "arms": "0,0.2,0.5",
        "seeds": "5",
        "protocol": "article",
    }
    base = RunConfig(hidden=(512, 128), learning_rate=0.004, batch_norm=True, weight_decay=1e-6, seed=7)
    assert Study(base=base).to_address() == {
        **{"arms": "0,0.2", "seeds": "1", "hidden": "512-128", "batch_norm": "true", "learning_rate": "0.004"},
        **{"weight_decay": "0.000001", "seed": "7"},
    }


def test_every_setting_but_dropout_can_stand_in_the_address():
    standard = asdict(RunConfig())
    del standard["dropout"]
    changed = RunConfig(
        **{"hidden": (8,), "batch_norm": True, "learning_rate": 0.1, "schedule": "one-cycle", "batch_size": 8},
        **{"epochs": 1, "weight_decay": 0.1, "label_smoothing": 0.1, "flips": True, "protocol": "article", "seed": 1},
        **{"training_images": 500, "label_noise": 0.2, "input_dropout": 0.1, "shift_pixels": 3, "optimizer": "sgd"},
    )
    assert set(Study(base=changed).to_address()) == {*standard, "arms", "seeds"}


@pytest.mark.parametrize("factor", FACTORS.values(), ids=list(FACTORS))
def test_any_setting_can_be_the_factor(factor):
    study = Study(base=PRESETS[2].config, setting=factor.setting, levels=factor.levels[::-1], seeds=2)
    assert study.levels == factor.levels, "from the least to the most"
    address = study.to_address()
    assert Study.from_address(address) == study
    assert (
        Study.from_address({**address, factor.setting: SETTING_TEXTS[factor.setting].write(factor.levels[0])}) == study
    )
    for level in study.levels:
        for config in study.arm_configs(level):
            assert getattr(config, factor.setting) == level
            assert at_default(replace(config, seed=study.base.seed), factor.setting) == study.base
    if factor.kind != "choices":
        assert typed_levels(factor, write_levels(factor, study.levels)) == study.levels
    names = [factor.arm_name(level) for level in study.levels]
    assert len({*names, *map(factor.label, study.levels)}) >= len(names) == len(set(names))
    assert all(name not in study.describe() for name in names), "what differs is not the recipe"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ({"factor": "seed"}, "the link's factor must be one of dropout,"),
        ({"factor": "x" * 500}, "must be one of"),
        ({"factor": "batch_size", "arms": "0.5,64"}, "the link's arms must look like 64,256"),
        ({"factor": "batch_size", "arms": "4,64"}, "batch size must be a whole number from 8"),
        ({"factor": "hidden", "arms": "64"}, "2 to 8 arms, got 1"),
        ({"factor": "batch_norm", "arms": "true,true"}, "on is given twice"),
        ({"factor": "schedule", "arms": "constant,cosine"}, "schedule must be one of"),
    ],
)
def test_a_link_with_another_factor_is_checked_as_well(address, message):
    with pytest.raises(ValueError, match=message):
        Study.from_address(address)


def test_networks_and_decimal_commas_are_read_as_people_type_them():
    assert typed_levels(FACTORS["hidden"], "512-128, 64") == ((512, 128), (64,))
    assert typed_levels(FACTORS["weight_decay"], "0; 0,01; 0.1") == (0.0, 0.01, 0.1)
    with pytest.raises(ValueError, match="networks must be typed like 64, 256-128-64; got '64x'"):
        typed_levels(FACTORS["hidden"], "64x")


def test_networks_are_in_the_order_of_their_size():
    study = Study(base=RunConfig(), setting="hidden", levels=((512,), (8, 2048), (16, 16)))
    assert study.levels == ((16, 16), (8, 2048), (512,))


def test_an_empty_address_is_the_default_comparison_with_the_articles_protocol():
    study = Study.from_address({})
    assert study == Study(base=PRESETS[0].config)
    assert study.base.protocol == "article"


def test_what_an_address_leaves_out_takes_its_default():
    assert Study.from_address({"epochs": "5"}) == Study(base=RunConfig(epochs=5))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            ("arms", value)
            for value in ("0,x", "", "0", "0,0", "0, 0.2", "0,0.2,", "0,2", "0,0.2\n", "\u0660,0.2", "0,-0.1")
        ],
        *[("arms", value) for value in ("0,nan", "0,1e5", "0,.2", "0;0.2", ",".join(["0.1"] * 2000), "0" * 10_000)],
        *[
            ("seeds", value)
            for value in ("1_0", "21", "0", "-1", "+1", "1.0", "", " 1", "1\n", "\u0663", "\uff19", "1" * 10_000)
        ],
        *[
            ("hidden", value)
            for value in ("256,128", "", "-256", "256-", "1", "8" * 10_000, "8-8-8-8-8-8-8", "\u0668-8")
        ],
        *[("learning_rate", value) for value in ("0,003", "nan", "inf", "0", "2", "1e-99", "0.003\n", "0x1p-3")],
        *[("batch_norm", value) for value in ("True", "1", "yes", "", "true\n")],
        *[("schedule", value) for value in ("cosine", "", "one-cycle\n", "one_cycle", "a" * 10_000)],
        *[("protocol", "test"), ("seed", "2147483648"), ("seed", "\u00b2"), ("epochs", "201"), ("batch_size", "1e2")],
        *[("weight_decay", "-1"), ("label_smoothing", "0.6"), ("flips", "TRUE")],
    ],
)
def test_a_broken_link_is_explained_in_a_sentence(name, value):
    with pytest.raises(ValueError, match=r"\w") as caught:
        Study.from_address({"arms": "0,0.2", "seeds": "1", name: value})
    assert 20 < len(str(caught.value)) < 300


def test_what_a_link_gained_on_its_way_is_ignored():
    gained = {"fbclid": "IwAR0", "utm_source": "chat", "": "1"}
    assert Study.from_address({"epochs": "5", **gained}) == Study(base=RunConfig(epochs=5))
    assert Study.from_address(gained) == Study.from_address({})


# Stored runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_dataset):
    """Six tiny runs from a real store."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), workers=1)
    store, runs = Store(settings.database_url), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "load_matching", lambda settings, fingerprint: tiny_dataset)
        for config in STUDY.configs():
            key = store.request(config, tiny_dataset.name, tiny_dataset.fingerprint)
            worker.train_stored_run(settings, key, "me")
            runs.append(ArmRun(config.dropout, config.seed, store.run(key), store.epochs(key), store.tests(key)))
    store.close()
    return runs


def flat(runs):
    """All stored epochs in one frame, for pandas to group."""
    return pd.concat([one.epochs.assign(dropout=one.level, seed=one.seed) for one in runs]).assign(
        gap=lambda frame: frame["validation_loss"] - frame["evaluated_training_loss"]
    )


@pytest.mark.parametrize("column", ["validation_loss", "training_accuracy", "gap"])
def test_the_band_agrees_with_pandas(trained, column):
    arm = [one for one in trained if one.level == 0.5]
    result = band([one.epochs for one in arm], column)
    expected = flat(arm).groupby("epoch")[column].agg(["mean", "std", "count"])
    assert result["epoch"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(result["mean"], expected["mean"])
    np.testing.assert_allclose(result["standard_deviation"], expected["std"])
    np.testing.assert_allclose(result["low"], expected["mean"] - expected["std"])
    np.testing.assert_allclose(result["high"], expected["mean"] + expected["std"])
    assert result["count"].tolist() == [3, 3, 3]


def test_the_band_counts_only_what_is_there(trained):
    frames = [trained[0].epochs.head(1), trained[2].epochs, trained[4].epochs.head(0)]
    result = band(frames, "validation_loss")
    assert result["count"].tolist() == [2, 1, 1]
    assert result["mean"].tolist()[1:] == trained[2].epochs["validation_loss"].tolist()[1:]
    assert result[["standard_deviation", "low", "high"]].isna().all(axis=1).tolist() == [False, True, True]


@pytest.mark.parametrize("frames", [[], [pd.DataFrame(columns=["epoch", "validation_loss"])]])
def test_the_band_of_nothing_is_empty_but_has_its_columns(frames):
    result = band(frames, "validation_loss")
    assert result.empty
    assert result.columns.tolist() == ["epoch", "mean", "standard_deviation", "low", "high", "count"]


def test_the_table_agrees_with_pandas(trained):
    table = arm_table(trained, reveal_tests=False).set_index("level")
    epochs = flat(trained)
    last = epochs.groupby(["dropout", "seed"]).last()
    best = epochs.sort_values("validation_loss").groupby(["dropout", "seed"]).first()
    seconds = epochs.groupby(["dropout", "seed"])[["seconds"]].sum()
    for name, values in {
        "validation_loss_best": best["validation_loss"],
        "validation_accuracy_best": best["validation_accuracy"],
        "validation_loss_last": last["validation_loss"],
        "validation_accuracy_last": last["validation_accuracy"],
        "gap_last": last["gap"],
        "validation_calibration_error_last": last["validation_calibration_error"],
        "seconds": seconds["seconds"],
    }.items():
        expected = values.groupby("dropout").agg(["mean", "std"])
        np.testing.assert_allclose(table[f"{name}_mean"], expected["mean"])
        np.testing.assert_allclose(table[f"{name}_sd"], expected["std"])
    assert table.index.tolist() == [0.0, 0.5]
    assert table["parameters"].tolist() == [count_parameters(TINY)] * 2
    assert table[["finished", "seeds"]].to_numpy().tolist() == [[3, 3], [3, 3]]
    assert not any(column.startswith("test_") for column in table)


def test_revealed_test_columns_agree_with_the_store(trained):
    table = arm_table(trained, reveal_tests=True).set_index("level")
    for kind in ("last", "best"):
        for name in FIGURES:
            values = [getattr(one.tests[kind], name) for one in trained if one.level == 0.5]
            assert table.loc[0.5, f"test_{name}_{kind}_mean"] == pytest.approx(np.mean(values))
            assert table.loc[0.5, f"test_{name}_{kind}_sd"] == pytest.approx(np.std(values, ddof=1))


def test_unfinished_runs_are_left_out_of_the_table(trained):
    running = [replace(one, run=replace(one.run, status="running")) if one.seed == 7 else one for one in trained]
    table = arm_table(running, reveal_tests=False)
    kept = [one for one in trained if one.seed != 7]
    assert table["finished"].tolist() == [2, 2]
    assert table["seeds"].tolist() == [3, 3]
    assert table["gap_last_mean"].tolist() == arm_table(kept, reveal_tests=False)["gap_last_mean"].tolist()


def test_arms_that_have_not_begun_have_a_row_without_figures():
    runs = [ArmRun(rate, 0, None, pd.DataFrame(), {}) for rate in (0.0, 0.2)]
    table = arm_table(runs, reveal_tests=True)
    assert table["level"].tolist() == [0.0, 0.2]
    assert table["finished"].tolist() == [0, 0]
    assert table["parameters"].isna().all()
    assert table["test_loss_last_mean"].isna().all()


def test_at_dropout_zero_two_arms_are_identical_and_the_verdict_says_so(store, settings, monkeypatch, tiny_dataset):
    """The proof of pairing: nothing but dropout differs between the arms, so without it nothing differs."""
    monkeypatch.setattr(worker, "load_matching", lambda settings, fingerprint: tiny_dataset)
    runs = []
    for arm, fingerprint in ((0.0, tiny_dataset.fingerprint), (0.2, "f" * 64)):  # trained twice, under two keys
        key = store.request(TINY, tiny_dataset.name, fingerprint)
        worker.train_stored_run(settings, key, "me")
        runs.append(ArmRun(arm, TINY.seed, store.run(key), store.epochs(key), store.tests(key)))
    assert runs[0].run.key != runs[1].run.key
    pd.testing.assert_frame_equal(
        runs[0].epochs.drop(columns="seconds"), runs[1].epochs.drop(columns="seconds"), check_exact=True
    )
    assert conclude(runs, DROPOUT, 0.0, 0.2, reveal_tests=True).headline == "No difference at all."


def test_the_stored_arms_can_be_compared(trained):
    verdict = conclude(trained, DROPOUT, 0.0, 0.5, reveal_tests=True)
    assert [difference.pairs for difference in verdict.differences] == [3] * 5
    first, second = (
        [one.epochs["validation_loss"].iloc[-1] for one in trained if one.level == rate] for rate in (0, 0.5)
    )
    loss = verdict.differences[1]
    assert loss.p_value == pytest.approx(stats.ttest_rel(second, first).pvalue)


# The better arm


def arm_run(trained, dropout, seed, *, loss=0.4, accuracy=0.88, training=0.2, seconds=1.0):
    epochs = (
        trained[0]
        .epochs.tail(1)
        .assign(validation_loss=loss, validation_accuracy=accuracy, evaluated_training_loss=training, seconds=seconds)
    )
    tests = {kind: Evaluation(loss, accuracy, 0.05) for kind in ("best", "last")}
    return ArmRun(dropout, seed, trained[0].run, epochs, tests)


NOISE = np.array([-0.010, 0.004, 0.012, -0.002, -0.004])


def test_the_better_arm_is_marked_where_the_difference_is_more_than_noise(trained):
    runs = [arm_run(trained, 0.0, seed, accuracy=0.88 + noise) for seed, noise in enumerate(NOISE)]
    runs += [
        arm_run(trained, 0.2, seed, loss=0.35 + noise, accuracy=0.881 - noise, seconds=0.5)
        for seed, noise in enumerate(NOISE)
    ]
    # Of accuracy nothing is settled, and calibration, seconds and the other epoch's figures can have no star.
    assert better_arms(runs, reveal_tests=True) == {"gap_last": 1, "validation_loss_last": 1, "test_loss_last": 1}
    assert better_arms(runs) == {"gap_last": 1, "validation_loss_last": 1}


@pytest.mark.parametrize(("epoch", "ending"), [("best", "best"), (2, "epoch_2")])
def test_stars_are_given_at_the_epoch_that_is_read(trained, epoch, ending):
    runs = []
    for level, shift in ((0.0, 0.0), (0.2, -0.05)):
        for seed, noise in enumerate(NOISE):
            one = arm_run(trained, level, seed)
            run = replace(one.run, config=replace(one.run.config, epochs=2))
            # Better in the second epoch, which is the best, and worse in the third.
            losses = [0.9, 0.4 + noise * (1 + level) + shift, 0.6 + noise * (1 - level) - shift]
            epochs = pd.concat([one.epochs] * 3).assign(epoch=[1, 2, 3], validation_loss=losses)
            runs.append(replace(one, run=run, epochs=epochs))
    assert better_arms(runs)["validation_loss_last"] == 0
    assert better_arms(runs, epoch=epoch)[f"validation_loss_{ending}"] == 1
    assert all(column.endswith(f"_{ending}") for column in better_arms(runs, epoch=epoch))
    named = {f"{name}_mean" for name in better_arms(runs, epoch=epoch)}
    assert named < set(arm_table(runs, reveal_tests=True, epoch=epoch).columns)


def test_a_higher_accuracy_is_better(trained):
    runs = [
        arm_run(trained, rate, seed, accuracy=0.88 - rate / 10 + noise * (1 + rate))
        for rate in (0.0, 0.5)
        for seed, noise in enumerate(NOISE)
    ]
    assert better_arms(runs)["validation_accuracy_last"] == 0


def test_the_best_of_three_must_beat_both_by_the_corrected_interval(trained):
    def losses(rate, shift, scale):
        return [arm_run(trained, rate, seed, loss=0.4 - shift + scale * noise) for seed, noise in enumerate(NOISE)]

    shift = 0.022
    chance = float(whole_way(stats.ttest_1samp(shift + NOISE, 0).pvalue, len(NOISE)))
    assert 0.05 / 6 < chance < 0.05 / 3  # loss is one of three figures, and two others could be the better arm
    pair = losses(0.0, 0, 1) + losses(0.2, shift, 0)
    assert better_arms(pair)["validation_loss_last"] == 1
    far = losses(0.5, -1, 2)
    assert "validation_loss_last" not in better_arms(pair + far)
    clear = losses(0.0, 0, 1) + losses(0.2, 0.05, 0) + far
    assert better_arms(clear)["validation_loss_last"] == 1


def test_where_all_networks_guess_no_arm_is_better(trained):
    def losses(rate, loss, accuracy):
        noise = NOISE * (1 + rate)
        return [arm_run(trained, rate, seed, loss=loss + noise[seed], accuracy=accuracy) for seed in range(len(NOISE))]

    guessing = losses(0.0, 2.4, 0.1)
    assert better_arms(guessing + losses(0.2, 2.3, 0.1)) == {}
    assert better_arms(guessing + losses(0.2, 1.0, 0.7))["validation_loss_last"] == 1


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_or_two_seeds_mark_nothing(trained, seeds):
    runs = [
        arm_run(trained, rate, seed, loss=0.4 - rate / 10 + seed / 1e6) for rate in (0.0, 0.5) for seed in range(seeds)
    ]
    assert better_arms(runs, reveal_tests=True) == {}
    assert better_arms([]) == {}
