"""Each lesson's answer follows from the stored figures, and says so where they do not show what the lesson is about."""

from dataclasses import replace

import pandas as pd
import pytest

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.grid import Grid
from fmnist_core.config import RunConfig
from fmnist_core.lessons import answers
from fmnist_core.lessons.course import BY_NAME, COURSE
from fmnist_core.lessons.finding import Finding, Outcome, beside_guess
from fmnist_core.lessons.lesson import NO_IDEA
from fmnist_core.network.figures import Evaluation
from fmnist_core.store.run import Run


def make_run(config, epochs):
    losses = epochs["validation_loss"].tolist()
    return Run(
        number=1,
        key="0" * 16,
        config=config,
        data_name="Fashion-MNIST",
        data_fingerprint="d",
        status="finished",
        cancel_requested=False,
        epochs_done=len(epochs),
        epoch_share=0.0,
        best_epoch=1 + losses.index(min(losses)),
        best_validation_loss=min(losses),
        best_validation_accuracy=0.8,
        error=None,
        created_at=0.0,
        ended_at=1.0,
    )


def arm(level, validation, training, accuracy=0.8, seed=0, tests=None, config=None):
    """A finished run of these losses, epoch by epoch."""
    epochs = pd.DataFrame(
        {
            "epoch": range(1, len(validation) + 1),
            "training_loss": training,
            "training_accuracy": 0.9,
            "evaluated_training_loss": training,
            "evaluated_training_accuracy": 0.9,
            "validation_loss": validation,
            "validation_accuracy": accuracy,
            "validation_calibration_error": 0.05,
            "learning_rate": 0.001,
            "seconds": 1.0,
        }
    )
    config = replace(config or RunConfig(), seed=seed, epochs=len(validation))
    return ArmRun(level, seed, make_run(config, epochs), epochs, tests or {})


def outcome(*runs_of, experiment=None, forgetful=None):
    return Outcome(experiment, runs_of, forgetful or (lambda run: pytest.fail("nobody asked for it")))


FALLING = [2.0 * 0.7**epoch + 0.1 for epoch in range(12)]
RISING = [0.9, 0.7, 0.6, 0.55, 0.56, 0.6, 0.65, 0.7, 0.8, 0.9, 1.0, 1.1]
FLAT = [0.9, 0.7, 0.6, 0.55, 0.55, 0.55, 0.55, 0.55, 0.55, 0.55, 0.55, 0.55]


@pytest.mark.parametrize(
    ("validation", "answer", "shows_it"),
    [(RISING, answers.RISES, True), (FLAT, answers.LEVELS_OFF, False), (FALLING, answers.FALLS, False)],
)
def test_overfitting_is_seen_where_validation_loss_rises_and_only_there(validation, answer, shows_it):
    finding = answers.overfitting(outcome([arm(None, validation, FALLING)]))
    assert (finding.answer, finding.shows_it) == (answer, shows_it)
    best = min(validation)
    assert (
        f"lowest after epoch {1 + validation.index(best)}, at {best:.3f}, and ended at {validation[-1]:.3f}"
        in (finding.sentences[0])
    )
    assert ("does not show overfitting" in " ".join(finding.sentences)) is not shows_it


def test_a_run_that_diverges_gives_none_of_the_answers():
    finding = answers.overfitting(outcome([arm(None, RISING, RISING)]))
    assert finding.answer is None
    assert "Unstable" in " ".join(finding.sentences)
    assert beside_guess(answers.RISES, finding) == (
        "You guessed: it falls, then rises again. Your runs give none of these answers."
    )


@pytest.mark.parametrize(
    ("gap", "answer", "shows_it"),
    [(0.2, answers.SMALLER, True), (0.49, answers.ALIKE, False), (0.9, answers.LARGER, False)],
)
def test_the_gap_is_compared_with_the_one_without_dropout(gap, answer, shows_it):
    without, dropped = arm(0.0, [0.6], [0.1]), arm(0.5, [0.3 + gap], [0.3])
    finding = answers.narrower_gap(outcome([without, dropped]))
    assert (finding.answer, finding.shows_it) == (answer, shows_it)
    assert f"the gap is {gap:.3f} with dropout and 0.500 without" in finding.sentences[0]


def test_a_smaller_gap_is_not_sold_for_a_better_network():
    finding = answers.narrower_gap(outcome([arm(0.0, [0.6], [0.1]), arm(0.5, [0.7], [0.5])]))
    assert finding.answer == answers.SMALLER
    assert "no better here" in finding.sentences[1]


@pytest.mark.parametrize(
    ("loss", "answer", "shows_it"),
    [(0.9, answers.HIGHER_LOSS, True), (0.55, answers.SAME_LOSS, False), (0.5, answers.LOWER_LOSS, False)],
)
def test_the_forgetful_evaluation_is_set_beside_the_right_one(loss, answer, shows_it):
    found = outcome([arm(None, FLAT, FALLING)], forgetful=lambda run: Evaluation(loss, 0.7, 0.1))
    finding = answers.evaluation_mode(found)
    assert (finding.answer, finding.shows_it) == (answer, shows_it)
    assert "validation loss of 0.550" in finding.sentences[0]
    assert f"it seems to have {loss:.3f} and 70.0%" in finding.sentences[0]


@pytest.mark.parametrize(
    ("best", "last", "answer", "shows_it"),
    [
        (0.5, 0.8, answers.BEST_EPOCH, True),
        (0.5, 0.505, answers.EITHER, False),
        (0.5, 0.4, answers.LAST_EPOCH, False),
    ],
)
def test_the_epoch_worth_keeping_is_told_by_the_test_images(best, last, answer, shows_it):
    tests = {"best": Evaluation(best, 0.81, 0.1), "last": Evaluation(last, 0.79, 0.1)}
    finding = answers.kept_epoch(outcome([arm(None, RISING, FALLING, tests=tests)]))
    assert (finding.answer, finding.shows_it) == (answer, shows_it)
    assert "the network of epoch 4" in finding.sentences[0]
    assert f"has a loss of {best:.3f} and is right on 81.0%" in finding.sentences[0]
    assert f"that of the last epoch, 12, has {last:.3f} and 79.0%" in finding.sentences[0]


def test_a_best_epoch_that_is_the_last_tells_nothing():
    tests = {kind: Evaluation(0.5, 0.8, 0.1) for kind in ("best", "last")}
    finding = answers.kept_epoch(outcome([arm(None, FALLING, FALLING, tests=tests)]))
    assert finding.answer == answers.EITHER
    assert not finding.shows_it
    assert "both are the same network" in finding.sentences[0]


def test_without_test_figures_there_is_no_answer():
    assert answers.kept_epoch(outcome([arm(None, RISING, FALLING)])).answer is None


def grid_outcome(*gains_of):
    grid = BY_NAME["when"].experiment
    assert isinstance(grid, Grid)
    runs_of = []
    for gains in gains_of:
        runs = []
        for seed, gain in enumerate(gains):
            runs += [arm(0.0, [0.5], [0.3], 0.7, seed), arm(0.5, [0.5], [0.4], 0.7 + gain, seed)]
        runs_of.append(runs)
    return outcome(*runs_of, experiment=grid)


@pytest.mark.parametrize(
    ("right", "wrong", "answer"),
    [
        ((0.001, -0.002, 0.0), (0.05, 0.06, 0.07), answers.WITH_WRONG),
        ((0.03, 0.03, 0.02), (0.05, 0.06, 0.07), answers.WITH_BOTH),
        ((0.03, 0.03, 0.02), (0.05, -0.001, 0.07), answers.WITH_RIGHT),  # one pair without a gain
        ((0.01, 0.015, 0.01), (-0.02, 0.0, 0.01), answers.WITH_NEITHER),  # gains too small to matter
    ],
)
def test_where_dropout_gains_accuracy_takes_all_pairs(right, wrong, answer):
    finding = answers.when_it_helps(grid_outcome(right, wrong))
    assert finding.answer == answer
    assert finding.shows_it is (answer == answers.WITH_WRONG)
    assert f"with no label noise {100 * right[0]:+.2f}".replace("-", "\N{MINUS SIGN}") in finding.sentences[0]
    assert "By the rule of the page" in finding.sentences[-1]


def pairs(*differences):
    study = replace(BY_NAME["one-seed"].experiment, seeds=len(differences))
    runs = []
    for seed, difference in enumerate(differences):
        runs += [arm(0.0, [0.5], [0.3], 0.7, seed), arm(0.5, [0.5], [0.4], 0.7 + difference, seed)]
    return outcome(runs, experiment=study)


@pytest.mark.parametrize(
    ("differences", "answer", "wins"),
    [
        ((0.01,) * 5 + (0.02,), answers.ALL_AGREE, 6),
        ((-0.01,) * 5 + (-0.02,), answers.ALL_AGREE, 0),
        ((0.01, 0.01, -0.01, 0.01, 0.01, 0.02), answers.ALL_BUT_ONE, 5),
        ((0.01, 0.01, -0.01, -0.01, 0.01, 0.0), answers.SPLIT, 3),
    ],
)
def test_pairs_are_counted(differences, answer, wins):
    finding = answers.one_seed(pairs(*differences))
    assert finding.answer == answer
    assert finding.shows_it is (answer != answers.ALL_AGREE)
    assert f"in {wins} of 6 pairs" in finding.sentences[0]


def test_the_first_pair_is_set_beside_one_that_says_otherwise():
    finding = answers.one_seed(pairs(0.01, 0.01, 0.0, -0.01, 0.01, 0.02))
    assert "run the first seed alone would have said that dropout helps" in finding.sentences[1]
    assert "number 3 alone, that it changes nothing" in finding.sentences[1]


def test_the_guess_stands_beside_what_came_out():
    finding = Finding("it rises", (), True)
    assert beside_guess("it rises", finding) == "As you guessed: it rises."
    assert beside_guess("it falls", finding) == "You guessed: it falls. It came out otherwise: it rises."
    assert beside_guess(NO_IDEA, finding) == "It came out so: it rises."
    assert beside_guess(NO_IDEA, Finding(None, (), False)) == "Your runs give none of these answers."


@pytest.mark.parametrize("course", COURSE, ids=lambda one: one.name)
def test_a_learners_experiment_has_their_seed_and_is_known_by_it(course):
    experiment = course.experiment_of(4711)
    assert course.seed_of(experiment) == 4711
    configs = [experiment] if isinstance(experiment, RunConfig) else experiment.configs()
    assert min(config.seed for config in configs) == 4711
    assert len(configs) <= 40, "as many as one visitor may have wait"


def test_another_experiment_is_not_taken_for_the_lessons():
    for course in COURSE:
        for other in COURSE:
            assert (other.seed_of(course.experiment_of(3)) == 3) is (other is course) or (
                other.experiment == course.experiment
            )


def test_lessons_share_runs_where_they_can():
    """Dropout's pair begins with the run of the lesson before, and the one after it asks the pair's other run."""
    pair = BY_NAME["dropout"].experiment_of(5).configs()
    assert BY_NAME["overfitting"].experiment_of(5) in pair
    assert BY_NAME["evaluation-mode"].experiment_of(5) in pair
