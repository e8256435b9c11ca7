"""One run, or two side by side: the choice that Predict and Inspect share. It lives in the address."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from fmnist_core.charts.colours import colours_of
from fmnist_core.data.image_name import ImageName
from fmnist_core.results import side_by_side
from fmnist_core.results.run_names import run_titles
from fmnist_core.store.run import Run, Weights
from ui import handles, link
from ui.forms.run_address import run_in_address
from ui.guards import explaining
from ui.page_files import PAGES
from ui.shown_controls import shows
from ui.wording import plain

_ALONE = "none"
_KINDS = {"best": "Best epoch", "last": "Last epoch"}


@dataclass(frozen=True)
class Chosen:
    """The runs that a page is about, one or two, and which of their stored networks is meant."""

    runs: tuple[Run, ...]
    kind: Weights

    @property
    def address(self) -> dict[str, str]:
        """What an address must say to choose the same again."""
        beside = self.runs[1].key if len(self.runs) > 1 else _ALONE
        return {"run": self.runs[0].key, "beside": beside, "weights": self.kind}

    @property
    def names(self) -> list[str]:
        """What the runs are called, as text: for figures and for what is read aloud."""
        return [side_by_side.run_name(run) for run in self.runs]

    @property
    def headings(self) -> list[str]:
        """What the runs are called, to stand in Markdown."""
        names = zip(self.runs, self.names, strict=True)
        return [plain(name) if run.notes.name else name for run, name in names]

    @property
    def colours(self) -> list[str]:
        """The colour of each run, two different ones for two."""
        return colours_of(self.runs)


def run_choice() -> Chosen:
    """Draw the choice and return it. Where no run has a network yet, say so and end the page."""
    runs = _runs_with_a_network()
    by_key = {run.key: run for run in runs}
    run, beside, kind = _wanted(by_key)
    # Fields forget what they showed when another page is opened, so each is told anew.
    st.session_state.update({"look.run": run.key, "look.beside": beside, "look.kind": kind})
    chosen = (run,) if beside == _ALONE else (run, by_key[beside])
    if shows("run"):
        _fields(by_key, chosen)
    st.caption(" · ".join(f"Run {one.number}: epoch {one.epoch_of(kind)}" for one in chosen))
    return Chosen(chosen, kind)


def _fields(by_key: dict[str, Run], chosen: tuple[Run, ...]) -> None:
    first, second, weights = st.columns([5, 5, 3])

    titles = dict(zip(by_key, run_titles(list(by_key.values())), strict=True))
    titles[_ALONE] = "No second run"

    first.selectbox(
        "Run",
        list(by_key),
        format_func=titles.__getitem__,
        key="look.run",
        on_change=_choose,
        args=(by_key, True),
        help="The stored run whose network is asked.",
    )
    second.selectbox(
        "Beside it",
        [_ALONE, *(key for key in by_key if key != chosen[0].key)],
        format_func=titles.__getitem__,
        key="look.beside",
        on_change=_choose,
        args=(by_key,),
        help="A second run to look at beside the first: unless you choose another, the one that differs from it in "
        "dropout alone.",
    )
    weights.segmented_control(
        "Weights",
        _kinds(chosen),
        format_func=_KINDS.__getitem__,
        required=True,
        key="look.kind",
        on_change=_choose,
        args=(by_key,),
        help="The best epoch is the one with the lowest validation loss. Both networks are stored.",
    )


def _runs_with_a_network() -> list[Run]:
    dataset = handles.dataset()
    with explaining("Runs cannot be shown"):
        runs = [
            run for run in handles.shared_runs().runs() if run.best_epoch is not None and handles.has_matching_data(run)
        ]
        named = {name: run_in_address(name) for name in ("run", "beside") if link.value(name) != _ALONE}
    for run in named.values():
        if run is not None and run not in runs:
            st.info(
                f"Run {run.number} has no network to ask yet."
                if handles.has_matching_data(run)
                else f"Run {run.number} was trained on other data ({run.data_name}), which are not in use now.",
                icon=":material/info:",
            )
    if not runs:
        with st.container(border=True):
            st.subheader("No trained network yet", anchor=False)
            st.write(f"Train one on {dataset.name} first: the Quick preset takes a few seconds.")
            st.page_link(PAGES / "train.py", label="Go to Train", icon=":material/model_training:")
        st.stop()
    return runs


def _wanted(by_key: dict[str, Run]) -> tuple[Run, str, Weights]:
    """What the address names; where it names nothing, what was chosen before, or else the newest run's pair."""
    before = st.session_state.setdefault("look", {})
    key = link.value("run")
    if key not in by_key:
        key = before.get("run")
    if key not in by_key:
        key = next(iter(by_key))
    beside = link.value("beside")
    if beside not in {_ALONE, *by_key} and key == before.get("run"):
        beside = before.get("beside")
    if beside == key or beside not in {_ALONE, *by_key}:
        beside = _counterpart(key, by_key)
    kind: Weights = "last" if (link.value("weights") or before.get("weights")) == "last" else "best"
    if kind not in _kinds([by_key[one] for one in (key, beside) if one != _ALONE]):
        kind = "best"
    before.update(run=key, beside=beside, weights=kind)
    return by_key[key], beside, kind


def _kinds(runs: Sequence[Run]) -> list[Weights]:
    """Which networks all these runs have stored: the last epoch's only when they have ended, and not by failing."""
    with explaining("Runs cannot be shown"):
        ended = all(not run.is_active and handles.has_last_weights(run.key, run.ended_at) for run in runs)
    return ["best", "last"] if ended else ["best"]


def _counterpart(key: str, by_key: dict[str, Run]) -> str:
    other = side_by_side.counterpart(by_key[key], list(by_key.values()))
    return _ALONE if other is None else other.key


def _choose(by_key: dict[str, Run], is_new_run: bool = False) -> None:
    """Put what the fields show into the address, and a new run together with its counterpart; a callback."""
    state = st.session_state
    run = state["look.run"]
    beside = _counterpart(run, by_key) if is_new_run else state["look.beside"]
    said = {"run": run, "beside": beside, "weights": state["look.kind"] or "best"}
    link.replace(said.keys(), said)


def want_image(name: str) -> None:
    """Remember an image that was picked, for `go_to_wanted_image`; a callback. What is no image's name is ignored."""
    try:
        st.session_state["look.image"] = str(ImageName.parse(name))
    except ValueError:
        st.session_state.pop("look.image", None)  # names come from a browser


def go_to_wanted_image(chosen: Chosen) -> None:
    """Where an image was picked, go to Predict, to that image and the same runs.

    The browser also remembers this page with the new address, and goes there when it is asked to go back: what the
    address said before must stay in it.
    """
    if name := st.session_state.pop("look.image", None):
        here = st.query_params.to_dict()
        st.switch_page(PAGES / "predict.py", query_params={**here, **chosen.address, "image": name})
