"""Which classes are taken for which: matrices whose cells open their images, and the figures class by class."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from fmnist_core.charts import percentage
from fmnist_core.data import CLASSES
from fmnist_core.inspection import (
    cell_images,
    class_table,
    class_table_words,
    confused_pairs,
    confusion,
    parse_cell,
)
from fmnist_core.inspection_charts import confusion_difference, confusion_heatmap
from fmnist_core.pairs import less_dropout_first
from fmnist_core.schema import Part
from ui.image_grid import Tile, image_grid
from ui.image_route import image_folder
from ui.live_chart import live_chart
from ui.run_choice import Chosen, open_image
from ui.together import Together

_MATRIX_HEIGHT = 520  # pixels
_SHOWN_IMAGES = 20
_LOOKS = {"counts": "Counts", "shares": "Row shares", "difference": "Difference"}


def show_mistakes(chosen: Chosen, part: Part, together: Together) -> None:
    """Draw the matrices, the images of the chosen cell, and two tables."""
    if name := st.session_state.pop("inspect.open", None):
        open_image(name, chosen)
    looks = ["counts", "shares", *(["difference"] if len(chosen.runs) == 2 else [])]
    if st.session_state.get("inspect.look") not in looks:
        st.session_state["inspect.look"] = "counts"
    look = st.segmented_control(
        "Show",
        looks,
        format_func=_LOOKS.__getitem__,
        required=True,
        key="inspect.look",
        persist_state="session",
        help="Row shares are percent of a class's images. The difference is the run with more dropout minus the other.",
    )
    matrices = [confusion(together.labels, predicted) for predicted in together.predicted]
    if look == "difference":
        _difference(chosen, matrices)
    else:
        for place, matrix, name, colour in zip(
            st.columns(len(matrices)), matrices, chosen.names, chosen.colours, strict=True
        ):
            with place:
                _matrix(matrix, name, colour, shares=look == "shares")
    _cell(chosen, together, by_change=look == "difference")
    _tables(chosen, together)


def _choose_cell(cell: str) -> None:
    st.query_params["cell"] = cell


def _matrix(matrix: npt.NDArray[np.int64], name: str, colour: str, *, shares: bool) -> None:
    st.markdown(f"**{name}** · {percentage(matrix.trace() / matrix.sum())} right")
    live_chart(
        confusion_heatmap(matrix, CLASSES, shares=shares, colour=colour),
        key=f"inspect.matrix {name}",
        height=_MATRIX_HEIGHT,
        alt=f"Confusion matrix of {name}: true classes in rows, answers in columns",
        on_click=_choose_cell,
    )


def _difference(chosen: Chosen, matrices: Sequence[npt.NDArray[np.int64]]) -> None:
    order = [chosen.runs.index(run) for run in less_dropout_first(*chosen.runs)]
    before, after = (matrices[place] for place in order)
    names = (chosen.names[order[0]], chosen.names[order[1]])
    st.markdown(f"**{names[1]}** minus **{names[0]}**")
    live_chart(
        confusion_difference(before, after, CLASSES, shares=False, names=names),
        key="inspect.difference",
        height=_MATRIX_HEIGHT,
        alt=f"Confusion matrix of {names[1]} minus that of {names[0]}",
        on_click=_choose_cell,
    )


def _cell(chosen: Chosen, together: Together, *, by_change: bool) -> None:
    """The images of the cell that the address names."""
    cell = st.query_params.get("cell")
    if cell is None:
        st.caption(":material/touch_app: Click a cell to see its images, and an image to ask both runs about it.")
        return
    try:
        true_class, said = parse_cell(cell)
    except ValueError:
        st.warning(
            "The cell in this page's address is none of this matrix. Click one above.", icon=":material/link_off:"
        )
        return
    words = (
        f"{CLASSES[true_class]}, recognised"
        if true_class == said
        else f"{CLASSES[true_class]} taken for {CLASSES[said]}"
    )
    st.subheader(words, anchor=False)
    rows = [
        cell_images(together.labels, predicted, true_class, said, scores)
        for predicted, scores in zip(together.predicted, together.scores, strict=True)
    ]
    limit = _SHOWN_IMAGES
    if any(len(one) > _SHOWN_IMAGES for one in rows) and st.toggle("Show all images", key="inspect.all"):
        limit = len(together.labels)
    for number, (run, name) in enumerate(zip(chosen.runs, chosen.names, strict=True)):
        shown, others = (
            rows[number],
            np.concatenate([other for place, other in enumerate(rows) if place != number] or [[]]),
        )
        if by_change:
            shown = shown[~np.isin(shown, others)]
        alone = " alone" if by_change else ""
        more = f", the surest {limit} of them" if len(shown) > limit else ""
        st.markdown(f"**{name}**{alone} · {len(shown):,} image{'' if len(shown) == 1 else 's'}{more}")
        if not len(shown):
            continue
        image_grid(
            [
                Tile(
                    name=str(together.images.name(row)),
                    caption=percentage(float(together.scores[number][row, said])),
                    alt=f"{together.images.name(row)}, {words}, with {together.scores[number][row, said]:.0%}",
                )
                for row in map(int, shown[:limit])
            ],
            key=f"inspect.cell {run.key}",
            folder=image_folder(run.data_fingerprint),
            on_pick=_open,
        )


def _open(name: str) -> None:
    st.session_state["inspect.open"] = name


def _tables(chosen: Chosen, together: Together) -> None:
    predictions = {f"Run {run.number}": said for run, said in zip(chosen.runs, together.predicted, strict=True)}
    st.subheader("Class by class", anchor=False)
    st.table(class_table_words(class_table(together.labels, predictions)).set_index("Class"))
    st.caption(
        "Worst first. Precision: of the images that the run calls so, how many are. Recall: of the class's images, how "
        "many the run finds. F1 is their harmonic mean, high only where both are."
    )
    st.subheader("Most confused pairs", anchor=False)
    pairs = confused_pairs(together.labels, predictions)
    if pairs.empty:
        st.caption("Nothing is confused on these images.")
        return
    st.table(pairs.drop(columns="cell").rename(columns={"true": "Class", "taken_for": "Taken for"}).set_index("Class"))
