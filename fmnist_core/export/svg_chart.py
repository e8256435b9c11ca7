"""A figure as a static picture: SVG with words for who cannot see it, without a script and without plotly.js.

Plotly's own file would be 4.8 MB of script before the first curve, more than a whole report may weigh, and empty where
scripts do not run: in a mail, in many learning platforms, in print. This draws what our figures use of Plotly
and nothing else: scatters, heatmaps, lines and boxes, notes, a legend; on one or several pairs of axes.
"""

import math
import re
import zlib
from collections.abc import Mapping
from html import escape
from typing import Any

import plotly.graph_objects as go

from fmnist_core.export.svg_marks import INK, Part, drawn, number, paint, stroke, symbol
from fmnist_core.export.svg_scale import Scale, axis_ends, ticks

_GRID = "#e3e6ea"
_LETTER = 6.6  # pixels: a letter's mean width at the size of all texts
_LEGEND_LINE = 18


def svg_chart(figure: go.Figure, *, alt: str, width: int = 520, height: int = 340) -> str:
    """Draw a figure as an `<svg>` element; `alt` is read to those who cannot see it.

    The figure's own height is taken where it has one.
    """
    content = figure.to_plotly_json()
    layout: dict[str, Any] = content["layout"]
    traces: list[dict[str, Any]] = [{**trace, "type": trace.get("type", "scatter")} for trace in content["data"]]
    height = int(layout.get("height") or height)
    legend, legend_height = _legend(traces, layout, width)
    margin = {"l": 56, "r": 12, "t": 8, "b": 44, **(layout.get("margin") or {})}
    margin["t"] = max(margin["t"], 8) + legend_height
    frame = (margin["l"], width - margin["r"], margin["t"], height - margin["b"])
    axes = _axes(layout, traces, frame)
    clip = f"clip-{zlib.crc32(repr((alt, frame)).encode()):08x}"  # ids are the whole file's
    left, right, top, foot = frame
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" class="chart">',
        f"<title>{escape(alt)}</title>",
        f'<clipPath id="{clip}"><rect x="{left - 8}" y="{top - 8}" width="{right - left + 16}" '
        f'height="{foot - top + 16}"/></clipPath>',
        *(_box(pair, layout, name) for name, pair in axes.items()),
        f'<g clip-path="url(#{clip})">',
        *(_shape(shape, axes) for shape in layout.get("shapes") or ()),
        *(drawn(trace, *axes[_pair_of(trace)]) for trace in traces if trace.get("visible", True) is True),
        "</g>",
        *(_note(note, axes, frame) for note in layout.get("annotations") or ()),
        legend,
        "</svg>",
    ]
    return "".join(parts)


def _pair_of(part: Part) -> str:
    """The number of a pair of axes, as it ends their names; "" for the first."""
    return str(part.get("xaxis") or "x")[1:]


def _axes(layout: Part, traces: list[dict[str, Any]], frame: tuple[float, ...]) -> dict[str, tuple[Scale, Scale]]:
    left, right, top, foot = frame
    found: dict[str, tuple[Scale, Scale]] = {}
    for name in {_pair_of(trace): None for trace in traces} or {"": None}:
        scales = []
        for axis, start, end in (("x", left, right), ("y", foot, top)):
            described = layout.get(f"{axis}axis{name}") or {}
            low, high = described.get("domain") or (0, 1)
            values = [
                float(value)
                for trace in traces
                if _pair_of(trace) == name
                for value in trace.get(axis) or ()
                if isinstance(value, int | float)
            ]
            ends = axis_ends(described, values)
            scales.append(Scale(*ends, start + low * (end - start), start + high * (end - start)))
        found[name] = (scales[0], scales[1])
    return found


def _box(pair: tuple[Scale, Scale], layout: Part, name: str) -> str:
    """One pair of axes: grid, ticks, titles."""
    across, up = pair
    below, beside = layout.get(f"xaxis{name}") or {}, layout.get(f"yaxis{name}") or {}
    middle, parts = (across.start + across.end) / 2, []
    if beside.get("visible", True):
        for value, text in ticks(beside, up, min(6, int(beside.get("nticks", 6)))):
            y = number(up(value))
            if beside.get("showgrid", True):
                parts.append(f'<line x1="{across.start}" x2="{across.end}" y1="{y}" y2="{y}"{paint("stroke", _GRID)}/>')
            parts.append(_text(text, across.start - 6, up(value) + 4, "end"))
        if title := beside.get("title", {}).get("text"):
            x, y = 12, number((up.start + up.end) / 2)
            parts.append(
                f'<text transform="translate({x} {y}) rotate(-90)" text-anchor="middle">{escape(title)}</text>'
            )
    if below.get("visible", True):
        parts.append(
            f'<line x1="{across.start}" x2="{across.end}" y1="{up.start}" y2="{up.start}"{paint("stroke", "#9aa1ab")}/>'
        )
        is_turned = bool(below.get("tickangle"))
        for value, text in ticks(below, across, min(10, int(below.get("nticks", 7)))):
            if is_turned:
                place = f"translate({number(across(value) + 4)} {number(up.start + 12)}) rotate(-45)"
                parts.append(f'<text transform="{place}" text-anchor="end">{escape(text)}</text>')
            else:
                parts.append(_text(text, across(value), up.start + 16, "middle"))
        if title := below.get("title", {}).get("text"):
            parts.append(_text(title, middle, up.start + 36, "middle"))
    return "".join(parts)


def _shape(shape: Part, axes: Mapping[str, tuple[Scale, Scale]]) -> str:
    xs = [_place(shape.get("xref", "x"), float(shape[name]), axes) for name in ("x0", "x1")]
    ys = [_place(shape.get("yref", "y"), float(shape[name]), axes) for name in ("y0", "y1")]
    if shape["type"] == "line":
        ends = f'x1="{number(xs[0])}" x2="{number(xs[1])}" y1="{number(ys[0])}" y2="{number(ys[1])}"'
        return f"<line {ends}{stroke(shape.get('line') or {})}/>"
    place = f'x="{number(min(xs))}" y="{number(min(ys))}"'
    size = f'width="{number(abs(xs[1] - xs[0]))}" height="{number(abs(ys[1] - ys[0]))}"'
    return f'<rect {place} {size}{paint("fill", shape.get("fillcolor"))} opacity="{shape.get("opacity", 1)}"/>'


def _place(reference: str, value: float, axes: Mapping[str, tuple[Scale, Scale]]) -> float:
    """A place in pixels: on an axis ("x2"), or as a share of what an axis spans ("x2 domain")."""
    axis, _, domain = reference.partition(" ")
    scale = axes[axis[1:]][axis[0] == "y"]
    return scale.start + value * (scale.end - scale.start) if domain else scale(value)


def _note(note: Part, axes: Mapping[str, tuple[Scale, Scale]], frame: tuple[float, ...]) -> str:
    left, right, top, foot = frame
    x, y = float(note["x"]), float(note["y"])
    across = left + x * (right - left) if note.get("xref") == "paper" else _place(note.get("xref", "x"), x, axes)
    down = foot + y * (top - foot) if note.get("yref") == "paper" else _place(note.get("yref", "y"), y, axes)
    across, down = across + float(note.get("xshift", 0)), down - float(note.get("yshift", 0))
    lines = re.split("<br>", str(note["text"]))
    above = {"top": 12.0, "middle": 4.0 - 8 * (len(lines) - 1), "bottom": -4.0 - 16 * (len(lines) - 1)}
    down += above[str(note.get("yanchor", "middle"))]
    anchor = {"left": "start", "right": "end"}.get(str(note.get("xanchor")), "middle")
    return "".join(
        _text(re.sub("</?b>", "", line), across, down + 16 * place, anchor, bold="<b>" in line)
        for place, line in enumerate(lines)
    )


def _text(text: str, x: float, y: float, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _legend(traces: list[dict[str, Any]], layout: Part, width: int) -> tuple[str, float]:
    """The names of traces beside samples of their lines, in rows from the top, and the height that these take."""
    named = [trace for trace in traces if trace.get("name") and trace.get("showlegend", True) is not False]
    if layout.get("showlegend") is False or len(named) < 2:
        return "", 0
    if "reversed" in str((layout.get("legend") or {}).get("traceorder", "")):
        named.reverse()
    parts, x, y = [], 8.0, 14.0
    for trace in named:
        needed = 44 + _LETTER * len(trace["name"])
        if x > 8 and x + needed > width:
            x, y = 8.0, y + _LEGEND_LINE
        if "lines" in trace.get("mode", "lines"):
            ends = f'x1="{number(x)}" x2="{number(x + 26)}" y1="{number(y - 4)}" y2="{number(y - 4)}"'
            parts.append(f"<line {ends}{stroke(trace.get('line') or {})}/>")
        if "markers" in trace.get("mode", "") and isinstance((trace.get("marker") or {}).get("symbol", ""), str):
            parts.append(symbol({"color": INK, **trace["marker"], "size": 9}, x + 13, y - 4))
        parts.append(_text(trace["name"], x + 32, y, "start"))
        x += needed
    return "".join(parts), math.ceil(y + 6)
