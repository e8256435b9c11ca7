"""A page with the image grid and the drawing pad alone, for test_components.py."""

import streamlit as st

from ui import handles
from ui.components.drawing_pad import drawing_pad
from ui.components.image_grid import Tile, image_grid
from ui.components.image_route import image_folder, image_route

app = st.App(__file__, routes=[image_route()])


def draw() -> None:
    """Pictures and, where one draws, what arrives of it."""
    st.set_page_config(layout="wide")
    handles.data().wait(60)
    dataset = handles.data().dataset
    assert dataset is not None
    place = st.segmented_control("Place", ["Grid", "Pad"], default="Grid", required=True, key="place")
    if place == "Pad":
        pixels = drawing_pad(key="pad")
        st.write("Nothing arrived" if pixels is None else f"{(pixels > 0).sum()} pixels, sum {pixels.sum(dtype=int)}")
        return

    def pick(name: str) -> None:
        st.session_state.chosen = name

    left, right = st.columns([3, 2], gap="large")
    with left:
        start = 12 if st.toggle("Later images", key="later") else 0
        tiles = []
        for index in range(start, start + 24):
            wrong = index % 3 == 1
            caption = f"Ankle boot {40 + index}%" if wrong else f"Coat {99 - index}%"
            tiles.append(Tile(f"test-{index}", caption, f"Test image {index}: {caption}", wrong))
        chosen = st.session_state.get("chosen")
        image_grid(tiles, key="grid", folder=image_folder(dataset.fingerprint), chosen=chosen, on_pick=pick)
    right.write(f"Chosen: {chosen}")


if __name__ == "__main__":  # run for each visitor
    draw()
