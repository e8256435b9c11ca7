"""Four more looks at the chosen runs: their confidence, doubtful labels, the first layer, and a map of the images."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import streamlit as st

from fmnist_core.charts.class_map import class_map
from fmnist_core.charts.reliability_chart import reliability_diagram
from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.image_name import ImageName
from fmnist_core.jobs.maps import MapRequest
from fmnist_core.network.stored_network import strongest_first
from fmnist_core.pictures.png import diverging_sheet
from fmnist_core.results.calibration import better_calibrated, calibration_table, reliability
from fmnist_core.results.side_by_side import is_fair
from fmnist_core.store.run import Run
from ui import handles
from ui.common_answers import CommonAnswers
from ui.components.image_grid import Tile, image_grid
from ui.components.image_route import image_folder
from ui.components.live_chart import live_chart
from ui.forms.run_choice import Chosen, want_image
from ui.page_state import choice
from ui.wording import plain

_DOUBTFUL = 48
_UNITS = 100
_UNIT_COLUMNS = 10
_WAYS = {"plane": "Main directions (PCA)", "neighbours": "Neighbours (t-SNE)"}
MAP_STATE = choice("map", "inspect.way", list(_WAYS), "plane")


def show_confidence(chosen: Chosen, part: Part, common: CommonAnswers) -> None:
    """How far the runs' confidence can be trusted."""
    curves = {
        name: reliability(probabilities, common.labels)
        for name, probabilities in zip(chosen.headings, common.probabilities, strict=True)
    }
    if len(curves) == 2:
        if is_fair(*chosen.runs):
            st.subheader("Does dropout make it less over-confident?", anchor=False)
        st.write(f"{better_calibrated(curves)} Other seeds may differ.")
    st.table(calibration_table(curves).set_index("Run"))
    live_chart(
        reliability_diagram(list(zip(chosen.names, chosen.colours, curves.values(), strict=True))),
        key="inspect.reliability",
        height=560,
        alt="How often the runs are right at each confidence, and how often they are that sure",
    )
    st.caption(
        "Confidence is the probability of the likeliest class. On the dashed line a network that says 80% is right in "
        "80% of cases; below it the network is over-confident. The calibration error is the mean distance from the "
        "line over 15 bins, weighted by their images (Guo et al., 2017)."
    )


def show_doubtful_labels(chosen: Chosen, part: Part, common: CommonAnswers) -> None:
    """Labels that all stored runs doubt."""
    st.write(
        "Some labels of the data set are wrong. These are the images for which **all stored runs** that never trained "
        "on them are surest of another class, on average."
    )
    source, fingerprint = common.images.source, chosen.runs[0].data_fingerprint
    runs = [
        run for run in handles.shared_runs().runs() if run.best_epoch is not None and handles.has_matching_data(run)
    ]
    table = handles.doubtful_labels_of(
        tuple((run.key, run.epoch_of("best")) for run in runs), source, fingerprint, _DOUBTFUL
    )
    if table.empty:
        st.info("No label is doubted: the runs agree with all of them.", icon=":material/check_circle:")
        return
    image_grid(
        [
            Tile(
                name=str(ImageName(source, row.position)),
                caption=f"{CLASSES[row.label]} → {CLASSES[row.consensus]}, {row.agreeing} of {row.runs}",
                alt=f"{ImageName(source, row.position).title}, labelled {CLASSES[row.label]}; {row.agreeing} of "
                f"{row.runs} runs say {CLASSES[row.consensus]}, with {row.consensus_probability:.0%}",
            )
            for row in cast(Iterable[Any], table.itertuples())  # pandas knows no types of its columns
        ],
        key="inspect.doubtful",
        folder=image_folder(fingerprint),
        on_pick=want_image,
    )
    st.caption(
        "Label → what the runs say, and how many of those that may answer say so. Networks make mistakes, too: whether "
        "the label is wrong is for you to decide. "
        "The more seeds are stored, the more training images have been held out by some run."
    )


def show_first_layer(chosen: Chosen, part: Part, common: CommonAnswers) -> None:
    """The weights between pixels and the first hidden layer."""
    st.write(
        "Each square is one unit of the first hidden layer: bright orange where a bright pixel excites it, blue where "
        "it inhibits it. Units with the largest weights come first, at most a hundred."
    )
    weights = [
        handles.network(run.key, chosen.kind, run.epoch_of(chosen.kind)).first_layer_weights() for run in chosen.runs
    ]
    order = strongest_first(weights[0])[:_UNITS]
    same_start = len(weights) == 2 and weights[0].shape == weights[1].shape and _share_a_start(*chosen.runs)
    for place, heading, run_name, units in zip(
        st.columns(len(weights)), chosen.headings, chosen.names, weights, strict=True
    ):
        shown = order if same_start else strongest_first(units)[:_UNITS]
        with place:
            st.markdown(f"**{heading}** · {len(shown)} of {len(units)} units")
            st.image(
                diverging_sheet(units[shown], columns=_UNIT_COLUMNS, scale=2),
                width="stretch",
                alt=f"First-layer weights of {run_name}",
            )
    if same_start:
        st.caption(
            "Both runs started from the same weights, so the same place shows the same unit: what differs is what "
            "training made of it."
        )


def _share_a_start(first: Run, second: Run) -> bool:
    return first.config.seed == second.config.seed and first.config.hidden == second.config.hidden


def show_map(chosen: Chosen, part: Part, common: CommonAnswers) -> None:
    """The images as the last hidden layer arranges them."""
    st.write(
        "Each point is an image, placed by what the last hidden layer makes of it: images that lie close together look "
        "alike to the network. Point at one to see it, click to ask the runs about it."
    )
    names = dict(zip((run.key for run in chosen.runs), chosen.headings, strict=True))
    choices = st.container(horizontal=True, vertical_alignment="bottom")
    with choices:
        key = (
            st.segmented_control(
                "Run",
                list(names),
                format_func=names.__getitem__,
                default=next(iter(names)),
                required=True,
                key=f"inspect.map_run {' '.join(names)}",
            )
            if len(names) > 1
            else next(iter(names))
        )
        st.session_state.setdefault("inspect.way", "plane")
        way = st.segmented_control(
            "Arranged by",
            list(_WAYS),
            format_func=_WAYS.__getitem__,
            required=True,
            key="inspect.way",
            persist_state="session",
            help="PCA draws the plane on which the images differ most, at once. t-SNE keeps neighbours together and "
            "takes a while; distances between its groups mean nothing.",
        )
    run = next(run for run in chosen.runs if run.key == key)
    if way == "plane":
        points = handles.plane_of(run.key, chosen.kind, run.epoch_of(chosen.kind), part)
        _map(run, part, points)
    else:
        _neighbours(run, chosen, part)


def _map(run: Run, part: Part, points: np.ndarray) -> None:
    dataset = handles.dataset()
    images = handles.evaluation_images_of(run, part)
    figure = class_map(points, images.labels(dataset), CLASSES, [str(images.name(row)) for row in range(len(images))])
    live_chart(
        figure,
        key="inspect.map",
        height=620,
        alt="Map of the images, coloured by class",
        on_click=want_image,
        image_folder=image_folder(run.data_fingerprint),
    )


def _neighbours(run: Run, chosen: Chosen, part: Part) -> None:
    epoch, dispatcher = run.epoch_of(chosen.kind), handles.dispatcher()
    points = handles.store().projection(run.key, epoch, part)
    if points is not None:
        _map(run, part, points)
        return
    request = MapRequest(run.key, chosen.kind, part)
    if run.is_active:
        st.info("This run still trains. Its map can be drawn when it has ended.", icon=":material/hourglass_empty:")
    elif dispatcher.is_drawing(request):
        _wait_for_map(request)
    else:
        if problem := dispatcher.map_problem(request):
            st.error(f"The map was not drawn: {plain(problem.rstrip('.'))}.", icon=":material/error:")
        with st.container(border=True):
            st.subheader("Not drawn yet", anchor=False)
            st.write(
                "It takes about a minute of one processor core, longer while runs train: they go first. "
                "Then it is stored with the run."
            )
            st.button(
                "Draw the map",
                type="primary",
                icon=":material/scatter_plot:",
                key="inspect.draw",
                on_click=dispatcher.draw_map,
                args=(request,),
            )


@st.fragment(run_every=1.0)
def _wait_for_map(request: MapRequest) -> None:
    if not handles.dispatcher().is_drawing(request):
        st.rerun()
    st.info(
        "The map is being drawn in the background; this page shows it when it is done.",
        icon=":material/hourglass_empty:",
    )
