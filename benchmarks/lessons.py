"""What a class finds in the six lessons, and how long they take: `python -m benchmarks.lessons [learners] [home]`.

Each learner has a seed of their own and goes through all lessons alone, in their order, on a lab that does nothing
else. Runs that an earlier lesson has left are not trained again, as on the page. Processor seconds are those of the
workers, which a machine that is busy with other things lengthens less than the clock. Without a home folder it works in
a store of its own.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.server import settings_at
from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.evaluation_images import evaluation_images
from fmnist_core.data.sources import load
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.lessons.course import COURSE, CourseLesson
from fmnist_core.lessons.finding import Finding, Outcome, outcome_of
from fmnist_core.network.figures import Evaluation
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.store.run import Run
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns

FIRST_SEED, APART = 100, 20  # seeds of the first learner, and from one to the next: no two share one


def forgetful(store: Store, data: Dataset, run: Run) -> Evaluation:
    """What the page's own evaluation without `model.eval()` says."""
    weights = store.weights(run.key, "best")
    assert weights is not None, run
    images = evaluation_images(data, run.config, "validation")
    network = StoredNetwork(run.config, weights.content)
    return network.evaluate_with_training_mode_left_on(images.pixels(data), images.labels(data))


def processor_seconds() -> float:
    """What the workers of this process have used so far."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in times)


def go_through(
    course: CourseLesson, seed: int, store: Store, dispatcher: Dispatcher, data: Dataset
) -> tuple[float, float]:
    """Ask for a learner's runs as the page does, and wait until they have ended; seconds, and processor seconds."""
    experiment = course.experiment_of(seed)
    configs = [experiment] if isinstance(experiment, RunConfig) else experiment.configs()
    began, used, pause = time.perf_counter(), processor_seconds(), threading.Event()
    keys = store.request_all(configs, data.name, data.fingerprint)
    dispatcher.wake()
    while any(run.is_active for run in store.runs_of(keys).values()):
        pause.wait(0.05)
    return time.perf_counter() - began, processor_seconds() - used


def main(learners: int, home: Path) -> None:
    """Print a row a lesson, then what each learner's runs said."""
    settings = settings_at(home)
    data = load(settings)
    assert data.is_real, data.notes
    store = Store(settings.database_url)
    seconds: dict[str, list[tuple[float, float]]] = {course.name: [] for course in COURSE}
    found: dict[str, list[Finding]] = {course.name: [] for course in COURSE}
    with Dispatcher(store, settings) as dispatcher:
        for learner in range(learners):
            seed = FIRST_SEED + APART * learner
            for course in COURSE:
                seconds[course.name].append(go_through(course, seed, store, dispatcher, data))
                outcome: Outcome = outcome_of(
                    course.experiment_of(seed),
                    SharedRuns(store),
                    data.fingerprint,
                    lambda run: forgetful(store, data, run),
                )
                found[course.name].append(course.find(outcome))
    store.close()
    print(f"{learners} learners, each alone; seconds are medians\n")
    print("| lesson | shown by | what came out | seconds | processor seconds |")
    print("|---|---|---|---|---|")
    for course in COURSE:
        findings = found[course.name]
        took, used = zip(*seconds[course.name], strict=True)
        counts = Counter(finding.answer for finding in findings).most_common()
        said = "; ".join(f"{answer}: {count}" for answer, count in counts)
        shown = sum(finding.shows_it for finding in findings)
        times = f"{statistics.median(took):.0f} | {statistics.median(used):.0f}"
        print(f"| {course.lesson.title} | {shown} of {learners} | {said} | {times} |")
    for course in COURSE:
        print(f"\n{course.lesson.title}")
        for learner, finding in enumerate(found[course.name]):
            print(f"- seed {FIRST_SEED + APART * learner}: {' '.join(finding.sentences)}")


if __name__ == "__main__":
    learners = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if len(sys.argv) > 2:
        main(learners, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(learners, Path(folder))
