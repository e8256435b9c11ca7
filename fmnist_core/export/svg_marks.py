"""What traces become in a static chart: lines, bands, symbols, bars of error, texts, cells."""

import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from fmnist_core.export.svg_scale import Scale

INK = "#31333f"
_DASHES = {
    "dot": (1, 1.2),
    "dash": (3, 1.8),
    "longdash": (6, 2.5),
    "longdashdot": (6, 2, 1, 2),
    "dashdot": (3, 2, 1, 2),
}
_RGBA = re.compile(r"rgba\(([0-9., ]+)\)")
Part = Mapping[str, Any]


def number(value: float) -> str:
    """A place in the file: a tenth of a pixel is enough."""
    return f"{value:.1f}".removesuffix(".0")


def paint(name: str, colour: str | None) -> str:
    """The attributes for a colour; one that is seen through gets its opacity beside it, as old readers want it."""
    if colour is None:
        return f' {name}="none"'
    if match := _RGBA.fullmatch(colour):
        *channels, opacity = match[1].replace(" ", "").split(",")
        return f' {name}="rgb({",".join(channels)})" {name}-opacity="{opacity}"'
    return f' {name}="{escape(colour)}"'


def stroke(line: Part, colour: str | None = None) -> str:
    """The attributes for a line as Plotly describes it."""
    width = float(line.get("width", 2))
    dashes = _DASHES.get(str(line.get("dash")))
    dashed = f' stroke-dasharray="{" ".join(number(width * part) for part in dashes)}"' if dashes else ""
    return f'{paint("stroke", str(line.get("color") or colour or INK))} stroke-width="{number(width)}"{dashed}'


def drawn(trace: Part, across: Scale, up: Scale) -> str:
    """One trace of a figure, a scatter or a heatmap."""
    if trace["type"] == "heatmap":
        return _cells(trace, across, up)
    points = [
        (across(float(x)), up(float(y))) if _is_number(x) and _is_number(y) else None
        for x, y in zip(trace.get("x") or (), trace.get("y") or (), strict=True)
    ]
    mode = trace.get("mode", "lines")
    parts = [_filled(trace, points)] if trace.get("fill") else []
    if "lines" in mode and trace.get("line", {}).get("width", 2):
        parts.append(_line(trace, points))
    if trace.get("error_y"):
        parts += _errors(trace, across, up)
    if "markers" in mode:
        parts += [
            symbol(_one(trace["marker"], place), *point)
            for place, point in enumerate(points)
            if point is not None and "marker" in trace
        ]
    if "text" in mode:
        parts += [
            f'<text x="{number(point[0])}" y="{number(point[1] + 4)}" text-anchor="middle">{escape(str(text))}</text>'
            for point, text in zip(points, trace["text"], strict=True)
            if point is not None and text
        ]
    return "".join(parts)


def symbol(marker: Part, x: float, y: float) -> str:
    """One marker; shapes that Plotly knows and this does not become circles."""
    size, name = float(marker.get("size", 6)) / 2, str(marker.get("symbol", "circle"))
    line = marker.get("line") or {}
    if name == "line-ns":
        end = f'<line x1="{number(x)}" x2="{number(x)}" y1="{number(y - size)}" y2="{number(y + size)}"'
        return f"{end}{stroke({'width': line.get('width', 1), 'color': line.get('color')})}/>"
    is_open = name.endswith("-open")
    fill = paint("fill", None if is_open else str(marker.get("color", INK)))
    edge = stroke(line) if line.get("width") else ""
    name = name.removesuffix("-open")
    if name in _CORNERS:
        corners = " ".join(f"{number(x + size * right)},{number(y + size * down)}" for right, down in _CORNERS[name])
        return f'<polygon points="{corners}"{fill}{edge}/>'
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(size)}"{fill}{edge}/>'


def _star() -> list[tuple[float, float]]:
    turns = [(place, 1.1 if place % 2 == 0 else 0.45) for place in range(10)]
    return [(reach * math.sin(math.pi * turn / 5), -reach * math.cos(math.pi * turn / 5)) for turn, reach in turns]


# Right and down from the middle, as shares of half the size.
_CORNERS: dict[str, Sequence[tuple[float, float]]] = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "triangle-up": ((0, -1.1), (1.1, 0.9), (-1.1, 0.9)),
    "triangle-down": ((0, 1.1), (1.1, -0.9), (-1.1, -0.9)),
    "hexagon": ((0, -1), (0.9, -0.5), (0.9, 0.5), (0, 1), (-0.9, 0.5), (-0.9, -0.5)),
    "cross": tuple(
        (right * sign, down * sign)
        for sign in (1, -1)
        for right, down in ((-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3))
    ),
    "x": ((0, -0.4), (0.6, -1), (1, -0.6), (0.4, 0), (1, 0.6), (0.6, 1), (0, 0.4), (-0.6, 1), (-1, 0.6), (-0.4, 0),
          (-1, -0.6), (-0.6, -1)),
    "star": _star(),
}  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _one(marker: Part, place: int) -> dict[str, Any]:
    """The marker of one point: what is a list holds each point's own."""
    own = {name: value[place] if isinstance(value, list | tuple) else value for name, value in marker.items()}
    if isinstance(own.get("line"), dict):
        own["line"] = _one(own["line"], place)
    return own


def _line(trace: Part, points: Sequence[tuple[float, float] | None]) -> str:
    path, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            path.append(f"{pen}{number(point[0])} {number(point[1])}")
            pen = "L"
    return f'<path d="{"".join(path)}" fill="none" stroke-linejoin="round"{stroke(trace.get("line", {}))}/>'


def _filled(trace: Part, points: Sequence[tuple[float, float] | None]) -> str:
    corners = " ".join(f"{number(point[0])},{number(point[1])}" for point in points if point is not None)
    return f'<polygon points="{corners}"{paint("fill", trace.get("fillcolor"))}/>'


def _errors(trace: Part, across: Scale, up: Scale) -> list[str]:
    error, bars = trace["error_y"], []
    line = {"width": error.get("thickness", 2), "color": error.get("color")}
    for x, y, reach in zip(trace["x"], trace["y"], error["array"], strict=True):
        if _is_number(y) and _is_number(reach) and reach > 0:
            place, top, foot, half = across(x), up(y + reach), up(y - reach), float(error.get("width", 4))
            for x1, x2, y1, y2 in (
                (place, place, foot, top),
                (place - half, place + half, top, top),
                (place - half, place + half, foot, foot),
            ):
                ends = f'x1="{number(x1)}" x2="{number(x2)}" y1="{number(y1)}" y2="{number(y2)}"'
                bars.append(f"<line {ends}{stroke(line)}/>")
    return bars


def _cells(trace: Part, across: Scale, up: Scale) -> str:
    cells, gap = [], float(trace.get("xgap", 0)) / 2
    for y, row in zip(trace["y"], trace["z"], strict=True):
        for x, value in zip(trace["x"], row, strict=True):
            left, right = sorted((across(x - 0.5), across(x + 0.5)))
            top, foot = sorted((up(y - 0.5), up(y + 0.5)))
            share = (value - trace["zmin"]) / (trace["zmax"] - trace["zmin"])
            place = f'x="{number(left + gap)}" y="{number(top + gap)}"'
            size = f'width="{number(right - left - 2 * gap)}" height="{number(foot - top - 2 * gap)}"'
            cells.append(f"<rect {place} {size}{_shade(trace['colorscale'], share)}/>")
    return "".join(cells)


def _shade(scale: Sequence[Sequence[Any]], share: float) -> str:
    """The fill at a share of a scale of colours, whose neighbours differ in opacity alone."""
    for (low, first), (high, second) in pairwise(scale):
        if low <= share <= high and high > low:
            start, end = (_RGBA.fullmatch(str(colour)) for colour in (first, second))
            assert start is not None, first
            assert end is not None, second
            (*channels, before), after = start[1].split(","), end[1].split(",")[-1]
            opacity = float(before) + (share - low) / (high - low) * (float(after) - float(before))
            return paint("fill", f"rgba({','.join(channels)},{opacity:.3g})")
    return paint("fill", None)
