"""What a teacher fills in to make a lesson of the page as it stands; all of it ends up in a link."""

import streamlit as st

from fmnist_core.lessons.controls import CONTROLS
from fmnist_core.lessons.lesson import LENGTHS, Lesson
from fmnist_core.lessons.lesson_link import PARAMETER, lesson_to_text
from ui.components.page_address import copy_address
from ui.forms.config_fields import sentence


def lesson_form(page: str) -> None:
    """Offer to make a lesson of a page, folded away."""
    with st.expander("Make a lesson of this page", icon=":material/school:", key="teach", on_change="rerun") as folded:
        if folded.open:
            _fields(page)


def _fields(page: str) -> None:
    st.write(
        "For teachers: whoever opens the link finds the page as its address has it now, with your words above it. "
        "Nothing is stored on this server."
    )
    title = st.text_input("Title", key="teach.title", max_chars=LENGTHS["title"], persist_state="session")
    task = st.text_area(
        "Task",
        key="teach.task",
        max_chars=LENGTHS["task"],
        persist_state="session",
        help="What to do on this page. Shown as you type it, with its lines; Markdown is not read.",
    )
    question = st.text_input("Question", key="teach.question", max_chars=LENGTHS["question"], persist_state="session")
    answers = st.text_area(
        "Answers to choose from",
        key="teach.answers",
        persist_state="session",
        help='One a line, two to six; "no idea, show it" is added. Leave it empty, and learners type their answer.',
    )
    asks_first = st.toggle(
        "Ask before the page is shown",
        value=True,
        key="teach.asks_first",
        persist_state="session",
        help="A guess first, then the page. Off: the question stands above the page, to be answered while looking.",
    )
    controls: list[str] = []
    if groups := CONTROLS[page]:
        controls = st.multiselect(
            "Controls that learners see",
            list(groups),
            default=list(groups),
            format_func=groups.__getitem__,
            key=f"teach.controls.{page}",
            help="What the page cannot do without stays. Fewer controls, fewer ways to get lost.",
        )
    if not (title or task or question):
        st.caption("A button that copies the link appears here once there is a title, a task and a question.")
        return
    try:
        lesson = Lesson(
            page=page,
            title=title.strip(),
            task=task.strip(),
            question=question.strip(),
            answers=tuple(line.strip() for line in answers.splitlines() if line.strip()),
            asks_first=asks_first,
            controls=tuple(controls),
        )
        text = lesson_to_text(lesson)
    except ValueError as error:
        st.info(sentence(error), icon=":material/edit:")
        return
    copy_address("Copy the lesson's link", {PARAMETER: text}, key="teach.address")
