"""Lessons as a visitor without a browser goes through them: guess, train, see."""

from collections import Counter
from dataclasses import replace

import pytest

from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.lessons.controls import CONTROLS
from fmnist_core.lessons.course import BY_NAME, COURSE
from fmnist_core.lessons.lesson import NO_IDEA, Lesson
from fmnist_core.lessons.lesson_link import lesson_to_text
from fmnist_core.store.visitor import Visitor
from tests.components import component_data
from tests.page_lab import all_words, go_to, keys, live_charts, press, texts, unescaped
from tests.pages.test_words import assert_well_worded

TEACHERS = Lesson(
    page="train",
    title="The gap",
    task="Train twice.\nCompare <b>the gaps</b> and $x$.",
    question="Which is *larger*?",
    answers=("the first", "the second"),
    controls=("dropout",),
)


def small(config):
    return replace(config, hidden=(16,), epochs=6, training_images=100, learning_rate=0.01)


@pytest.fixture(autouse=True)
def small_lessons(monkeypatch):
    """The same six, of a size that tests can train."""
    before = {course.name: course.experiment for course in COURSE}
    for course in COURSE:
        experiment = course.experiment
        if isinstance(experiment, RunConfig):
            experiment = small(experiment)
        elif isinstance(experiment, Study):
            experiment = replace(experiment, base=small(experiment.base))
        else:
            study = experiment.study
            experiment = replace(experiment, study=replace(study, base=small(study.base)))
        object.__setattr__(course, "experiment", experiment)
    yield
    for course in COURSE:
        object.__setattr__(course, "experiment", before[course.name])


def begin(lab, course):
    return lab.open(course.lesson.page, lesson=course.name)


def guess(app, answer):
    (radio,) = [one for one in app.radio if one.key.startswith("lesson.guess")]
    return radio.set_value(answer).run()


def train_all(lab, app):
    for run in lab.store.runs():
        if run.status == "queued":
            lab.work_on(run.key)
    return app.run()


def address(app):
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


@pytest.mark.parametrize("course", COURSE, ids=lambda one: one.name)
def test_each_lesson_goes_from_a_guess_to_the_answer_of_the_learners_own_runs(lab, course):
    app = begin(lab, course)
    assert not app.exception
    assert course.lesson.title in texts(app.subheader)
    assert keys(app.button).count(f"{course.lesson.page}.start") == 0, "nothing is shown before the guess"
    assert not live_charts(app)
    app = guess(app, course.lesson.answers[0])
    assert f"Your guess: **{course.lesson.answers[0]}**." in texts(app.markdown)
    assert not lab.store.runs()
    app = press(app, f"{course.lesson.page}.start")
    assert not app.exception
    assert address(app)["lesson"] == course.name
    runs = lab.store.runs()
    experiment = course.experiment
    train = "Your run trains." if isinstance(experiment, RunConfig) else "Your runs train."
    assert train in " ".join(texts(app.info))
    assert len(runs) == (1 if isinstance(experiment, RunConfig) else len(experiment.configs()))
    seed = min(run.config.seed for run in runs)
    own = course.experiment_of(seed)
    assert {run.config for run in runs} == set([own] if isinstance(own, RunConfig) else own.configs())

    app = train_all(lab, app)
    assert not app.exception
    said = unescaped(all_words(app))
    found = next(text for text in said.splitlines() if "As you guessed" in text or "You guessed" in text)
    assert course.lesson.answers[0] in found
    assert live_charts(app), "the page itself shows the runs"
    assert "lesson.seed" in keys(app.button)
    assert_well_worded(app)


@pytest.mark.parametrize("course", COURSE, ids=lambda one: one.name)
def test_what_a_lesson_leaves_away_is_not_on_the_page(lab, course):
    app = guess(begin(lab, course), NO_IDEA)
    shown = {*keys(app.text_input), *keys(app.radio), *keys(app.slider), *keys(app.selectbox), *keys(app.dataframe)}
    assert not {key for key in shown if key and key.startswith((f"{course.lesson.page}.",))}
    assert "train.new_seed" not in keys(app.button)
    assert "compare.article" not in keys(app.button)


def test_the_answer_is_worked_out_from_the_stored_figures(lab):
    course = BY_NAME["overfitting"]
    app = press(guess(begin(lab, course), NO_IDEA), "train.start")
    app = train_all(lab, app)
    (run,) = lab.store.runs()
    epochs = lab.store.epochs(run.key)
    said = unescaped(all_words(app))
    assert f"at {epochs['validation_loss'].min():.3f}, and ended at {epochs['validation_loss'].iloc[-1]:.3f}" in said
    assert "It came out so:" in said or "Your runs give none of these answers." in said


def test_another_seed_sets_the_lesson_up_anew_and_keeps_the_guess(lab):
    course = BY_NAME["overfitting"]
    app = train_all(lab, press(guess(begin(lab, course), course.lesson.answers[2]), "train.start"))
    (first,) = lab.store.runs()
    app = press(app, "lesson.seed")
    assert not app.exception
    assert "run" not in address(app)
    assert "Now press **Train** below." in texts(app.info)
    app = press(app, "train.start")
    newest, oldest = lab.store.runs()
    assert oldest.key == first.key
    assert newest.config == replace(first.config, seed=newest.config.seed)
    assert newest.config.seed != first.config.seed


def test_a_finished_lesson_is_marked_in_the_list_and_shows_its_answer_again(lab):
    course = BY_NAME["overfitting"]
    app = train_all(lab, press(guess(begin(lab, course), NO_IDEA), "train.start"))
    app.query_params.clear()
    app = go_to(app, "lessons")
    assert not app.exception
    assert [text for text in texts(app.caption) if "Done" in text] == [f"{course.about} **Done.**"]
    app.query_params["lesson"] = course.name
    app = go_to(app, "train")
    assert "lesson.seed" in keys(app.button)
    assert address(app)["run"] == lab.store.runs()[0].key
    assert live_charts(app)


def test_a_reload_keeps_guesses_and_what_is_done_for_that_visitor_alone(lab, monkeypatch):
    course = BY_NAME["overfitting"]
    monkeypatch.setattr("ui.learner.visitor", lambda: Visitor("5" * 32))
    app = press(guess(begin(lab, course), course.lesson.answers[1]), "train.start")
    reloaded = lab.open("train", **address(app))
    assert f"Your guess: **{course.lesson.answers[1]}**." in texts(reloaded.markdown)
    train_all(lab, reloaded)
    assert any("**Done.**" in text for text in texts(lab.open("lessons").caption))

    monkeypatch.setattr("ui.learner.visitor", lambda: Visitor("6" * 32))
    other = lab.open("train", **address(app))
    assert not live_charts(other), "somebody else is asked first"
    assert not any("**Done.**" in text for text in texts(lab.open("lessons").caption))


def test_own_work_is_kept_aside_and_comes_back(lab):
    app = lab.open()
    app.text_input(key="train.hidden").set_value("48, 24")
    app.slider(key="train.dropout").set_value(0.35)
    app.text_input(key="train.seed").set_value("77").run()
    app = go_to(app, "compare")
    app.text_input(key="compare.levels").set_value("0, 0.1, 0.4").run()
    for name in ("dropout", "overfitting"):  # from one lesson to the next
        app.query_params.clear()
        app.query_params["lesson"] = name
        app = go_to(app, BY_NAME[name].lesson.page)
        app = guess(app, NO_IDEA)
        assert app.session_state["train.hidden" if name == "overfitting" else "compare.hidden"] == "16"
    app = press(app, "lesson.reset")
    assert not app.exception
    assert "lesson" not in address(app)
    assert app.text_input(key="train.hidden").value == "48, 24"
    assert app.slider(key="train.dropout").value == 0.35
    assert app.text_input(key="train.seed").value == "77"
    app = go_to(app, "compare")
    assert app.text_input(key="compare.levels").value == "0, 0.1, 0.4"


def test_reset_leads_back_to_the_run_that_was_open(lab):
    key = lab.train()
    app = lab.open("train", run=key)
    app.query_params.clear()
    app.query_params["lesson"] = "overfitting"
    app = app.run()
    app = press(guess(app, NO_IDEA), "lesson.reset")
    assert address(app) == {"run": key}


def test_a_link_of_a_lesson_leads_to_its_page_from_any_other(lab):
    app = lab.open("train", lesson="when")
    assert not app.exception
    assert BY_NAME["when"].lesson.title in texts(app.subheader)
    app = guess(app, NO_IDEA)
    assert "compare.start" in keys(app.button)


def test_a_link_that_was_passed_on_shows_the_run_that_it_names(lab):
    course = BY_NAME["overfitting"]
    key = lab.train(course.experiment_of(4242))
    app = lab.open("train", lesson=course.name, run=key)
    assert not live_charts(app)
    app = guess(app, NO_IDEA)
    assert "lesson.seed" in keys(app.button)
    assert address(app)["run"] == key


def test_test_figures_are_shown_by_the_lesson_about_them_alone(lab):
    course = BY_NAME["which-epoch"]
    app = train_all(lab, press(guess(begin(lab, course), NO_IDEA), "train.start"))
    (run,) = lab.store.runs()
    best = lab.store.tests(run.key)["best"]
    assert f"{best.loss:.3f}" in all_words(app)
    assert app.session_state["revealed"] == {run.key}


def test_a_run_that_was_stopped_can_be_gone_on_with(lab):
    app = press(guess(begin(lab, BY_NAME["overfitting"]), NO_IDEA), "train.start")
    app = press(app, "train.stop")
    assert "Stopped. Press **Train** to go on." in texts(app.info)


def test_a_teachers_lesson_is_shown_letter_by_letter_and_its_page_waits_for_the_answer(lab):
    app = lab.open("train", lesson=lesson_to_text(TEACHERS))
    assert not app.exception
    assert "A teacher's lesson" in texts(app.caption)
    bodies = [element.proto.body for element in app.get("html")]
    assert any("Train twice.\nCompare &lt;b&gt;the gaps&lt;/b&gt; and $x$." in body for body in bodies)
    (radio,) = [one for one in app.radio if one.key.startswith("lesson.guess")]
    assert radio.label == r"Which is \*larger\*?"
    assert radio.options == ["the first", "the second", NO_IDEA]
    assert "train.start" not in keys(app.button)
    app = guess(app, "the second")
    assert "train.start" in keys(app.button)
    assert "train.dropout" in keys(app.slider)
    assert "train.hidden" not in keys(app.text_input)
    assert any("Which is *larger*?\nYour answer: the second" in element.proto.body for element in app.get("html"))
    app = press(app, "lesson.again")
    assert "train.start" not in keys(app.button)


def test_a_teachers_question_may_stand_above_the_page(lab):
    app = lab.open("train", lesson=lesson_to_text(replace(TEACHERS, asks_first=False, answers=())))
    assert "train.start" in keys(app.button)
    (area,) = [one for one in app.text_area if one.key.startswith("lesson.guess")]
    area.set_value("  ")
    app = press(app, "lesson.answer")
    assert "lesson.answer" in keys(app.button), "an empty answer is none"
    (area,) = [one for one in app.text_area if one.key.startswith("lesson.guess")]
    area.set_value("Epoch 5, <script>")
    app = press(app, "lesson.answer")
    assert any("Your answer: Epoch 5, &lt;script&gt;" in element.proto.body for element in app.get("html"))


def test_a_teachers_link_sets_up_what_the_rest_of_its_address_says(lab):
    study = Study(base=RunConfig(hidden=(24,), epochs=2), levels=(0.0, 0.3), seeds=2)
    lesson = replace(TEACHERS, page="compare", controls=("seeds",))
    app = lab.open()
    app.text_input(key="train.hidden").set_value("99").run()
    app.query_params.update({**study.to_address(), "lesson": lesson_to_text(lesson)})
    app = guess(go_to(app, "compare"), NO_IDEA)
    assert not app.exception
    assert app.text_input(key="compare.seeds").value == "2"
    assert app.session_state["compare.hidden"] == "24"
    assert "compare.levels" not in keys(app.text_input)
    app = press(app, "compare.start")
    assert {run.config for run in lab.store.runs()} == set(study.configs())


@pytest.mark.parametrize("text", ["overfittin", "eyJ", "x" * 5000, "<script>", "../../etc"])
def test_a_broken_link_is_explained_and_the_page_is_as_usual(lab, text):
    app = lab.open("train", lesson=text)
    assert not app.exception
    assert "The link's lesson cannot be opened." in " ".join(texts(app.warning))
    assert "train.start" in keys(app.button)
    assert "train.hidden" in keys(app.text_input)


def test_a_teacher_makes_a_lesson_of_the_page_as_it_stands(lab):
    study = Study(base=RunConfig(hidden=(24,), epochs=2), levels=(0.0, 0.3), seeds=2)
    app = lab.open("compare", **study.to_address())
    assert "teach.address" not in keys(app.get("bidi_component")), "nothing before it is unfolded"
    app.session_state["teach"] = True
    app = app.run()
    app.text_input(key="teach.title").set_value("The gap")
    app.text_area(key="teach.task").set_value("Look at it.")
    app = app.run()
    assert "teach.address" not in keys(app.get("bidi_component"))
    app.text_input(key="teach.question").set_value("How large?")
    app.multiselect(key="teach.controls.compare").set_value(["seeds"])
    app.text_area(key="teach.answers").set_value("small\n\nlarge\n")
    app = app.run()
    assert not app.exception
    lesson = Lesson(
        page="compare",
        title="The gap",
        task="Look at it.",
        question="How large?",
        answers=("small", "large"),
        controls=("seeds",),
    )
    assert component_data(app, "teach.address")["more"] == {"lesson": lesson_to_text(lesson)}
    app.text_area(key="teach.answers").set_value("small")
    app = app.run()
    assert "teach.address" not in keys(app.get("bidi_component"))
    assert "must have 2 to 6 answers" in " ".join(texts(app.info))


def things_to_use(app):
    """What of a page a learner can use or read as a control: keys of widgets, ways to other pages, tables."""
    kinds = (
        "button",
        "radio",
        "selectbox",
        "slider",
        "text_input",
        "toggle",
        "segmented_control",
        "tab",
        "table",
        "file_uploader",
    )
    found = [
        getattr(element, "key", None) or getattr(element, "label", kind) for kind in kinds for element in app.get(kind)
    ]
    found += [link.proto.label for link in app.get("page_link")] + texts(app.subheader)
    return Counter(name for name in found if not name.startswith("lesson."))


@pytest.mark.parametrize("page", [page for page in CONTROLS if CONTROLS[page]])
def test_every_group_of_controls_is_there_where_a_lesson_shows_it_and_else_not(lab, page):
    study = Study(base=RunConfig(hidden=(16,), epochs=2, seed=3), setting="batch_size", levels=(32, 64))
    key, _ = map(lab.train, study.configs())
    said = study.to_address() if page == "compare" else {} if page == "train" else {"run": key}

    def opened(*controls):
        lesson = replace(TEACHERS, page=page, controls=controls, asks_first=False)
        app = lab.open(page, lesson=lesson_to_text(lesson), **said)
        assert not app.exception
        return things_to_use(app)

    none, every = opened(), opened(*CONTROLS[page])
    for group in CONTROLS[page]:
        own = opened(group) - none
        assert own, f"{group} shows nothing"
        assert not own - every
    assert f"{page}.start" in none or page in {"predict", "inspect"}, "what the page cannot do without stays"
