"""The frame around every page: title, menu, the data in use."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import streamlit as st

from fmnist_core.lessons.controls import CONTROLS
from fmnist_core.store.database import StoreError
from ui import handles, link, sign_in
from ui.forms.lesson_form import lesson_form
from ui.guards import explaining
from ui.lesson_state import follow_lesson
from ui.page_files import PAGES
from ui.views.lesson_banner import lesson_banner
from ui.wording import plain

# In the page itself: a named icon the browser would fetch from elsewhere, a file from where only who is signed in may.
_ICON = f"data:image/png;base64,{b64encode(Path(__file__).with_name('icon.png').read_bytes()).decode()}"


def draw() -> None:
    """Set up the page, then run the one that the address names."""
    st.set_page_config(
        page_title="Dropout Lab",
        page_icon=_ICON,
        layout="wide",
        # With an entry of its own the menu is shown, and with it the choice between light and dark.
        menu_items={"About": "**Dropout Lab**: is it overfitting, and does dropout help?"},
    )
    try:
        asks_for_sign_in = sign_in.is_required()
    except ValueError as error:
        _stop_with(str(error))
    must_sign_in = asks_for_sign_in and not st.user.is_logged_in
    page = st.navigation(
        [
            st.Page(PAGES / "train.py", title="Train", icon=":material/model_training:", url_path="home", default=True),
            st.Page(PAGES / "lessons.py", title="Lessons", icon=":material/school:"),
            st.Page(PAGES / "compare.py", title="Compare", icon=":material/balance:"),
            st.Page(PAGES / "predict.py", title="Predict", icon=":material/image_search:"),
            st.Page(PAGES / "inspect.py", title="Inspect", icon=":material/troubleshoot:"),
            st.Page(PAGES / "runs.py", title="Runs", icon=":material/list_alt:"),
            st.Page(PAGES / "data.py", title="Data", icon=":material/grid_view:"),
            # The default page lives at "/" alone; this one answers those who type "/train".
            st.Page(PAGES / "train.py", title="Train", url_path="train", visibility="hidden"),
        ],
        position="hidden" if must_sign_in or link.is_embedded() else "top",
    )
    if must_sign_in:
        sign_in.ask()
        st.stop()
    try:
        handles.settings()
        handles.store()
        handles.dispatcher()
    except (ValueError, StoreError) as error:
        _stop_with(str(error))
    if asks_for_sign_in:
        sign_in.account()
    _wait_for_data()
    name = page.url_path or "train"
    with explaining("The lesson cannot be shown"):
        opened = follow_lesson(name)
    if opened is not None:
        lesson_banner(opened)
    body, foot = st.container(), st.container()
    if opened is None and name in CONTROLS and not link.is_embedded():
        with foot:  # drawn first: a page may end early
            lesson_form(name)
    with body:
        page.run()


def _stop_with(sentence: str, retry: Callable[[], None] | None = None) -> NoReturn:
    st.error(f"Dropout Lab cannot start: {plain(sentence.rstrip('.'))}.", icon=":material/error:")
    # Pressing the button runs the script again, which is enough where nothing that failed is kept.
    st.button("Try again", key="frame.retry_start", on_click=retry)
    st.stop()


def _wait_for_data() -> None:
    """Show how the loading goes until there are data; then, where they are the drawn ones, say so."""
    background = handles.data()
    # From the cache it takes a fraction of a second: no need to flash a progress bar.
    if background.dataset is None and not background.wait(1.5):
        st.subheader("Getting Fashion-MNIST")
        st.write("70,000 small pictures of garments, 30 MB, fetched once and checked. This page goes on by itself.")
        _loading_progress()
        st.stop()
    dataset = background.dataset
    if dataset is None:
        _stop_with("the data could not be prepared; the server's log says why", background.retry)
    elif not dataset.is_real:
        with st.container(border=True, key="frame.data_notice"):
            st.markdown(
                ":material/draw: **Drawn garments in use.** The real Fashion-MNIST could not be had, so everything "
                "here runs on garments that this program draws. Its figures say nothing about Fashion-MNIST."
            )
            with st.expander("What was tried"):
                for note in dataset.notes:
                    st.markdown(f"- {plain(note)}")
            if background.is_loading:
                _loading_progress()
            else:
                st.button("Try again", key="frame.retry_data", on_click=background.retry)
    elif dataset.notes:
        with st.expander(f"Notes about the data ({len(dataset.notes)})"):
            for note in dataset.notes:
                st.markdown(f"- {plain(note)}")


@st.fragment(run_every=0.5)
def _loading_progress() -> None:
    background = handles.data()
    if not background.is_loading:
        st.rerun()
    progress = background.progress
    if progress is None:
        st.progress(0.0, text="Looking for the data …")
    else:
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        st.progress(share, text=f"{progress.file} · {progress.done / 1e6:.1f} MB · {plain(progress.source)}")
