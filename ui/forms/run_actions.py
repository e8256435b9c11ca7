"""What to do with selected runs: stop, go on, train again with another seed, delete, look closer."""

import random
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.store.database import StoreError
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.run import Run
from fmnist_core.store.visitor import NotYoursError
from fmnist_core.wording import counted
from ui import handles, link
from ui.forms.deletion import delete_button
from ui.forms.runs_address import select
from ui.guards import store_sentence
from ui.page_files import PAGES
from ui.visitors import may_stop, visitor, why_not

_SEEDS = 10_000


def run_actions(runs: Sequence[Run]) -> None:
    """Draw what can be done with these runs, at least one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _links(runs)
        active = [run for run in runs if run.is_active and not run.cancel_requested]
        if active:
            own = [run.key for run in active if may_stop(run)]
            st.button(
                _on_all("Stop", own, runs),
                icon=":material/stop:",
                key="runs.stop",
                on_click=_stop,
                args=(own,),
                disabled=not own,
                help=None if own else why_not(active[0]),
            )
        if broken_off := [run for run in runs if run.status in {"stopped", "failed"} and _can_go_on(run)]:
            st.button(
                _on_all("Go on", broken_off, runs),
                icon=":material/play_arrow:",
                key="runs.go_on",
                on_click=_train,
                args=(broken_off,),
                help="Trains on from the last stored epoch.",
            )
        st.button(
            "Train again, new seed",
            icon=":material/casino:",
            key="runs.new_seed",
            on_click=_train_with_new_seed,
            args=(runs,),
            help="Trains the same settings with another seed, each run once. Does one seed tell?",
        )
        delete_button("runs", runs)


def _on_all(wish: str, some: Sequence[object], runs: Sequence[Run]) -> str:
    """A button's label, which says how many of the runs it is about, where it is not about all."""
    return wish if len(some) in {0, len(runs)} else f"{wish} ({len(some)} of {len(runs)})"


def _links(runs: Sequence[Run]) -> None:
    keys = [run.key for run in runs if run.best_epoch is not None]
    if len(runs) == 1:
        st.page_link(
            PAGES / "train.py", label="Open", icon=":material/model_training:", query_params={"run": runs[0].key}
        )
        st.link_button(
            "On a slide",
            link.to_slide("", {"run": runs[0].key}),
            icon=":material/slideshow:",
            type="tertiary",
            help="Opens its chart alone, in a tab of its own. It stays live.",
        )
    if len(runs) <= 2 and len(keys) == len(runs):
        pair = {"run": keys[0], **({"beside": keys[1]} if len(keys) == 2 else {})}
        st.page_link(PAGES / "predict.py", label="Predict", icon=":material/image_search:", query_params=pair)
        st.page_link(PAGES / "inspect.py", label="Inspect", icon=":material/troubleshoot:", query_params=pair)


def _can_go_on(run: Run) -> bool:
    """Whether what was stored can be trained on: by this version's training, and with the data in use."""
    return handles.has_matching_data(run) and run.config.key(run.data_fingerprint, TRAINING_VERSION) == run.key


def _stop(keys: Sequence[str]) -> None:
    try:
        handles.store().cancel(*keys, by=visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state["runs.problem"] = store_sentence("Nothing was stopped", error)
        return
    handles.shared_runs().wait_until_ended(keys)


def _train_with_new_seed(runs: Sequence[Run]) -> None:
    """Two runs that differ in more than their seed share the new one, so that they stay a pair."""
    seeds = dict.fromkeys(run.config.seed for run in runs)
    fresh = dict(zip(seeds, random.sample(range(_SEEDS), len(seeds)), strict=True))
    _train([replace(run, config=replace(run.config, seed=fresh[run.config.seed])) for run in runs])


def _train(runs: Sequence[Run]) -> None:
    dataset = handles.dataset()
    configs = list(dict.fromkeys(run.config for run in runs))
    try:
        keys = handles.store().request_all(configs, dataset.name, dataset.fingerprint, visitor())
    except (ValueError, LimitReachedError, StoreError) as error:
        st.session_state["runs.problem"] = store_sentence("Nothing was started", error)
        return
    handles.shared_runs().expect_news()
    handles.dispatcher().wake()
    chosen = st.session_state.setdefault("runs.chosen", [])
    select([*chosen, *(key for key in keys if key not in chosen)])
    st.session_state["runs.said"] = f"{counted(len(keys), 'run')} asked for; selected here as well."
