"""Which classes are taken for which: matrices whose cells open their images, and the figures class by class."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from fmnist_core.charts.confusion_charts import confusion_difference, confusion_heatmap
from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.evaluation_images import Part, Positions
from fmnist_core.results.confusion import (
    cell_images,
    cell_name,
    class_table,
    class_table_words,
    confused_pairs,
    confusion,
    parse_cell,
)
from fmnist_core.results.selection import Probabilities
from fmnist_core.results.side_by_side import less_dropout_first
from fmnist_core.store.run import Run
from fmnist_core.wording import percentage
from ui import link
from ui.common_answers import CommonAnswers
from ui.components.image_grid import Tile, image_grid
from ui.components.image_route import image_folder
from ui.components.live_chart import live_chart
from ui.forms.run_choice import Chosen, want_image
from ui.page_state import choice, switch

_MATRIX_HEIGHT = 520  # pixels
_SHOWN_IMAGES = 20
_LOOKS = {"counts": "Counts", "shares": "Row shares", "difference": "Difference"}
MISTAKES_STATE = (choice("matrix", "inspect.look", list(_LOOKS), "counts"), switch("all", "inspect.all"))


def show_mistakes(chosen: Chosen, part: Part, common: CommonAnswers) -> None:
    """Draw the matrices, the images of the chosen cell, and two tables."""
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
    matrices = [confusion(common.labels, predicted) for predicted in common.predicted]
    if look == "difference":
        _difference(chosen, matrices)
    else:
        for place, matrix, heading, name, colour in zip(
            st.columns(len(matrices)), matrices, chosen.headings, chosen.names, chosen.colours, strict=True
        ):
            with place:
                st.markdown(f"**{heading}** · {percentage(matrix.trace() / matrix.sum())} right")
                _matrix(matrix, name, colour, shares=look == "shares")
    _cell(chosen, common, by_change=look == "difference")
    _tables(chosen, common)


def _choose_cell(cell: str) -> None:
    link.replace({"cell"}, {"cell": cell})


def _matrix(matrix: npt.NDArray[np.int64], name: str, colour: str, *, shares: bool) -> None:
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
    st.markdown(f"**{chosen.headings[order[1]]}** minus **{chosen.headings[order[0]]}**")
    live_chart(
        confusion_difference(before, after, CLASSES, shares=False, names=names),
        key="inspect.difference",
        height=_MATRIX_HEIGHT,
        alt=f"Confusion matrix of {names[1]} minus that of {names[0]}",
        on_click=_choose_cell,
    )


def _cell(chosen: Chosen, common: CommonAnswers, *, by_change: bool) -> None:
    """The images of one cell, for each run; with `by_change` those that the other run does not put there."""
    cell = _cell_choice()
    if cell is None:
        return
    rows = [
        cell_images(common.labels, predicted, *cell, probabilities)
        for predicted, probabilities in zip(common.predicted, common.probabilities, strict=True)
    ]
    if by_change:
        first, second = rows
        rows = [first[~np.isin(first, second)], second[~np.isin(second, first)]]
    is_long = any(len(shown) > _SHOWN_IMAGES for shown in rows)
    limit = None if is_long and st.toggle("Show all images", key="inspect.all") else _SHOWN_IMAGES
    for run, name, shown, probabilities in zip(chosen.runs, chosen.headings, rows, common.probabilities, strict=True):
        alone = " alone" if by_change else ""
        more = f", the surest {limit} of them" if limit is not None and len(shown) > limit else ""
        st.markdown(f"**{name}**{alone} · {len(shown):,} image{'' if len(shown) == 1 else 's'}{more}")
        if len(shown):
            _images(common, shown[:limit], probabilities, cell, run)


def _cell_choice() -> tuple[int, int] | None:
    """The cell that the address names, and two fields to name one without a click."""
    cell = None
    if (named := link.value("cell")) is not None:
        try:
            cell = parse_cell(named)
        except ValueError:
            st.warning(
                "The cell in this page's address is none of this matrix. Choose another one.",
                icon=":material/link_off:",
            )
    st.subheader(_cell_words(*cell) if cell else "Look at the images", anchor=False)
    st.caption("Click a cell, or choose it here. A click on an image leads to its probabilities.")
    st.session_state["inspect.true"], st.session_state["inspect.said"] = cell or (None, None)
    left, right = st.columns(2)
    for place, label, key in ((left, "True class", "inspect.true"), (right, "Taken for", "inspect.said")):
        place.selectbox(
            label,
            range(len(CLASSES)),
            format_func=CLASSES.__getitem__,
            index=None,
            placeholder="Choose a class",
            key=key,
            on_change=_choose_fields,
        )
    return cell


def _choose_fields() -> None:
    """Put the cell that the fields name into the address: of the first class chosen, the one of its right answers."""
    chosen = [
        place for place in (st.session_state["inspect.true"], st.session_state["inspect.said"]) if place is not None
    ]
    if len(chosen) == 2 or (chosen and "cell" not in st.query_params):
        _choose_cell(cell_name(chosen[0], chosen[-1]))
    else:  # one was emptied
        link.replace({"cell"}, {})


def _cell_words(true_class: int, said: int) -> str:
    if true_class == said:
        return f"{CLASSES[true_class]}, recognised"
    return f"{CLASSES[true_class]} taken for {CLASSES[said]}"


def _images(
    common: CommonAnswers, rows: Positions, probabilities: Probabilities, cell: tuple[int, int], run: Run
) -> None:
    image_grid(
        [
            Tile(
                name=str(common.images.name(row)),
                caption=(share := percentage(float(probabilities[row, cell[1]]))),
                alt=f"{common.images.name(row).title}, {_cell_words(*cell)}, with {share}",
            )
            for row in map(int, rows)
        ],
        key=f"inspect.cell {run.key}",
        folder=image_folder(run.data_fingerprint),
        on_pick=want_image,
    )


def _tables(chosen: Chosen, common: CommonAnswers) -> None:
    predictions = {f"Run {run.number}": said for run, said in zip(chosen.runs, common.predicted, strict=True)}
    st.subheader("Class by class", anchor=False)
    st.table(class_table_words(class_table(common.labels, predictions)).set_index("Class"))
    st.caption(
        "Worst first. Precision: of the images that the run calls so, how many are. Recall: of the class's images, how "
        "many the run finds. F1 is their harmonic mean, high only where both are."
    )
    st.subheader("Most confused pairs", anchor=False)
    pairs = confused_pairs(common.labels, predictions)
    if pairs.empty:
        st.caption("Nothing is confused on these images.")
        return
    st.table(pairs.drop(columns="cell").rename(columns={"true": "Class", "taken_for": "Taken for"}).set_index("Class"))
