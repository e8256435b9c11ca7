"""The menu of all that can be taken along: one choice, one button, and the file when it is made."""

from dataclasses import replace
from functools import partial

import streamlit as st

from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.progress import Collected
from fmnist_core.comparison.reading import STANDARD_READING, Reading
from fmnist_core.comparison.study import Study
from fmnist_core.export.kinds import KINDS, Kind
from fmnist_core.export.request import ExportRequest
from fmnist_core.export.workshop import Made, Making, Problem, WorkshopFullError
from fmnist_core.store.notes import TEXT_LIMIT, Notes
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import run_version
from fmnist_core.wording import counted, file_size
from ui import handles, link
from ui.components.news import News, news_bar
from ui.reveal import are_revealed
from ui.wording import plain

_NEWS_SECONDS = 0.4
_WITH_NOTES = ("report", "script", "notebook")  # these tell what was expected and concluded
# pixels for the button, then the bar, then the file; a menu that grows or shrinks would jump to another side of its own
# button, and be cut off there
_WORKBENCH_HEIGHT = 48
_TYPICAL_SECONDS = 3.0  # how long the bar takes to be nearly full; nobody can know more


def take_away_run(run: Run, *, page: str) -> None:
    """Offer what can be taken along of a run; `page` tells the menus of several pages apart."""
    if run.best_epoch is None:
        st.popover(
            "Take away", icon=":material/download:", disabled=True, help="As soon as the run has its first epoch."
        )
        return
    st.fragment(_run_menu)(run.key, page)


def _run_menu(key: str, page: str) -> None:
    run = handles.shared_runs().run(key)
    if run is None:
        st.rerun()  # deleted meanwhile, as the page around this says
    wish = ExportRequest(
        kind="report",
        subject="run",
        keys=(key,),
        version=run_version(run),
        data_fingerprint=run.data_fingerprint,
        reveal_tests=not run.is_active and are_revealed([key]),
        link=link.address("", run=key),
        notes=run.notes,
    )
    _menu(wish, page)


def take_away_study(study: Study, now: Collected, second: Level, reveal: bool, reading: Reading) -> None:
    """Offer what can be taken along of a comparison, as it is read now."""
    wish = ExportRequest(
        kind="report",
        subject="study",
        keys=_keys(now),
        version=now.version,
        data_fingerprint=handles.dataset().fingerprint,
        experiment=study.to_address(),
        reading=reading.to_address(),
        second=study.levels.index(second),
        reveal_tests=reveal,
        link=link.address("compare", **study.to_address(), **reading.to_address()),
    )
    st.fragment(_menu)(wish, "compare", asks_for_notes=True)


def take_away_grid(grid: Grid, collected: tuple[Collected, ...], version: str, guess: str) -> None:
    """Offer what can be taken along of a comparison across a second setting; `guess` is what its visitor expected."""
    wish = ExportRequest(
        kind="report",
        subject="grid",
        keys=tuple(key for now in collected for key in _keys(now)),
        version=version,
        data_fingerprint=handles.dataset().fingerprint,
        experiment=grid.to_address(),
        reading=STANDARD_READING.to_address(),
        link=link.address("compare", **grid.to_address()),
        notes=Notes(hypothesis=guess),
    )
    st.fragment(_menu)(wish, "compare", asks_for_notes=True)


def _keys(now: Collected) -> tuple[str, ...]:
    return tuple(arm.run.key for arm in now.runs if arm.run is not None)


def _menu(wish: ExportRequest, page: str, asks_for_notes: bool = False) -> None:
    kinds = {kind.name: kind for kind in KINDS[wish.subject]}
    with st.popover("Take away", icon=":material/download:", key=f"{page}.take_away"):
        name = st.selectbox(
            "What to take along",
            list(kinds),
            format_func=lambda name: kinds[name].label,
            key=f"{page}.take_away.kind",
        )
        st.caption(kinds[name].about)
        if asks_for_notes and name in _WITH_NOTES:
            wish = replace(wish, notes=_own_notes(wish.notes, page))
        _workbench(replace(wish, kind=name), kinds[name], page)


def _own_notes(known: Notes, page: str) -> Notes:
    """What a comparison's visitor writes into the file; kept for them alone."""
    hypothesis, conclusion = (
        st.text_area(
            label,
            key=f"{page}.take_away.{label.lower()}",
            max_chars=TEXT_LIMIT,
            height=80,
            placeholder=placeholder,
            persist_state="session",
        )
        for label, placeholder in (
            ("Hypothesis", known.hypothesis or "What did you expect, and why?"),
            ("Conclusion", "What do you conclude?"),
        )
    )
    return Notes.typed(known.name, hypothesis or known.hypothesis, conclusion)


def _workbench(wish: ExportRequest, kind: Kind, page: str) -> None:
    """The button, or how far it is, or the file."""
    workshop = handles.workshop()
    state = workshop.state(wish)
    if isinstance(state, Problem):
        st.error(f"Not made: {plain(state.sentence)}.", icon=":material/error:")
    if problem := st.session_state.pop("take_away.problem", None):
        st.error(f"Not made: {plain(problem)}.", icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center", height=_WORKBENCH_HEIGHT, border=False):
        if isinstance(state, Making):
            news_bar(
                f"export {wish.digest}",
                partial(_news, wish, kind),
                key=f"{page}.take_away.watch",
                seconds=_NEWS_SECONDS,
            )
        elif isinstance(state, Made):
            st.download_button(
                "Download",
                partial(workshop.content, wish),
                file_name=wish.file_name(),
                mime=kind.media_type,
                type="primary",
                icon=":material/download:",
                on_click="ignore",
                key=f"{page}.take_away.download",
            )
            st.caption(f"{file_size(state.size)}, made in {state.seconds:.1f} s", width="content")
        else:
            st.button(
                "Make it",
                type="primary",
                icon=":material/build:",
                key=f"{page}.take_away.make",
                on_click=_ask,
                args=(wish,),
            )


def _ask(wish: ExportRequest) -> None:
    try:
        handles.workshop().ask(wish)
    except WorkshopFullError as error:
        st.session_state["take_away.problem"] = str(error)


def _news(wish: ExportRequest, kind: Kind) -> News:
    """How far an export is, for who waits for it."""
    state = handles.workshop().state(wish)
    if not isinstance(state, Making):
        return News("done", 1.0, f"{kind.label}: made", "", dict)
    if state.before:
        return News("making", 0.0, f"{kind.label}: waits for {counted(state.before, 'other')}", "", dict)
    share = state.seconds / (state.seconds + _TYPICAL_SECONDS / 2)
    return News("making", share, f"{kind.label}: being made, {state.seconds:.0f} s", "", dict)
