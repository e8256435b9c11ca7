"""A run or a comparison as one Python file that makes it again without this program, and says whether it did."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fmnist_core.comparison.arms import ArmRun, by_level, figures_at, shared_epochs
from fmnist_core.comparison.evidence import LEVEL
from fmnist_core.comparison.measures import MEASURES
from fmnist_core.comparison.paired_statistics import student_reach
from fmnist_core.comparison.peeking import FIRST_LOOK, look_level
from fmnist_core.comparison.reading import STANDARD_READING, Reading, epoch_phrase
from fmnist_core.comparison.study import Study
from fmnist_core.export.constants import constants, name_in_script
from fmnist_core.export.rendering import rendered
from fmnist_core.export.settings_used import ExportError, SettingsUsed
from fmnist_core.export.visitors_words import heading, quotation
from fmnist_core.network.figures import TRAINING_CHECK_IMAGES, TRAINING_VERSION, Evaluation
from fmnist_core.results.run_names import describe
from fmnist_core.store.run import Run
from fmnist_core.wording import capitalised, listed

if TYPE_CHECKING:
    import pandas as pd

# The columns of `Store.epochs` that a run's script makes itself, in its order.
EPOCH_FIGURES = (
    *("training_loss", "training_accuracy", "evaluated_training_loss", "evaluated_training_accuracy"),
    *("validation_loss", "validation_accuracy"),
)
_READ_EPOCHS = {"last": "history[-1]", "best": "min(history, key=lambda row: row[2])"}


def run_script(
    run: Run,
    epochs: "pd.DataFrame",
    *,
    test: Evaluation | None = None,
    title: str = "",
    hypothesis: str = "",
    conclusion: str = "",
) -> str:
    """The script that trains `run` again and holds its figures against `epochs`, which are as from `Store.epochs`.

    `test` are the last epoch's figures on the test images, for whoever asked to see them; without, the script does not
    look at these images. Title, hypothesis and conclusion are the visitor's own words; without a title the run is
    called as pages call it. Raises ExportError with a sentence for people.
    """
    if epochs.empty:
        raise ExportError("a script holds its figures against the run's; this run has no finished epoch yet")
    config, epochs_done, settings = run.config, len(epochs), SettingsUsed([run.config])
    lines = constants(settings, config, [config.seed])
    if epochs_done < config.epochs:
        lines.append(f"EPOCHS_DONE = {epochs_done}  # the run ended early")
    purpose = (
        "This is a run of Dropout Lab, written out: the same images, first weights, batches and steps. It ends by "
        "holding its figures against those that the lab stored."
    )
    values = _common(settings, [run], title or describe(config), purpose, hypothesis, conclusion)
    values |= {
        "config": config,
        "constants": "\n".join(lines),
        "epochs_done": epochs_done,
        "stored": [tuple(row) for row in epochs[list(EPOCH_FIGURES)].to_numpy(dtype=float).tolist()],
        "best_epoch": run.best_epoch,
        # The article's protocol has shown its test figures as validation.
        "test": (test.loss, test.accuracy) if test and config.protocol == "held-out" else None,
    }
    return rendered("run.jinja", settings, values)


def comparison_script(
    study: Study,
    runs: Sequence[ArmRun],
    *,
    reading: Reading = STANDARD_READING,
    title: str = "",
    hypothesis: str = "",
    conclusion: str = "",
) -> str:
    """The script that trains every arm and seed of a comparison, and shows the paired differences, its own and stored.

    `runs` are as from `progress.collect`. Seeds with which not every arm has finished are left out. Words and errors
    as for `run_script`.
    """
    arms = {level: {one.seed: one for one in arm if one.finished} for level, arm in by_level(runs).items()}
    seeds = sorted(set.intersection(*(set(arm) for arm in arms.values())))
    if not seeds:
        raise ExportError("a script holds arms against each other; there is no seed yet with which every arm finished")
    left_out = [seed for seed in range(study.base.seed, study.base.seed + study.seeds) if seed not in seeds]
    settings = SettingsUsed([study.arm_configs(level)[0] for level in study.levels], study.setting)
    factor, has_interval = study.factor, len(seeds) >= FIRST_LOOK
    nominal = look_level(LEVEL / reading.views(shared_epochs(runs)), len(seeds))
    purpose = (
        "This is a comparison of Dropout Lab, written out: the same images, first weights, batches and steps for each "
        "arm and seed. It ends with the paired differences, beside those that the lab stored."
    )
    pairs = {(seed, level): arms[level][seed] for seed in seeds for level in study.levels}
    name = title or f"{factor.question} {capitalised(study.describe())}"
    values = _common(settings, [one.run for one in pairs.values() if one.run], name, purpose, hypothesis, conclusion)
    values |= {
        "config": study.base,
        "test": None,
        "constants": "\n".join(constants(settings, study.base, seeds)),
        "factor_name": factor.name.lower(),
        "level_name": name_in_script(study.setting, settings),
        "arms": [(level, factor.arm_name(level)) for level in study.levels],
        "left_out": f"seed{'s' if len(left_out) > 1 else ''} {listed([*map(str, left_out)])}" if left_out else "",
        "epoch_words": epoch_phrase(reading.epoch),
        "reach": student_reach(len(seeds), 1 - nominal) if has_interval else None,
        "read_epoch": _READ_EPOCHS.get(str(reading.epoch), f"history[{reading.epoch} - 1]"),
        "stored": {
            pair: tuple(figures_at(one, reading.epoch, reveal_tests=False)[metric] for metric in MEASURES)
            for pair, one in pairs.items()
        },
    }
    return rendered("comparison.jinja", settings, values)


def _common(
    settings: SettingsUsed, runs: Sequence[Run], title: str, purpose: str, hypothesis: str, conclusion: str
) -> dict[str, Any]:
    """What both kinds of scripts say."""
    if drawn := [run for run in runs if run.data_name != "Fashion-MNIST"]:
        raise ExportError(
            f"a script fetches Fashion-MNIST by torchvision; run {drawn[0].number} learnt from "
            f"{drawn[0].data_name.lower()}, which only this program can draw"
        )
    if earlier := [run for run in runs if run.key != run.config.key(run.data_fingerprint, TRAINING_VERSION)]:
        raise ExportError(
            f"a script writes out how this version of the lab trains; run {earlier[0].number} is of an earlier one: "
            "train it again, and take that run"
        )
    uses = settings.uses
    has_dropout = uses("dropout") or uses("input_dropout")
    chances = (
        ["the masks of dropout"] * has_dropout + ["the flips"] * uses("flips") + ["the shifts"] * uses("shift_pixels")
    )
    followed_by = [*["batch normalisation"] * uses("batch_norm"), "ReLU", *["dropout"] * uses("dropout")]
    forgotten = ["dropout would go on"] * has_dropout
    forgotten += ["batch normalisation would go by the images at hand"] * uses("batch_norm")
    return {
        "title": heading(title),
        "purpose": purpose,
        "hypothesis": quotation(hypothesis),
        "conclusion": quotation(conclusion),
        "fingerprint": runs[0].data_fingerprint,
        "stored_on": sorted({(run.torch_version, run.processor, run.threads) for run in runs}, key=repr),
        "article": settings.uses_value("protocol", "article"),
        "chances": listed(["the first weights", "the order of the images", *chances]),
        "followed_by": listed(followed_by),
        "forgotten": listed(forgotten) if forgotten else "",
        "has_dropout": has_dropout,
        "has_modes": bool(forgotten),
        "is_checked_in_part": settings.most_images > TRAINING_CHECK_IMAGES,
    }
