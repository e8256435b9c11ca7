"""The lesson that a page is opened with: from its link to the learner's own runs.

A lesson sets a page up once, as it is opened, on a table that is cleared of the visitor's own work. That comes back as
soon as a page is opened without the lesson.
"""

import hashlib
import random
from dataclasses import dataclass

import streamlit as st

from fmnist_core.comparison.experiment import EXPERIMENT_NAMES, experiment_from_address
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.lessons.course import BY_NAME, CourseLesson
from fmnist_core.lessons.finding import Outcome, outcome_of
from fmnist_core.lessons.lesson import Lesson
from fmnist_core.lessons.lesson_link import PARAMETER, lesson_from_text
from fmnist_core.network.figures import TRAINING_VERSION
from ui import handles, link
from ui.forms.config_fields import fill_form, sentence
from ui.forms.study_form import fill_study_form
from ui.own_work import bring_back, remember_address, set_aside
from ui.page_files import PAGES
from ui.shown_controls import show_only
from ui.visitors import visitor

SEEDS = 10_000


@dataclass(frozen=True)
class OpenLesson:
    """A lesson as the link has it, `text`; `course` is there for those of this program."""

    text: str
    lesson: Lesson
    course: CourseLesson | None


def follow_lesson(page: str) -> OpenLesson | None:
    """Open the lesson that the address names, set up its page, and return it; None where there is none.

    Its page is opened where the link leads to another one. A link that cannot be read is explained in a sentence.
    """
    text = link.value(PARAMETER)
    opened = None if text is None else _read(text)
    state = st.session_state
    show_only(None)
    if opened is None:
        if "lesson.open" in state:
            del state["lesson.open"]
            bring_back()
        remember_address(page)
        return None
    if opened.lesson.page != page and state.get("lesson.open") == text:
        return None  # a way on to another page, within the lesson
    if opened.lesson.page != page:
        st.switch_page(PAGES / f"{opened.lesson.page}.py", query_params=st.query_params.to_dict())
    show_only(opened.lesson.controls)
    if state.get("lesson.open") != text:
        set_aside()
        state["lesson.open"] = text
        if opened.course is not None:
            _set_up(opened.course)
    return opened


def _read(text: str) -> OpenLesson | None:
    if (course := BY_NAME.get(text)) is not None:
        return OpenLesson(text, course.lesson, course)
    try:
        return OpenLesson(text, lesson_from_text(text), None)
    except ValueError as error:
        st.warning(f"The link's lesson cannot be opened. {sentence(error)}", icon=":material/link_off:")
        return None


def _set_up(course: CourseLesson) -> None:
    """Fill the lesson's page with its experiment; where its runs are stored already, show them."""
    if (seed := _seed_in_address(course)) is not None:
        _seeds()[course.name] = seed
    experiment = own_experiment(course)
    asked_for = any(run is not None for run in outcome(course).runs)
    if isinstance(experiment, RunConfig):
        fill_form(experiment)
        st.session_state["train.start_config"] = experiment  # which the address need not say
        if asked_for:
            st.query_params["run"] = experiment.key(handles.dataset().fingerprint, TRAINING_VERSION)
    else:
        fill_study_form(experiment)
        st.session_state["compare.start_experiment"] = experiment
        if asked_for:
            st.query_params.update(experiment.to_address())


def _seed_in_address(course: CourseLesson) -> int | None:
    """The seed of what the link shows, where that is the lesson's own: after a reload, or of a link passed on."""
    if isinstance(course.experiment, RunConfig):
        run = handles.shared_runs().run(link.value("run") or "")
        return None if run is None else course.seed_of(run.config)
    said = link.values(EXPERIMENT_NAMES)
    try:
        return course.seed_of(experiment_from_address(said)) if said else None
    except ValueError:
        return None  # as the page itself says


def own_experiment(course: CourseLesson) -> RunConfig | Study | Grid:
    """The lesson's experiment with this learner's seed."""
    return course.experiment_of(_seeds().get(course.name, _own_seed()))


def outcome(course: CourseLesson) -> Outcome:
    """What is stored of the learner's runs."""
    return outcome_of(
        own_experiment(course),
        handles.shared_runs(),
        handles.dataset().fingerprint,
        lambda run: handles.forgetful_evaluation(run.key, run.epoch_of("best")),
    )


def take_another_seed(course: CourseLesson) -> None:
    """Set the lesson up anew with a seed that is not the learner's so far; a callback."""
    before = _seeds().get(course.name, _own_seed())
    _seeds()[course.name] = (before + random.randrange(1, SEEDS)) % SEEDS
    st.query_params.from_dict({PARAMETER: course.name})
    st.session_state["lesson.open"] = None  # so that it is opened anew, with the visitor's work still aside


def _seeds() -> dict[str, int]:
    """The seeds of lessons that were set up with others than the learner's own."""
    seeds: dict[str, int] = st.session_state.setdefault("lesson.seeds", {})
    return seeds


def _own_seed() -> int:
    """Each learner's own: the browser's for as long as it stays open, so that a reload finds the runs again."""
    if "lesson.own_seed" not in st.session_state:
        name = visitor().name
        digest = hashlib.sha256((name or str(random.random())).encode()).digest()
        st.session_state["lesson.own_seed"] = int.from_bytes(digest[:8], "big") % SEEDS
    seed: int = st.session_state["lesson.own_seed"]
    return seed
