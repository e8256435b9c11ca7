"""The six lessons of this program, in their order: what each sets up, asks and finds."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.lessons import answers
from fmnist_core.lessons.finding import Finding, Outcome
from fmnist_core.lessons.lesson import Lesson


@dataclass(frozen=True, kw_only=True)
class CourseLesson:
    """A lesson of this program: what a teacher's has as well, an experiment, and what its figures answer."""

    name: str  # what a link calls it
    about: str  # one sentence for the list
    lesson: Lesson
    experiment: RunConfig | Study | Grid  # with any seed: each learner has their own
    find: Callable[[Outcome], Finding]

    def experiment_of(self, seed: int) -> RunConfig | Study | Grid:
        """The experiment of a learner with this (first) seed."""
        experiment = self.experiment
        if isinstance(experiment, RunConfig):
            return replace(experiment, seed=seed)
        if isinstance(experiment, Study):
            return replace(experiment, base=replace(experiment.base, seed=seed))
        study = experiment.study
        return replace(experiment, study=replace(study, base=replace(study.base, seed=seed)))

    def seed_of(self, experiment: RunConfig | Study | Grid) -> int | None:
        """The seed with which this is the lesson's experiment; None where it is another one."""
        seed = (
            experiment.seed
            if isinstance(experiment, RunConfig)
            else (experiment.study if isinstance(experiment, Grid) else experiment).base.seed
        )
        return seed if self.experiment_of(seed) == experiment else None


# The article's network, at a rate at which it learns steadily, and so few images that it can learn them by heart.
_FEW = RunConfig(learning_rate=0.001, training_images=2_000)
_DROPPED = replace(_FEW, dropout=0.5)
# One layer trains in seconds; with wrong labels there is something that should not be learnt.
_SMALL = RunConfig(hidden=(128,), learning_rate=0.001)

COURSE = (
    CourseLesson(
        name="overfitting",
        about="A network learns 2,000 images by heart.",
        lesson=Lesson(
            page="train",
            title="What overfitting looks like",
            task="You train the article's network for 30 epochs, on 2,000 images only. After each epoch its loss is "
            "measured twice: on the images that it trains on, and on 10,000 validation images that it has never seen. "
            "Training loss will fall. Guess what validation loss does, then press Train.",
            question="What does validation loss do over the 30 epochs?",
            answers=(answers.FALLS, answers.LEVELS_OFF, answers.RISES),
        ),
        experiment=_FEW,
        find=answers.overfitting,
    ),
    CourseLesson(
        name="dropout",
        about="The same network, with half of its hidden units switched off at each step.",
        lesson=Lesson(
            page="compare",
            title="What dropout does",
            task="The same network and the same 2,000 images, twice: without dropout, and with dropout 0.5, which "
            "switches each hidden unit off with that chance in every training step. The gap is validation loss minus "
            "training loss, both measured with dropout off. Guess what becomes of it, then press Compare.",
            question="What does dropout 0.5 do to the gap?",
            answers=(answers.SMALLER, answers.ALIKE, answers.LARGER),
        ),
        experiment=Study(base=_FEW, levels=(0.0, 0.5)),
        find=answers.narrower_gap,
    ),
    CourseLesson(
        name="evaluation-mode",
        about="What a forgotten line does to your figures.",
        lesson=Lesson(
            page="train",
            title="Why model.eval()",
            task="In PyTorch, model.eval() tells a network that it is used now, not trained: dropout is off. You train "
            "the network with dropout 0.5, and measure its best epoch on the validation images twice: as one should, "
            "and with that line forgotten. Guess what the second measurement says, then press Train.",
            question="Without model.eval(), what loss does the same network seem to have?",
            answers=(answers.LOWER_LOSS, answers.SAME_LOSS, answers.HIGHER_LOSS),
        ),
        experiment=_DROPPED,
        find=answers.evaluation_mode,
    ),
    CourseLesson(
        name="which-epoch",
        about="Two networks of one run are kept. Which one is worth keeping?",
        lesson=Lesson(
            page="train",
            title="Which epoch to keep",
            task="One in five of 5,000 training labels is wrong. Of your run two networks are kept: that of the epoch "
            "with the lowest validation loss, called the best, and that of the last epoch. At the end both meet the "
            "10,000 test images, which nobody has looked at. Guess which does better there, then press Train.",
            question="Which network has the lower loss on the test images?",
            answers=(answers.BEST_EPOCH, answers.LAST_EPOCH, answers.EITHER),
        ),
        experiment=replace(_SMALL, training_images=5_000, label_noise=0.2),
        find=answers.kept_epoch,
    ),
    CourseLesson(
        name="when",
        about="Right labels or wrong ones: where does dropout save anything?",
        lesson=Lesson(
            page="compare",
            title="When dropout helps",
            task="You compare dropout 0.5 with none in two worlds: one in which all labels are right, and one in which "
            "four training labels in ten are wrong. Validation labels are always right. Three seeds each, twelve runs. "
            "Guess where dropout gains accuracy, then press Compare.",
            question="Where does dropout 0.5 gain two percentage points of validation accuracy, or more?",
            answers=(answers.WITH_RIGHT, answers.WITH_WRONG, answers.WITH_BOTH, answers.WITH_NEITHER),
        ),
        experiment=Grid(
            study=Study(base=replace(_SMALL, training_images=5_000), levels=(0.0, 0.5), seeds=3),
            across="label_noise",
            values=(0.0, 0.4),
        ),
        find=answers.when_it_helps,
    ),
    CourseLesson(
        name="one-seed",
        about="The same question, asked six times.",
        lesson=Lesson(
            page="compare",
            title="Does one seed tell?",
            task="The seed decides the split, the first weights and the order of the images. You run one comparison "
            "with six seeds, on 500 images: no dropout against dropout 0.5. Each pair of runs gives an answer. Guess "
            "how far the six agree, then press Compare.",
            question="In how many of the six pairs does dropout 0.5 end with the higher validation accuracy?",
            answers=(answers.ALL_AGREE, answers.ALL_BUT_ONE, answers.SPLIT),
            controls=("curves",),
        ),
        experiment=Study(base=replace(_SMALL, training_images=500), levels=(0.0, 0.5), seeds=6),
        find=answers.one_seed,
    ),
)
BY_NAME = {one.name: one for one in COURSE}
