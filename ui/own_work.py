"""What a visitor has set up on the pages: set aside while a lesson sets them up otherwise, then brought back."""

from typing import Any

import streamlit as st

from fmnist_core.lessons.controls import CONTROLS
from ui.forms.config_fields import FIELDS

# Plain values, and those of widgets that may be set. Whatever is not named begins as usual, in a lesson and after it.
_KEPT = (
    *(f"{page}.{name}" for page in ("train", "compare") for name in FIELDS),
    *(f"compare.{name}" for name in ("factor", "levels", "seeds", "across", "values", "shown")),
    *(f"compare.{name}" for name in ("epoch", "chosen_epoch", "margin", "read")),
    *("compare.metric", "compare.layout", "compare.axis", "compare.reference", "compare.grid_metric"),
    *(f"predict.{name}" for name in ("kind", "choice", "class", "page", "seed", "passes", "pixels")),
    *("look", "inspect.part", "inspect.view", "data.seed"),
    *(f"address.{page}" for page in CONTROLS),
    *("train.start_config", "compare.start_experiment"),
)
_ASIDE, _ADDRESSES = "own_work.aside", "own_work.addresses"


def remember_address(page: str) -> None:
    """Keep what the address of a page says, to come back to it; outside of lessons."""
    st.session_state.setdefault(_ADDRESSES, {})[page] = st.query_params.to_dict()


def own_address(page: str) -> dict[str, str]:
    """What the address of a page said when it was last seen outside of a lesson."""
    addresses: dict[str, dict[str, str]] = st.session_state.get(_ADDRESSES, {})
    return addresses.get(page, {})


def set_aside() -> None:
    """Take what is set up on the pages away, so that they begin as in a fresh browser; what is aside already stays."""
    state = st.session_state
    work: dict[str, Any] = {name: state[name] for name in _KEPT if name in state}
    for name in work:
        del state[name]
    state.setdefault(_ASIDE, work)


def bring_back() -> None:
    """Set the pages up as they were before `set_aside`."""
    state = st.session_state
    for name in _KEPT:
        state.pop(name, None)
    state.update(state.pop(_ASIDE, {}))
