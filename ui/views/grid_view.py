"""When does it help? A comparison across a second setting: a guess, the answer, charts, the table."""

from functools import partial

import streamlit as st

from fmnist_core.comparison.experiment import EXPERIMENT_NAMES
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.grid_results import GridResults, grid_sentences, grid_words
from fmnist_core.comparison.measures import MEASURES, Metric, measure_name
from fmnist_core.comparison.progress import Collected, Progress, progress_of, stored_runs
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import state, version
from fmnist_core.wording import capitalised
from ui import drawn_once, handles, link
from ui.components.live_chart import live_chart
from ui.components.news import News, news_bar
from ui.forms.study_form import open_comparison
from ui.guards import explaining
from ui.page_files import PAGES
from ui.page_state import choice, keep_in_address
from ui.shown_controls import is_lesson, shows
from ui.views.comparison_state import progress_words, say_state
from ui.views.study_answer import choose_second
from ui.views.take_away import take_away_grid
from ui.wording import plain

_NEWS_SECONDS = 1.0
_NO_IDEA = "no idea, show it"
GRID_STATE = choice("figure", "compare.grid_metric", list(MEASURES), "validation_accuracy")


def show_grid(grid: Grid) -> None:
    """Draw a comparison across a second setting, and keep it up to date until all of its runs have finished."""
    with explaining("The comparison cannot be shown"):
        is_active = any(run is not None and run.is_active for run in _stored(grid))
    st.fragment(_grid)(grid, is_active)


def _stored(grid: Grid) -> list[Run | None]:
    return stored_runs(grid, handles.shared_runs(), handles.dataset().fingerprint)


def _collected(grid: Grid) -> tuple[Collected, ...]:
    """The runs of the comparison at each value."""
    shared, fingerprint = handles.shared_runs(), handles.dataset().fingerprint
    collected = []
    for study in grid.studies:
        stored = stored_runs(study, shared, fingerprint)
        collected.append(drawn_once.collected(study, stored, fingerprint, version(stored)))
    return tuple(collected)


def _grid(grid: Grid, was_active: bool) -> None:
    if link.values(EXPERIMENT_NAMES) != st.session_state["compare.shown"]:
        st.rerun()  # a click on a cell has put its comparison into the address
    with explaining("The comparison cannot be shown"):
        stored = _stored(grid)
        collected = _collected(grid)
    runs = [arm for one in collected for arm in one.runs]
    if was_active != any(arm.run is not None and arm.run.is_active for arm in runs):
        st.rerun()  # what stands outside of this fragment is another for a comparison that has ended, or goes on
    progress = progress_of(runs, handles.outlook())
    say_state(runs, progress)
    if progress.finished < progress.total:
        _watch(grid, progress, state(stored))
    if not progress.asked_for:
        return
    st.caption(plain(grid.describe()))
    guess = _guess(grid)
    if guess is None:
        return
    now = state(stored)
    results = drawn_once.grid_results_of(grid, collected, now)
    with st.container(border=True):
        st.subheader(f"Across {grid.second.name.lower()}", anchor=False)
        for sentence in grid_sentences(results):
            st.write(plain(sentence))
        if guess != _NO_IDEA:
            st.caption(f"Your guess: it {plain(guess)}.")
        if shows("take_away"):
            take_away_grid(grid, collected, now, "" if guess == _NO_IDEA else f"It {guess}.")
    _charts(grid, results, now)
    _cells(grid)
    if shows("table"):
        _table(grid, results)


def _watch(grid: Grid, progress: Progress, drawn: str) -> None:
    """Keep the grid up to date; one that does not train may go on in another tab."""
    news_bar(
        f"grid {sorted(grid.to_address().items())} {handles.dataset().fingerprint}",
        partial(_news, grid),
        key="compare.watch",
        seconds=_NEWS_SECONDS,
        is_quiet=not progress.active,
        version=drawn,
    )


def _news(grid: Grid) -> News:
    """How far it is, for all who watch it. Its answer rests on finished runs alone, so epochs change nothing else."""
    stored = _stored(grid)
    runs = [arm for one in _collected(grid) for arm in one.runs]
    progress = progress_of(runs, handles.outlook())
    return News(state(stored), progress.share, progress_words(progress), "", dict)


def _guess(grid: Grid) -> str | None:
    """What the visitor expects, asked for once before anything is shown; None until there is an answer.

    A lesson has asked already, in words of its own.
    """
    if is_lesson():
        return _NO_IDEA
    guesses: dict[str, str] = st.session_state.setdefault("compare.guesses", {})
    address = str(sorted(grid.to_address().items()))
    if address in guesses:
        return guesses[address]
    key = f"compare.guess {address}"

    def keep() -> None:
        guesses[address] = st.session_state[key]

    least, most = grid.second.arm_name(grid.values[0]), grid.second.arm_name(grid.values[-1])
    several = len(grid.study.levels) > 2
    subject = grid.study.factor.name if several else capitalised(grid.study.factor.subject(grid.study.levels[1]))
    with st.container(border=True):
        st.subheader("What do you expect?", anchor=False)
        st.write("A guess makes the result worth more. It is kept for you alone, until you close the page.")
        answers = [
            f"helps most with {least}",
            f"helps most with {most}",
            "helps alike everywhere",
            "helps nowhere",
            _NO_IDEA,
        ]
        st.radio(f"{plain(subject)} …", answers, index=None, key=key, on_change=keep)
    return None


def _charts(grid: Grid, results: GridResults, now: str) -> None:
    names = {metric: capitalised(measure_name(metric, grid.study.base.protocol)) for metric in MEASURES}
    st.session_state.setdefault("compare.grid_metric", "validation_accuracy")
    keep_in_address("compare", GRID_STATE, key="compare.grid_address")
    metric: Metric | None = st.segmented_control(
        "Figure",
        list(MEASURES),
        format_func=names.__getitem__,
        required=True,
        key="compare.grid_metric",
        persist_state="session",
        help="The gap is validation loss minus training loss, both with dropout off.",
    )
    assert metric is not None, "one is always chosen"
    difference, means = drawn_once.grid_figures_of(grid, results, now, metric)
    several = len(grid.study.levels) > 2
    open_cell = partial(_open_cell, results)
    left, right = st.columns(2)
    with left:
        live_chart(
            difference,
            key="compare.grid_differences",
            height=380,
            alt=f"{names[metric]}: difference at each value of {grid.second.name.lower()}, also in the table below",
            on_click=open_cell,
        )
    with right:
        live_chart(
            means,
            key="compare.grid_means",
            height=380,
            alt=f"{names[metric]} of each arm at each value of {grid.second.name.lower()}, also in the table below",
        )
    explained = (
        "A star says that the sign is settled; of pale cells it is open."
        if several
        else "The sign of filled points is settled, that of hollow ones open. Bars are 95% intervals that hold however "
        "often you look."
    )
    together = "both" if len(results.cells) == 2 else f"all {len(results.cells)}"
    st.caption(
        f"Paired differences, and means ± standard deviation, at the last epoch. {explained} What is settled is "
        f"held to 5% over {together} {'cells' if several else 'values'} together. "
        "Click a point or a cell to open its comparison."
    )


def _open_cell(results: GridResults, name: str) -> None:
    """Lead to the comparison of a cell that was clicked; a callback."""
    cell = results.cell(name)
    if cell is None:
        return
    study = results.grid.studies[cell.value_place]
    open_comparison(study)
    choose_second(study, cell.level)


def _cells(grid: Grid) -> None:
    """The same ways without a click on a chart."""
    with st.container(horizontal=True):
        for study, value in zip(grid.studies, grid.values, strict=True):
            st.page_link(
                PAGES / "compare.py",
                label=f"Compare with {grid.second.arm_name(value)}",
                icon=":material/balance:",
                query_params=study.to_address(),
            )


def _table(grid: Grid, results: GridResults) -> None:
    words = grid_words(results)
    with st.expander("The figures"):
        st.table(words.set_index(grid.second.name))
