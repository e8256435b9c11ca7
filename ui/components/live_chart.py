"""A chart that grows in place; `st.plotly_chart` starts anew at each change and loses zoom and hover."""

import re
from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from ui.components.plotly_js import plotly_address

_LONGEST_NAME = 40  # characters of a clicked point's name

_HTML = """
<div class="live-chart-stage"><div class="live-chart" role="img"></div></div>
<p class="live-chart-message" role="status" hidden></p>
"""


def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "live_chart",
    html=_HTML,
    css=_source("live_chart.css"),
    js="\n".join(_source(f"live_chart{part}.js") for part in ("", "_points", "_replay", "_left_out", "_library")),
    isolate_styles=False,
)
_library = st.components.v2.component(
    "chart_library",
    js="export default ({ data }) => void loadPlotly(data.library).catch(() => {});\n"
    + _source("live_chart_library.js"),
)


def figure_text(figure: go.Figure) -> str:
    """A figure as `live_chart` sends it: JSON, without the template, which the browser makes from the page's theme.

    For figures that many visitors look at: written out once, not once for each.
    """
    content = figure.to_plotly_json()
    content["layout"].pop("template", None)
    return str(pio.to_json(content, validate=False))


def expect_chart(*, key: str) -> None:
    """Have the browser fetch what draws charts, on a page that may soon have one: it takes a second."""
    _library(key=key, data={"library": plotly_address()}, height=1)


def live_chart(
    figure: go.Figure | str,
    *,
    key: str,
    height: int = 360,
    alt: str,
    group: str | None = None,
    on_click: Callable[[str], None] | None = None,
    image_folder: str | None = None,
    edition: str | None = None,
) -> None:
    """Draw a figure, or bring the one under `key` up to date while zoom, hover and legend choices stay.

    `figure` may also be the text that `figure_text` made of one; news may bring a newer one under `key`, and then
    `edition` says as in `news_bar` of which state of the store this one is. `height` is in pixels. `alt` is read to
    those who cannot see the chart. The figure needs a `uirevision`; colours and fonts that it leaves open follow the
    page's theme. Charts of one `group` share hover, by x value, and zoom.

    Points may bear a name each, in `customdata`: for a scatter a list of str, for a heatmap a list for each row.
    `on_click` is called, before the page runs again, with the name of a point that was clicked. It comes from a
    browser: at most 40 characters, but anything else is for the caller to check. `image_folder` is an address; while
    the pointer is on a point, the picture `<image_folder><name>.png` is shown beside it.

    If the figure has frames, controls below it (not counted in `height`) replay them in the browser; traces that a
    frame does not name are hidden while it is shown. Numbers in lists move smoothly from frame to frame. The figure
    is first shown as given: `layout.meta` may say in `start_label` what that is, and in `start_frame` where the slider
    then stands, else at the end.

    A double click leads back from a zoom. `layout.meta` may ask by `doubleClick` for another of Plotly's ways. Where
    it says `left_out`, the axes' ranges leave values out, and a button below the chart (not counted in `height`) shows
    all of them, and leaves them out again.
    """

    def clicked() -> None:
        name = st.session_state[key].get("click")
        if on_click is not None and isinstance(name, str) and len(name) <= _LONGEST_NAME:
            on_click(name)

    _component(
        key=key,
        data={
            "key": key,
            "figure": figure if isinstance(figure, str) else figure_text(figure),
            "edition": edition,
            "height": height,
            "alt": alt,
            "group": group,
            "clickable": on_click is not None,
            "image_folder": image_folder,
            "filename": "dropout-lab-" + re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-"),
            "library": plotly_address(),
        },
        on_click_change=clicked if on_click is not None else None,
    )
