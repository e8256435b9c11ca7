"""How a comparison is read: at which epoch, and by which margin. Kept in the address; changes no run."""

from typing import Literal

import streamlit as st

from fmnist_core.comparison.reading import (
    MARGIN_LIMITS,
    READING_NAMES,
    STANDARD_READING,
    Epoch,
    Reading,
    typed_margin,
)
from fmnist_core.comparison.study import Study
from fmnist_core.wording import number_text
from ui import link
from ui.forms.config_fields import sentence
from ui.shown_controls import shows

_EPOCHS = {"last": "Last epoch", "best": "Best epoch", "chosen": "Another epoch"}


def take_reading_from_link(study: Study) -> None:
    """Put what the address says about reading into the controls, where it is another than they have put there.

    To be called before they are drawn.
    """
    said = link.values(READING_NAMES)
    if said == st.session_state.get("compare.read") and "compare.epoch" in st.session_state:
        return
    st.session_state["compare.read"] = said
    try:
        reading = Reading.from_address(said, study.shared_epochs)
    except ValueError as error:
        st.warning(f"The link does not say how to read the experiment. {sentence(error)}", icon=":material/link_off:")
        reading = STANDARD_READING
    chosen = isinstance(reading.epoch, int)
    st.session_state["compare.epoch"] = "chosen" if chosen else reading.epoch
    st.session_state["compare.chosen_epoch"] = reading.epoch if chosen else study.shared_epochs
    st.session_state["compare.margin"] = number_text(reading.margin)


def reading_form(study: Study) -> Reading:
    """Draw the controls; a margin that cannot be used is said beside them, and the usual one is taken."""
    if shows("reading"):
        _fields(study)
    try:
        return _reading(study)
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        return Reading(epoch=_epoch(study))


def _fields(study: Study) -> None:
    epochs = study.shared_epochs
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Figures of",
            list(_EPOCHS),
            format_func=_EPOCHS.__getitem__,
            required=True,
            key="compare.epoch",
            on_change=_put_into_address,
            args=(study,),
            help="The last epoch is fixed before anything is seen. Each run's best is the one with its lowest "
            "validation loss, as early stopping takes it. Whoever picks another by what the curves show finds some "
            "difference by luck, so claims are then held to what holds at all epochs together.",
        )
        if kind == "chosen":
            st.session_state["compare.chosen_epoch"] = min(st.session_state["compare.chosen_epoch"], epochs)
            st.number_input(
                f"Epoch, 1 to {epochs}",
                min_value=1,
                max_value=epochs,
                step=1,
                key="compare.chosen_epoch",
                on_change=_put_into_address,
                args=(study,),
                width=140,
            )
        low, high = map(number_text, MARGIN_LIMITS)
        st.text_input(
            "Margin, points of accuracy",
            key="compare.margin",
            on_change=_put_into_address,
            args=(study,),
            width=220,
            help="From which difference of accuracy on do you care? 0.5 percentage points are 5 images in a thousand. "
            f"What lies within the margin is called too small to matter. It takes {low} to {high}, and changes no run. "
            "Loss and gap have none: nobody can say how many nats matter to them.",
        )


def kept_reading(study: Study) -> dict[str, str]:
    """What the address says about reading now, for the address of another study that can be read so."""
    said = link.values(READING_NAMES)
    try:
        return Reading.from_address(said, study.shared_epochs).to_address()
    except ValueError:
        return {}


def _epoch(study: Study) -> Epoch:
    kind: Literal["last", "best", "chosen"] = st.session_state["compare.epoch"]
    if kind != "chosen":
        return kind
    chosen: int = st.session_state["compare.chosen_epoch"]
    return min(chosen, study.shared_epochs)


def _reading(study: Study) -> Reading:
    return Reading(epoch=_epoch(study), margin=typed_margin(st.session_state["compare.margin"]))


def _put_into_address(study: Study) -> None:
    try:
        said = _reading(study).to_address()
    except ValueError:
        return  # said beside the field
    link.replace(READING_NAMES, said)
    st.session_state["compare.read"] = said
