"""The six lessons' answers, each worked out from the figures that a learner's own runs have left in the store."""

from collections.abc import Sequence

from fmnist_core.comparison.arms import ArmRun, by_level, figures_at, row_at
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.grid_results import grid_sentences, weigh_grid
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.verdict import conclude
from fmnist_core.lessons.finding import Finding, Outcome
from fmnist_core.results.diagnosis import diagnose
from fmnist_core.wording import counted, listed, percentage, signed_number

_AGAIN = "Another seed may show it: try one."

FALLS, LEVELS_OFF, RISES = "it falls to the end", "it falls, then levels off", "it falls, then rises again"


def overfitting(outcome: Outcome) -> Finding:
    """Whether validation loss turned while training loss went on falling."""
    epochs = outcome.run.epochs
    best, last = row_at(epochs, "best"), row_at(epochs, "last")
    said = diagnose(epochs)
    figures = (
        f"Validation loss was lowest after epoch {best['epoch']:.0f}, at {best['validation_loss']:.3f}, and ended at "
        f"{last['validation_loss']:.3f}. Training loss was {best['evaluated_training_loss']:.3f} then, and "
        f"{last['evaluated_training_loss']:.3f} at the end."
    )
    answer = {"still learning": FALLS, "fits well": LEVELS_OFF, "overfits": RISES}.get(said.finding)
    if said.finding == "overfits":
        gap = last["validation_loss"] - last["evaluated_training_loss"]
        meaning = (
            f"That is overfitting: what the network still learnt was its own images by heart. The gap between the two "
            f"losses, {gap:.3f} at the end, is what it does not know of new images."
        )
        return Finding(answer, (figures, meaning), True)
    return Finding(answer, (figures, said.sentence, f"So this run does not show overfitting. {_AGAIN}"), False)


SMALLER, ALIKE, LARGER = "it gets smaller", "it stays about the same", "it gets larger"
_ALIKE_SHARE = 0.1  # a gap within so much of the other is about the same


def narrower_gap(outcome: Outcome) -> Finding:
    """Whether the run with dropout ends with a smaller gap than its pair without."""
    (runs,) = outcome.runs_of
    without, dropped = (arm[0].at("last") for arm in by_level(runs).values())
    before, after = (row["validation_loss"] - row["evaluated_training_loss"] for row in (without, dropped))
    change = (after - before) / abs(before) if before else 0.0
    answer = SMALLER if change < -_ALIKE_SHARE else LARGER if change > _ALIKE_SHARE else ALIKE
    figures = (
        f"At the last epoch the gap is {after:.3f} with dropout and {before:.3f} without; training loss "
        f"{dropped['evaluated_training_loss']:.3f} against {without['evaluated_training_loss']:.3f}, validation loss "
        f"{dropped['validation_loss']:.3f} against {without['validation_loss']:.3f}, all measured with dropout off."
    )
    if answer == SMALLER:
        better = dropped["validation_loss"] < without["validation_loss"]
        meaning = "With other units switched off at each step, the network can learn less by heart" + (
            ", and here it also does better on new images."
            if better
            else ". On new images it does no better here: dropout also makes learning harder."
        )
        return Finding(answer, (figures, meaning, "This is one pair: the last lesson asks how far to trust it."), True)
    return Finding(answer, (figures, f"Your pair does not show what dropout usually does here. {_AGAIN}"), False)


SAME_LOSS, LOWER_LOSS, HIGHER_LOSS = "the same loss", "a lower loss", "a higher loss"
_SAME = 0.0005  # nats; what three decimals cannot tell apart


def evaluation_mode(outcome: Outcome) -> Finding:
    """What an evaluation says that forgot to switch dropout off."""
    run = outcome.run.run
    assert run is not None, "the runs have finished"
    right, wrong = outcome.run.at("best"), outcome.forgetful(run)
    difference = wrong.loss - right["validation_loss"]
    answer = SAME_LOSS if abs(difference) < _SAME else HIGHER_LOSS if difference > 0 else LOWER_LOSS
    figures = (
        f"The network of epoch {run.epoch_of('best')} has a validation loss of {right['validation_loss']:.3f} and is "
        f"right on {percentage(right['validation_accuracy'])} of the images. Measured without model.eval() it seems to "
        f"have {wrong.loss:.3f} and {percentage(wrong.accuracy)}: the same network, the same images."
    )
    if answer == HIGHER_LOSS:
        meaning = (
            "With dropout left on, a thinned network is measured, another one for each image. Training loss as trained "
            "is measured like that, which is why it can lie above validation loss."
        )
        return Finding(answer, (figures, meaning), True)
    return Finding(answer, (figures, f"Here the mistake does not show as it usually does. {_AGAIN}"), False)


BEST_EPOCH, LAST_EPOCH, EITHER = "the best epoch's", "the last epoch's", "neither: they are about alike"
_ALIKE_LOSS_SHARE = 0.02  # test losses within so much of each other are about alike


def kept_epoch(outcome: Outcome) -> Finding:
    """Which of the two stored networks does better on the test images."""
    arm = outcome.run
    run, (best, last) = arm.run, (arm.tests.get("best"), arm.tests.get("last"))
    assert run is not None, "the runs have finished"
    if best is None or last is None:
        return Finding(None, ("The test figures of this run are not stored. Try another seed.",), False)
    kept = run.epoch_of("best")
    if kept == run.epochs_done:
        figures = f"Validation loss was lowest after the last epoch, {kept}: both are the same network."
        return Finding(EITHER, (figures, f"So this run does not tell. {_AGAIN}"), False)
    change = (last.loss - best.loss) / best.loss
    answer = BEST_EPOCH if change > _ALIKE_LOSS_SHARE else LAST_EPOCH if change < -_ALIKE_LOSS_SHARE else EITHER
    figures = (
        f"On the test images the network of epoch {kept}, the best by validation loss, has a loss of {best.loss:.3f} "
        f"and is right on {percentage(best.accuracy)}; that of the last epoch, {run.epochs_done}, has {last.loss:.3f} "
        f"and {percentage(last.accuracy)}."
    )
    if answer == BEST_EPOCH:
        meaning = (
            "Validation images told when to stop, without a look at the test images: that is early stopping. Had the "
            "test images chosen the epoch, they could no longer say how it does on new ones."
        )
        return Finding(answer, (figures, meaning), True)
    return Finding(answer, (figures, f"Here stopping early gained nothing. {_AGAIN}"), False)


WITH_RIGHT, WITH_WRONG = "with right labels", "with wrong labels"
WITH_BOTH, WITH_NEITHER = "with both", "with neither"
_MATTERS = 0.02  # of accuracy, a share


def when_it_helps(outcome: Outcome) -> Finding:
    """At which values of the second setting all pairs gain accuracy by dropout."""
    grid = outcome.experiment
    assert isinstance(grid, Grid)
    gains, words = [], []
    for value, runs in zip(grid.values, outcome.runs_of, strict=True):
        differences = _accuracy_differences(runs)
        gains.append(min(differences) > 0 and sum(differences) / len(differences) >= _MATTERS)
        words.append(f"with {grid.second.arm_name(value)} {_points(differences)}")
    answer = {
        (True, False): WITH_RIGHT,
        (False, True): WITH_WRONG,
        (True, True): WITH_BOTH,
        (False, False): WITH_NEITHER,
    }[gains[0], gains[-1]]
    figures = (
        f"What dropout changes of the validation accuracy, in percentage points, seed by seed: {listed(words)}. "
        f"Here a gain is one of {100 * _MATTERS:g} or more on average that every pair has."
    )
    settled = grid_sentences(weigh_grid(grid, outcome.runs_of))[0]
    by_rule = f"By the rule of the page, which counts loss as well and asks for more than luck: {settled}"
    if answer == WITH_WRONG:
        meaning = (
            "A network that learns wrong labels learns them by heart, for there is nothing else to learn in them. That "
            "is what dropout keeps it from."
        )
        return Finding(answer, (figures, meaning, by_rule), True)
    return Finding(answer, (figures, f"Your runs say otherwise than most do here. {_AGAIN}", by_rule), False)


ALL_AGREE, ALL_BUT_ONE, SPLIT = "in all six, or in none", "in five, or in one", "in two, three or four"


def one_seed(outcome: Outcome) -> Finding:
    """In how many of six pairs dropout ends with the higher accuracy."""
    study = outcome.experiment
    assert isinstance(study, Study)
    (runs,) = outcome.runs_of
    differences = _accuracy_differences(runs)
    wins = sum(difference > 0 for difference in differences)
    fewer = min(wins, len(differences) - wins)
    answer = ALL_AGREE if fewer == 0 else ALL_BUT_ONE if fewer == 1 else SPLIT
    figures = (
        f"Dropout has the higher validation accuracy in {wins} of {counted(len(differences), 'pair')}. In percentage "
        f"points, seed by seed: {_points(differences)}."
    )
    first, second = study.levels
    verdict = conclude(runs, study.factor, first, second)
    said = f"All pairs together: {verdict.headline[:1].lower()}{verdict.headline[1:]}"
    if fewer:
        other = next(place for place, one in enumerate(differences) if (one > 0) != (differences[0] > 0))
        meaning = (
            f"Whoever had run the first seed alone would have said that dropout {_verb(differences[0])}; whoever had "
            f"run number {other + 1} alone, that it {_verb(differences[other])}. One seed does not tell."
        )
        return Finding(answer, (figures, meaning, said), True)
    return Finding(answer, (figures, f"Your pairs agree, so one seed would have told here. {_AGAIN}", said), False)


def _verb(difference: float) -> str:
    return "helps" if difference > 0 else "hurts" if difference < 0 else "changes nothing"


def _accuracy_differences(runs: Sequence[ArmRun]) -> list[float]:
    """Second arm minus first in validation accuracy at the last epoch, seed by seed."""
    first, second = (
        {one.seed: figures_at(one, "last", False)["validation_accuracy"] for one in arm}
        for arm in by_level(runs).values()
    )
    return [second[seed] - first[seed] for seed in sorted(first)]


def _points(differences: Sequence[float]) -> str:
    return ", ".join(signed_number(100 * difference, 2) for difference in differences)
