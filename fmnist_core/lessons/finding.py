"""What a learner's own runs have left in the store, what they answer, and how that stands beside the guess."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.progress import collect, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.lessons.lesson import NO_IDEA
from fmnist_core.network.figures import TRAINING_VERSION, Evaluation
from fmnist_core.store.run import Run
from fmnist_core.store.runs import EPOCH_COLUMNS
from fmnist_core.store.shared_runs import SharedRuns


@dataclass(frozen=True)
class Outcome:
    """What is stored of a lesson's runs: of any that were asked for; a finding takes all of them finished."""

    experiment: RunConfig | Study | Grid
    # Those of each comparison, a grid's in the order of its values; a single run stands for its own.
    runs_of: Sequence[Sequence[ArmRun]]
    forgetful: Callable[[Run], Evaluation]  # what an evaluation says of a run's best network that forgot `model.eval()`

    @property
    def run(self) -> ArmRun:
        """The one run of a lesson that has one."""
        ((run,),) = self.runs_of
        return run

    @property
    def runs(self) -> list[Run | None]:
        """All runs, None for those that nobody has asked for."""
        return [arm.run for runs in self.runs_of for arm in runs]

    @property
    def is_finished(self) -> bool:
        """Whether all runs have reached their last epoch."""
        return all(arm.finished for runs in self.runs_of for arm in runs)


def outcome_of(
    experiment: RunConfig | Study | Grid,
    shared: SharedRuns,
    data_fingerprint: str,
    forgetful: Callable[[Run], Evaluation],
) -> Outcome:
    """Look up what is stored of an experiment's runs."""
    if isinstance(experiment, RunConfig):
        run = shared.run(experiment.key(data_fingerprint, TRAINING_VERSION))
        if run is None:
            arm = ArmRun(None, experiment.seed, None, pd.DataFrame(columns=EPOCH_COLUMNS), {})
        else:
            arm = ArmRun(None, experiment.seed, run, shared.epochs(run), shared.tests(run))
        return Outcome(experiment, ((arm,),), forgetful)
    studies = experiment.studies if isinstance(experiment, Grid) else (experiment,)
    runs_of = [collect(study, stored_runs(study, shared, data_fingerprint), shared).runs for study in studies]
    return Outcome(experiment, runs_of, forgetful)


@dataclass(frozen=True)
class Finding:
    """Which of the lesson's answers the runs give, None where they give none, and the figures in sentences.

    `shows_it` tells whether the runs show what the lesson is about; runs are free not to.
    """

    answer: str | None
    sentences: tuple[str, ...]
    shows_it: bool


def beside_guess(guess: str, finding: Finding) -> str:
    """The guess and what came out, in one sentence."""
    if finding.answer is None:
        said = "" if guess == NO_IDEA else f"You guessed: {guess}. "
        return f"{said}Your runs give none of these answers."
    if guess == NO_IDEA:
        return f"It came out so: {finding.answer}."
    if guess == finding.answer:
        return f"As you guessed: {guess}."
    return f"You guessed: {guess}. It came out otherwise: {finding.answer}."
