"""A lesson at the top of its page: the task, the question, and the answer beside the guess."""

from html import escape

import streamlit as st

from fmnist_core.lessons.course import COURSE, CourseLesson
from fmnist_core.lessons.finding import Finding, Outcome, beside_guess
from fmnist_core.lessons.lesson import NO_IDEA
from fmnist_core.lessons.lesson_link import PARAMETER
from ui.guards import explaining
from ui.learner import learner
from ui.lesson_state import OpenLesson, outcome, take_another_seed
from ui.own_work import own_address
from ui.page_files import PAGES
from ui.reveal import revealed
from ui.views.dropout_steps import dropout_steps
from ui.wording import plain

_LONGEST_ANSWER = 500


def lesson_banner(opened: OpenLesson) -> None:
    """Draw the lesson; where it asks first and has no answer yet, end the page here."""
    lesson, course = opened.lesson, opened.course
    with st.container(border=True, key="lesson.banner"):
        _heading(opened)
        st.html(plain_html(lesson.task))
        guess = _guess(opened)
        if guess is not None and course is not None:
            with explaining("The lesson cannot be shown"):
                _answer(course, outcome(course), guess)
        elif guess is not None:
            st.html(plain_html(f"{lesson.question}\nYour answer: {guess}"))
            st.button("Answer again", icon=":material/undo:", key="lesson.again", on_click=_forget, args=(opened,))
    if guess is None and lesson.asks_first:
        st.stop()


def plain_html(text: str) -> str:
    """A text from elsewhere as a paragraph that shows it letter by letter, with its lines."""
    return f'<p style="margin:0;white-space:pre-wrap;overflow-wrap:anywhere">{escape(text)}</p>'


def _heading(opened: OpenLesson) -> None:
    course = opened.course
    number = f"Lesson {COURSE.index(course) + 1} of {len(COURSE)}" if course else "A teacher's lesson"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(number, width="content")
        if st.button(
            "Reset",
            icon=":material/close:",
            key="lesson.reset",
            help="Ends the lesson. What you had set up before it comes back.",
        ):
            page = opened.lesson.page
            st.switch_page(PAGES / f"{page}.py", query_params=own_address(page))
    st.subheader(plain(opened.lesson.title), anchor=False)


def _guess(opened: OpenLesson) -> str | None:
    """What the learner has answered; asked for until then."""
    known = learner()
    if opened.text in known.guesses:
        return known.guesses[opened.text]
    lesson = opened.lesson
    key = f"lesson.guess {opened.text}"

    def keep() -> None:
        if answer := (st.session_state[key] or "").strip():
            known.guess(opened.text, answer)

    if lesson.choices:
        names = {choice: plain(choice) for choice in lesson.choices}
        st.radio(
            plain(lesson.question),
            list(lesson.choices),
            format_func=names.__getitem__,
            index=None,
            key=key,
            on_change=keep,
        )
    else:
        st.text_area(plain(lesson.question), key=key, max_chars=_LONGEST_ANSWER)
        st.button("Answer", icon=":material/check:", key="lesson.answer", on_click=keep)
    if lesson.asks_first:
        st.caption("The page appears once you have answered. What you answer is kept for you alone.")
    return None


def _forget(opened: OpenLesson) -> None:
    learner().guesses.pop(opened.text, None)


def _answer(course: CourseLesson, found: Outcome, guess: str) -> None:
    """What the learner's own runs say, or what is still to be done for that."""
    runs = [run for run in found.runs if run is not None]
    if found.is_finished:
        _finding(course, found, course.find(found), guess)
        return
    if guess != NO_IDEA:
        st.write(f"Your guess: **{plain(guess)}**.")
    button = "Train" if course.lesson.page == "train" else "Compare"
    if any(run.is_active for run in runs):
        words = "Your run trains. The answer appears here when it is done."
        if len(found.runs) > 1:
            words = "Your runs train. The answer appears here when they are done."
        st.info(words, icon=":material/model_training:")
    elif any(run.status == "failed" for run in runs):
        st.warning(f"A run ended early, as told below. Press **{button}** to go on.", icon=":material/error:")
    elif runs and len(runs) == len(found.runs):
        st.info(f"Stopped. Press **{button}** to go on.", icon=":material/stop:")
    else:
        st.info(f"Now press **{button}** below.", icon=":material/arrow_downward:")


def _finding(course: CourseLesson, found: Outcome, finding: Finding, guess: str) -> None:
    learner().done.add(course.name)
    if course.name == "which-epoch":
        revealed().update(run.key for run in found.runs if run is not None)
    show = st.success if finding.shows_it else st.info
    show(
        f"**{plain(beside_guess(guess, finding))}**", icon=":material/flag:" if finding.shows_it else ":material/help:"
    )
    for sentence in finding.sentences:
        st.write(plain(sentence))
    if course.name == "dropout":
        for arm in found.runs_of[0]:
            if arm.run is not None:
                dropout_steps(arm.run, unfolded=True)
    place = COURSE.index(course) + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Try another seed",
            icon=":material/casino:",
            key="lesson.seed",
            on_click=take_another_seed,
            args=(course,),
            help="Sets the lesson up with other chance: another split, other first weights, another order of images.",
        )
        if place < len(COURSE):
            following = COURSE[place]
            st.page_link(
                PAGES / f"{following.lesson.page}.py",
                label=f"Next: {following.lesson.title}",
                icon=":material/arrow_forward:",
                query_params={PARAMETER: following.name},
            )
        st.page_link(PAGES / "lessons.py", label="All lessons", icon=":material/school:")
