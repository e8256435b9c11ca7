"""Images as points on a plane, coloured by class."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fmnist_core.charts.colours import RUN_COLOURS
from fmnist_core.charts.confusion_charts import Matrix
from fmnist_core.charts.style import LEGEND_ABOVE, style


def class_map(
    points: npt.NDArray[np.floating], labels: Matrix, class_names: Sequence[str], names: Sequence[str]
) -> go.Figure:
    """Draw a projection of images onto a plane, (n, 2), coloured by their classes (n,).

    `names` are the images' own, such as "test-17", and come back as `customdata` of a click. A click on a class in the
    legend hides it. Coordinates are rounded to a 10,000th of the map's width or finer, which bears
    zooming.
    """
    if not len(points) == len(labels) == len(names):
        raise ValueError(
            f"a map needs a label and a name for each point, got {len(points)}, {len(labels)} and {len(names)}"
        )
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    digits = 4 - math.floor(math.log10(extent)) if extent > 0 else 0
    rounded = np.round(points.astype(np.float64), digits)
    figure = go.Figure()
    for place, name in enumerate(class_names):
        members = np.flatnonzero(labels == place)
        figure.add_scatter(
            x=rounded[members, 0].tolist(),
            y=rounded[members, 1].tolist(),
            mode="markers",
            marker={"color": RUN_COLOURS[place % len(RUN_COLOURS)], "size": 4, "opacity": 0.85, "line": {"width": 0}},
            name=name,
            customdata=[names[member] for member in members.tolist()],
            hovertemplate=f"{name}, %{{customdata}}<extra></extra>",
        )
    style(figure, margin={"l": 4, "r": 4, "t": 8, "b": 4})
    figure.update_layout(
        uirevision="map", hovermode="closest", legend={**LEGEND_ABOVE, "traceorder": "normal", "itemsizing": "constant"}
    )
    # Fixed, so that the map stands still while classes come and go.
    low, high = (rounded.min(axis=0), rounded.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    air = 0.02 * (extent or 1.0)
    figure.update_xaxes(visible=False, range=[float(low[0] - air), float(high[0] + air)])
    figure.update_yaxes(visible=False, range=[float(low[1] - air), float(high[1] + air)], scaleanchor="x")
    return figure
