"""A chart that grows in place; `st.plotly_chart` starts anew at each change and loses zoom and hover."""

import re
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from ui.plotly_js import plotly_path

_HTML = '<div class="live-chart" role="img"></div><p class="live-chart-message" role="status" hidden></p>'

# Not isolated, because Plotly puts its own style sheet into the page's head: hence the prefixed names.
_CSS = """
.live-chart { width: 100%; }
.live-chart .modebar-group { background: none !important; padding-left: 0 !important; }
.live-chart .modebar-btn { opacity: 0.6; }
.live-chart .modebar-btn:hover { opacity: 1; }
.live-chart-message { margin: 0; padding: 1rem 0; color: var(--st-gray-text-color); }
"""

_component = st.components.v2.component(
    "live_chart",
    html=_HTML,
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def live_chart(figure: go.Figure, *, key: str, height: int = 360, alt: str, group: str | None = None) -> None:
    """Draw a figure, or bring the one under `key` up to date while zoom, hover and legend choices stay.

    `height` is in pixels. `alt` is read to those who cannot see the chart. The figure needs a `uirevision`;
    colours and fonts that it leaves open follow the page's theme. Charts of one `group` share hover, by x value, and
    zoom.
    """
    content = figure.to_plotly_json()
    content["layout"].pop("template", None)  # the browser makes one from the page's theme
    _component(
        key=key,
        data={
            "figure": pio.to_json(content, validate=False),
            "height": height,
            "alt": alt,
            "group": group,
            "filename": "dropout-lab-" + re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-"),
            "library": plotly_path(),
        },
    )
