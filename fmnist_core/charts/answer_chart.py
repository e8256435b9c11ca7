"""One image's probabilities: as bars, with what dropout makes of them, and through the epochs of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL
from fmnist_core.charts.style import LEGEND_ABOVE, as_label, style, style_epoch_axis
from fmnist_core.wording import percentage

Floats = npt.NDArray[np.floating]
Row = Sequence[float] | Floats

CURVE_HEIGHT = 240  # pixels, for replay_curve
_SYMBOLS = ("circle", "square")
_THICKNESS = 0.7  # of a row, for all its bars together


@dataclass(frozen=True, eq=False)
class Answer:
    """What one run says of an image, and how it is drawn."""

    name: str  # "Run 3 · dropout 0.2"
    colour: str
    probabilities: Row  # (10,), with dropout off
    spread: Floats | None = None  # (passes, 10): single answers with dropout on


def chart_height(answers: int) -> int:
    """How high, in pixels, `answer_chart` should be drawn: two answers need rows for two lines of numbers."""
    return 400 if answers == 1 else 524


def answer_chart(
    answers: Sequence[Answer],
    class_names: Sequence[str],
    *,
    true_class: int | None,
    replay: Mapping[int, Sequence[Row | None]] | None = None,
) -> go.Figure:
    """Draw one or two runs' probabilities for one image: a row a class in the classes' own order, a bar a run.

    The likeliest class is drawn in full colour. The true class, where it is known, has a bold name that says
    so and an outline over the whole axis, which a short bar cannot hide. An answer's `spread` is drawn as dots over
    its bars. `replay` gives, for each epoch, a row of probabilities for each answer, or None where that run has none;
    the figure then has a frame for each epoch, "Epoch 7", with what differs in the bars; Plotly.animate needs
    `redraw` to bring their opacity up to date. Raises ValueError for a `spread` together with a `replay`, because
    the single answers belong to one epoch.
    """
    _check(answers, class_names, replay or {})
    if replay and any(answer.spread is not None for answer in answers):
        raise ValueError("single answers with dropout on belong to one epoch; draw them without a replay")
    places = np.arange(len(class_names))
    crowded = len(answers) > 1
    thickness = _THICKNESS / len(answers)
    figure = go.Figure()
    for number, answer in enumerate(answers):
        offset = number * thickness - _THICKNESS / 2
        figure.add_bar(
            **_bars(answer.probabilities, answer.spread, len(class_names), crowded),
            y=places.tolist(),
            orientation="h",
            offset=offset,
            width=0.92 * thickness if crowded else thickness,
            name=as_label(answer.name),
            legendgroup=answer.name,
            marker_color=answer.colour,
            textposition="none" if answer.spread is not None else "outside",
            cliponaxis=False,
            hovertemplate=(f"{as_label(answer.name)}: " if crowded else "") + "%{customdata}<extra></extra>",
        )
    for number, answer in enumerate(answers):
        if answer.spread is not None:
            middle = (number + 0.5) * thickness - _THICKNESS / 2
            _add_spread(figure, answer, figure.data[number].text, middle, thickness)
    if replay:
        figure.frames = [
            go.Frame(
                name=f"Epoch {epoch}",
                traces=list(range(len(answers))),
                data=[go.Bar(**_bars(row, None, len(class_names), crowded)) for row in replay[epoch]],
            )
            for epoch in sorted(replay)
        ]
    style(figure, margin={"l": 8, "r": 52, "t": 8, "b": 32})
    figure.update_layout(
        showlegend=crowded,
        legend={**LEGEND_ABOVE, "traceorder": "normal", "itemclick": False, "itemdoubleclick": False},
        hovermode="y unified",
        uirevision="probabilities",
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%", dtick=0.25, zeroline=False, showgrid=True, fixedrange=True)
    figure.update_yaxes(
        range=[len(places) - 0.5, -0.5],  # the first class on top
        tickvals=places.tolist(),
        ticktext=[
            f"<b>{name}<br>(true)</b>" if place == true_class else name for place, name in enumerate(class_names)
        ],
        automargin=True,
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        spikecolor=NEUTRAL,
        spikethickness=1,
    )
    if true_class is not None:
        outline = {"color": NEUTRAL, "width": 1.5}
        figure.add_shape(type="rect", x0=0, x1=1, y0=true_class - 0.45, y1=true_class + 0.45, line=outline)
    return figure


def replay_curve(
    replay: Mapping[int, Sequence[Row | None]], answers: Sequence[Answer], class_names: Sequence[str], label: int
) -> go.Figure:
    """Draw the probability of class `label` over the epochs of `replay`, a line for each answer."""
    _check(answers, class_names, replay)
    if not replay:
        raise ValueError("there must be at least one epoch to draw, got none")
    figure = go.Figure()
    for number, answer in enumerate(answers):
        points = [(epoch, row[label]) for epoch in sorted(replay) if (row := replay[epoch][number]) is not None]
        figure.add_scatter(
            x=[epoch for epoch, _ in points],
            y=[float(share) for _, share in points],
            name=as_label(answer.name),
            mode="lines+markers",
            line={"color": answer.colour, "width": 2},
            marker={
                "color": answer.colour,
                "opacity": 1,
                "line": {"width": 0},
                "size": 6 if max(replay) <= 40 else 3,
                "symbol": _SYMBOLS[number],
            },
            customdata=[percentage(float(share)) for _, share in points],
            hovertemplate="%{customdata}",
        )
    style(figure, margin={"l": 72, "r": 12, "t": 8, "b": 44})
    figure.update_layout(
        showlegend=len(answers) > 1,
        legend={**LEGEND_ABOVE, "traceorder": "normal"},
        hovermode="x unified",
        hoverlabel_namelength=-1,
        uirevision="replay",
    )
    style_epoch_axis(figure, max(replay))
    figure.update_yaxes(
        title={"text": f"Probability of<br>{class_names[label]}", "standoff": 8},
        range=[-0.03, 1.03],
        dtick=0.25,
        tickformat=".0%",
        zeroline=False,
        fixedrange=True,
    )
    return figure


def _check(answers: Sequence[Answer], class_names: Sequence[str], replay: Mapping[int, Sequence[Row | None]]) -> None:
    if len(answers) not in (1, 2):
        raise ValueError(f"there must be one or two answers, got {len(answers)}")
    count = len(class_names)
    for answer in answers:
        if len(answer.probabilities) != count:
            raise ValueError(f"got {len(answer.probabilities)} probabilities for {count} classes")
        if answer.spread is not None and (answer.spread.ndim != 2 or answer.spread.shape[1] != count):
            raise ValueError(f"a spread must have shape (passes, {count}), got {answer.spread.shape}")
    for epoch, rows in replay.items():
        if len(rows) != len(answers):
            raise ValueError(f"epoch {epoch} of the replay has {len(rows)} answers; the chart has {len(answers)}")
        for row in rows:
            if row is not None and len(row) != count:
                raise ValueError(f"epoch {epoch} of the replay has {len(row)} probabilities for {count} classes")


def _bars(row: Row | None, spread: Floats | None, classes: int, crowded: bool) -> dict[str, Any]:
    """What one answer's bars show, and what differs from epoch to epoch."""
    if row is None:
        nothing = [None] * classes  # not an empty list, with which the run would leave the legend
        return {"x": nothing, "text": nothing, "customdata": nothing}
    values = [float(value) for value in row]
    likeliest = values.index(max(values))
    words = [percentage(value) for value in values]
    hover, strong, faint = words, 1.0, 0.5
    if spread is not None:
        strong, faint = 0.6, 0.35  # dots in the run's colour lie over the bars
        joint = "<br>" if crowded else "; "
        ends = zip(words, spread.min(axis=0), spread.max(axis=0), strict=True)
        hover = [f"{word}{joint}with dropout on {percentage(low)} to {percentage(high)}" for word, low, high in ends]
    return {
        "x": values,
        # Where two runs share a row, a number for each trace would crowd out those that matter.
        "text": ["" if crowded and value < 0.001 else word for value, word in zip(values, words, strict=True)],
        "customdata": hover,
        "marker": {"opacity": [strong if place == likeliest else faint for place in range(len(values))]},
    }


def _add_spread(figure: go.Figure, answer: Answer, texts: Sequence[str], middle: float, thickness: float) -> None:
    """Draw each single answer as a dot over its bar, and the bar's number at the right edge, where no dot lies.

    A class to which no answer gives one per cent gets no dots: fifty on top of each other would look like much.
    """
    assert answer.spread is not None
    passes, classes = answer.spread.shape
    seen = np.flatnonzero(answer.spread.max(axis=0) >= 0.01)
    # Steps of the golden ratio fill the bar's thickness evenly and are the same at every drawing.
    jitter = (np.arange(passes) * 0.618034) % 1 - 0.5
    figure.add_scatter(
        x=answer.spread[:, seen].T.ravel().tolist(),
        y=(seen[:, np.newaxis] + middle + 0.8 * thickness * jitter).ravel().tolist(),
        mode="markers",
        marker={"color": answer.colour, "opacity": 0.8, "size": 4, "line": {"width": 0}},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        legendgroup=answer.name,
    )
    figure.add_scatter(
        x=[1] * classes,
        y=(np.arange(classes) + middle).tolist(),
        mode="text",
        text=[f"\N{NO-BREAK SPACE}{text}" for text in texts],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        legendgroup=answer.name,
    )
