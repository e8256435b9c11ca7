"""What a comparison found across a second setting: paired differences, the arms' means, or a map of both settings."""

import math

import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL, arm_colour, see_through
from fmnist_core.charts.confusion_charts import BETTER, WORSE
from fmnist_core.charts.style import LEGEND_ABOVE, note, style
from fmnist_core.comparison.differences import difference_text
from fmnist_core.comparison.grid_results import Cell, GridResults
from fmnist_core.comparison.measures import Metric, is_accuracy, measure_name, unit_of
from fmnist_core.wording import capitalised, signed_number

_STRONGEST = 0.65  # up to this opacity text in the page's colour can be read on both colours
_PALE = 0.3  # of its strength has a cell that is not settled
_ROOM = 0.35  # of a value's place, on either side of the outermost ones


def differences_across(results: GridResults, metric: Metric) -> go.Figure:
    """Draw each arm's paired difference to the first one with its interval, at each value of the second setting.

    Points are filled where the difference is settled and hollow where it is open. `customdata` names each cell.
    """
    figure, levels = go.Figure(), results.grid.study.levels
    reach = 0.0
    for number, level in enumerate(levels[1:], 1):
        cells = [cell for cell in results.cells_of(level) if metric in cell.evidence.differences]
        differences = [cell.evidence.differences[metric] for cell in cells]
        scale = unit_of(metric).scale
        means = [scale * one.mean for one in differences]
        reaches = [scale * (one.high - one.mean) if math.isfinite(one.high) else 0.0 for one in differences]
        reach = max([reach, *(abs(mean) + more for mean, more in zip(means, reaches, strict=True))])
        settled = [metric in cell.evidence.settled for cell in cells]
        colour = arm_colour(number)
        figure.add_scatter(
            x=[cell.value_place + _beside(number, len(levels) - 1) for cell in cells],
            y=means,
            error_y={"type": "data", "array": reaches, "color": colour, "thickness": 3, "width": 6},
            mode="markers",
            name=capitalised(results.grid.study.factor.arm_name(level)),
            marker={
                "color": [colour if is_filled else "rgba(0,0,0,0)" for is_filled in settled],
                "size": 13,
                "opacity": 1,
                "line": {"width": 3, "color": colour},
            },
            text=[_words(results, cell, metric) for cell in cells],
            customdata=[cell.name for cell in cells],
            hovertemplate="%{text}<extra></extra>",
            showlegend=len(levels) > 2,
        )
    _style(figure, results, uirevision=f"differences {metric}")
    reach = 1.3 * reach or 1.0
    better = [0, reach] if is_accuracy(metric) else [-reach, 0]
    figure.add_hrect(y0=better[0], y1=better[1], fillcolor=NEUTRAL, opacity=0.15, line_width=0, layer="below")
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1.5}, layer="below")
    note(figure, "better", x=1, y=1 if is_accuracy(metric) else 0, xref="paper", yref="paper", xanchor="right",
         yanchor="top" if is_accuracy(metric) else "bottom", xshift=-4)  # fmt: skip
    first = results.grid.study.factor.arm_name(levels[0])
    figure.update_yaxes(
        title={"text": f"Difference to {first} ({unit_of(metric).of_differences})", "standoff": 8},
        range=[-reach, reach],
    )
    if not any(trace.x for trace in figure.data):
        note(figure, "The first pair appears here", x=0.5, y=0.75, xref="paper", yref="paper")
    return figure


def means_across(results: GridResults, metric: Metric) -> go.Figure:
    """Draw each arm's mean with one standard deviation to either side, at each value of the second setting."""
    figure, scale = go.Figure(), unit_of(metric).scale
    for number, level in enumerate(results.grid.study.levels):
        found = [(place, row[number]) for place, row in enumerate(results.means[metric]) if row[number].runs]
        name, colour = capitalised(results.grid.study.factor.arm_name(level)), arm_colour(number)
        spreads = [scale * mean.spread if mean.runs > 1 else 0.0 for _, mean in found]
        figure.add_scatter(
            x=[place for place, _ in found],
            y=[scale * mean.mean for _, mean in found],
            error_y={"type": "data", "array": spreads, "color": colour, "thickness": 1.5, "width": 4},
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2.5},
            marker={"color": colour, "size": 8},
            text=[
                f"{name}: {scale * mean.mean:.{unit_of(metric).digits}f}"
                + (f" ± {spread:.{unit_of(metric).digits}f}" if mean.runs > 1 else "")
                + f" {unit_of(metric).name} ({mean.runs} of {results.grid.study.seeds} seeds)"
                for (_, mean), spread in zip(found, spreads, strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    _style(figure, results, uirevision=f"means {metric}")
    name = capitalised(measure_name(metric, results.grid.study.base.protocol))
    figure.update_yaxes(title={"text": f"{name} ({unit_of(metric).name})", "standoff": 8})
    if not any(trace.x for trace in figure.data):  # Plotly's own choice begins below zero
        figure.update_yaxes(range=[0, 100 if is_accuracy(metric) else 1])
    return figure


def difference_map(results: GridResults, metric: Metric) -> go.Figure:
    """Draw a cell for each arm but the first, in rows, and each value, in columns: the difference to the first arm.

    Blue is better and orange is worse, the stronger the larger the difference. Settled ones have a star; the signs of
    the others are open, and their colours pale. `customdata` names each cell.
    """
    grid, scale = results.grid, unit_of(metric).scale
    levels = grid.study.levels[1:]
    found = {
        (cell.level_place - 1, cell.value_place): scale * one.mean
        for cell in results.cells
        if (one := cell.evidence.differences.get(metric))
    }
    strongest = max(map(abs, found.values()), default=0.0) or 1.0
    sign = 1 if is_accuracy(metric) else -1
    rows, columns = range(len(levels)), range(len(grid.values))
    cells = {(cell.level_place - 1, cell.value_place): cell for cell in results.cells}

    def shade(row: int, column: int) -> float:
        """A cell's strength, with its sign; what is not settled is pale, however large it looks."""
        is_settled = metric in cells[row, column].evidence.settled
        return found.get((row, column), 0.0) / strongest * (1 if is_settled else _PALE)

    figure = go.Figure(
        go.Heatmap(
            x=list(columns),
            y=list(rows),
            z=[[sign * shade(row, column) for column in columns] for row in rows],
            zmin=-1,
            zmax=1,
            colorscale=[
                [0, see_through(WORSE, _STRONGEST)],
                [0.5, see_through(WORSE, 0)],
                [0.5, see_through(BETTER, 0)],
                [1, see_through(BETTER, _STRONGEST)],
            ],
            showscale=False,
            xgap=2,
            ygap=2,
            text=[[_words(results, cells[row, column], metric) for column in columns] for row in rows],
            customdata=[[cells[row, column].name for column in columns] for row in rows],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    # Plotly chooses the colour of a heatmap's own texts as though the background were white.
    figure.add_scatter(
        x=[column for _ in rows for column in columns],
        y=[row for row in rows for _ in columns],
        text=[_cell_text(cells[row, column], metric) for row in rows for column in columns],
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )
    for name, colour in (("better", BETTER), ("worse", WORSE)):
        marker = {"color": colour, "symbol": "square", "size": 12}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, showlegend=True)
    _style(figure, results, uirevision=f"map {metric}")
    figure.update_layout(legend={"itemclick": False, "itemdoubleclick": False})
    figure.update_xaxes(range=[-0.5, len(grid.values) - 0.5])
    figure.update_yaxes(
        title={"text": grid.study.factor.name, "standoff": 8},
        tickvals=list(rows),
        ticktext=[grid.study.factor.label(level) for level in levels],
        range=[-0.5, len(levels) - 0.5],
        showgrid=False,
        zeroline=False,
        automargin=True,
    )
    return figure


def _style(figure: go.Figure, results: GridResults, uirevision: str) -> None:
    values = results.grid.values
    style(figure, margin={"l": 64, "r": 8, "t": 32, "b": 48})
    figure.update_layout(uirevision=uirevision, hovermode="closest", hoverlabel_align="left")
    figure.update_layout(legend={**LEGEND_ABOVE, "traceorder": "normal"})
    figure.update_xaxes(
        title={"text": results.grid.second.name, "standoff": 8},
        tickvals=list(range(len(values))),
        ticktext=[results.grid.second.label(value) for value in values],
        range=[-0.5 + _ROOM / 2, len(values) - 0.5 - _ROOM / 2],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(tickformat="~g", fixedrange=True, zeroline=False)


def _beside(number: int, arms: int) -> float:
    """How far an arm's points are moved to stand beside those of the others."""
    return 0.0 if arms == 1 else 0.4 * ((number - 1) / (arms - 1) - 0.5)


def _words(results: GridResults, cell: Cell, metric: Metric) -> str:
    """One cell for those who point at it: what differs, by how much, and whether that is settled."""
    grid = results.grid
    title = f"{capitalised(grid.second.arm_name(cell.value))}, {grid.study.factor.arm_name(cell.level)}:"
    difference = cell.evidence.differences.get(metric)
    if difference is None:
        return f"{title}<br>no pair of runs has finished yet"
    state = "settled" if metric in cell.evidence.settled else "not settled"
    name = measure_name(metric, grid.study.base.protocol)
    pairs = f"{len(cell.evidence.seeds)} of {cell.asked} pairs"
    return f"{title}<br>{name} {difference_text(difference)}<br>{state}, {pairs}"


def _cell_text(cell: Cell, metric: Metric) -> str:
    difference = cell.evidence.differences.get(metric)
    if difference is None:
        return ""
    star = " ★" if metric in cell.evidence.settled else ""
    return f"{signed_number(unit_of(metric).scale * difference.mean, unit_of(metric).digits)}{star}"
