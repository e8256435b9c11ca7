"""A page of images to pick from: all, mistakes, doubts, or what differs between two runs."""

from typing import get_args

import streamlit as st

from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.image_name import ImageName
from fmnist_core.results import selection
from fmnist_core.results.selection import PAIR_CHOICES, Choice, select
from fmnist_core.results.side_by_side import cause, less_dropout_first
from fmnist_core.wording import percentage
from ui import handles, link
from ui.common_answers import CommonAnswers
from ui.components.image_grid import Tile, image_grid
from ui.components.image_route import image_folder
from ui.forms.run_choice import Chosen
from ui.page_state import choice, number
from ui.reveal import may_show_tests, reveal_button
from ui.shown_controls import shows

PAGE_IMAGES = 20  # whole rows of four on a phone and of five beside the answer
_ALL_CLASSES = -1
PICKER_STATE = (
    choice("show", "predict.choice", get_args(Choice), "all"),
    choice("class", "predict.class", [_ALL_CLASSES, *range(len(CLASSES))], _ALL_CLASSES),
    number("page", "predict.page", 0, 9999),
    number("order", "predict.seed", 0, selection.ORDERS - 1),
)


def begin_order() -> None:
    """Have an order of the images, before the page says in its address which one it is."""
    st.session_state.setdefault("predict.seed", selection.new_order())


def pick(name: str) -> None:
    """Put an image into the address; a callback."""
    link.replace({"image"}, {"image": name})


def image_picker(common: CommonAnswers, chosen: Chosen, part: Part, picked: ImageName | None) -> ImageName | None:
    """Draw the choice of images; return the one to look at, or None where there is none.

    That is the one `picked` before, or else the first of those shown.
    """
    state = st.session_state
    words = _choices(chosen)
    if state.get("predict.choice") not in words:
        state["predict.choice"] = "all"
    if shows("choice"):
        _fields(words)
    choice: Choice = state["predict.choice"]
    label: int = state.setdefault("predict.class", _ALL_CLASSES)
    # How many mistakes there are among test images is the test accuracy: counted, paged through or looked up by class.
    is_hidden = part == "test" and not may_show_tests(chosen.runs)
    if choice not in {"all", "least certain"} and is_hidden:
        with st.container(border=True):
            st.write("Which test images a run gets wrong is hidden together with its test accuracy.")
            reveal_button("Reveal test figures", [run.key for run in chosen.runs], key="predict.reveal")
        return picked
    probabilities, other = _compared(choice, common, chosen)
    rows = select(
        choice,
        common.labels,
        probabilities,
        other,
        label=None if label == _ALL_CLASSES else label,
        seed=state["predict.seed"],
    )
    if not len(rows):
        st.info("There is no such image. Choose others to show.", icon=":material/search_off:")
        return picked
    pages = -(-len(rows) // PAGE_IMAGES)
    page = min(state.get("predict.page", 0), pages - 1)
    shown = rows[page * PAGE_IMAGES : (page + 1) * PAGE_IMAGES]
    picked = picked or common.images.name(int(shown[0]))
    dataset = handles.dataset()
    image_grid(
        [_tile(common, int(row), chosen, is_hidden) for row in shown],
        key="predict.grid",
        folder=image_folder(dataset.fingerprint),
        chosen=str(picked),
        on_pick=pick,
        shows_in="predict.pick",
    )
    first, last = page * PAGE_IMAGES + 1, page * PAGE_IMAGES + len(shown)
    _turn_pages(page, pages, f"{first} to {last} of {len(rows):,}")
    if is_hidden:  # who pages through marked images estimates the test accuracy
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Mistakes are marked once test figures are revealed.", width="content")
            reveal_button("Reveal test figures", [run.key for run in chosen.runs], key="predict.reveal")
    return picked


def _fields(words: dict[Choice, str]) -> None:
    show, narrow = st.columns([3, 2])
    show.selectbox(
        "Show",
        list(words),
        format_func=words.__getitem__,
        key="predict.choice",
        persist_state="session",
        on_change=_first_page,
        help="A mistake is an image that the network puts into a wrong class. How certain it is of an image is the "
        "probability that it gives its likeliest class.",
    )
    narrow.selectbox(
        "Class",
        [_ALL_CLASSES, *range(len(CLASSES))],
        format_func=lambda place: "All classes" if place == _ALL_CLASSES else CLASSES[place],
        key="predict.class",
        persist_state="session",
        on_change=_first_page,
        help="The true class of the images.",
    )


def _choices(chosen: Chosen) -> dict[Choice, str]:
    first, *rest = chosen.runs
    of = f" of run {first.number}" if rest else ""
    words: dict[Choice, str] = {
        "all": "All images",
        "mistakes": f"Mistakes{of}",
        "confident mistakes": f"Most confident mistakes{of}",
        "least certain": f"Least certain{of}",
    }
    if rest:
        subject = cause(*less_dropout_first(first, rest[0]))
        words |= {"fixed": f"{subject} fixed it", "broke": f"{subject} broke it", "both wrong": "Both wrong"}
    return words


def _compared(
    choice: Choice, common: CommonAnswers, chosen: Chosen
) -> tuple[selection.Probabilities, selection.Probabilities | None]:
    """The probabilities that a choice is about and, where it compares, those of the run with more dropout."""
    if choice not in PAIR_CHOICES:
        return common.probabilities[0], None
    first, second = common.probabilities
    in_order = less_dropout_first(*chosen.runs)[0] == chosen.runs[0]
    return (first, second) if in_order else (second, first)


def _tile(common: CommonAnswers, row: int, chosen: Chosen, is_hidden: bool) -> Tile:
    """An image with its class and, unless answers are hidden, what is said of it."""
    label, name = int(common.labels[row]), common.images.name(row)
    if is_hidden:
        return Tile(name=str(name), caption=CLASSES[label], alt=f"{name.title}, {CLASSES[label]}", wrong=False)
    answers = [
        (int(probabilities[row].argmax()), float(probabilities[row].max())) for probabilities in common.probabilities
    ]
    said, _ = answers[0]
    wrong = said != label
    spoken = "; ".join(
        f"run {run.number} says {CLASSES[answer]}, {percentage(share)}"
        for run, (answer, share) in zip(chosen.runs, answers, strict=True)
    )
    return Tile(
        name=str(name),
        caption=f"{CLASSES[label]} → {CLASSES[said]}" if wrong else CLASSES[label],
        alt=f"{name.title}, {CLASSES[label]}; {spoken}",
        wrong=wrong,
    )


def _turn_pages(page: int, pages: int, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            key="predict.previous",
            disabled=page == 0,
            on_click=_turn_to,
            args=(page - 1,),
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            icon_position="right",
            key="predict.next",
            disabled=page == pages - 1,
            on_click=_turn_to,
            args=(page + 1,),
        )
        st.caption(words, width="content")
        st.button(
            "Shuffle",
            icon=":material/casino:",
            key="predict.shuffle",
            on_click=_shuffle,
            help="Shows the images in another order. Confident mistakes and least certain images keep theirs.",
        )


def _turn_to(page: int) -> None:
    st.session_state["predict.page"] = page


def _first_page() -> None:
    _turn_to(0)


def _shuffle() -> None:
    st.session_state["predict.seed"] = selection.new_order()
    _turn_to(0)
