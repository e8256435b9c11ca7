"""What the drawing pad takes and gives back; how one draws on it is tested in tests/browser."""

import base64
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.components import only_component, set_state
from ui.components.drawing_pad import pixels_from

PIXELS = np.arange(784, dtype=np.uint16).astype(np.uint8).reshape(28, 28)


def page() -> None:
    import streamlit as st

    from ui.components.drawing_pad import drawing_pad

    if st.toggle("Show", True, key="show"):
        st.session_state.drawing = drawing_pad(key="pad")


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_reads_the_pixels_row_by_row():
    pixels = pixels_from(encoded(PIXELS.tobytes()))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, PIXELS)
    pixels[0, 0] = 9  # the caller's own


@pytest.mark.parametrize(
    "sent",
    [
        None,
        784,
        "",
        [0] * 784,
        {"pixels": encoded(PIXELS.tobytes())},
        encoded(bytes(783)),
        encoded(bytes(785)),
        encoded(b"\1" * 783),
        encoded(b"\1" * 785),
        encoded(b"\1" * 784)[:-4],
        encoded(b"\1" * 784)[:-1] + "!",
        encoded(b"\1" * 784)[:-1] + "é",
        "=" * 1048,
        "A" * 5_000_000,
    ],
)
def test_anything_but_784_bytes_is_no_drawing(sent):
    assert pixels_from(sent) is None


def test_black_is_no_drawing():
    assert pixels_from(encoded(bytes(784))) is None


def test_gives_what_was_drawn_until_it_is_cleared():
    app = AppTest.from_function(page).run()
    assert app.session_state.drawing is None
    set_state(app, "pixels", encoded(PIXELS.tobytes()))
    assert not app.exception
    assert np.array_equal(app.session_state.drawing, PIXELS)
    set_state(app, "pixels", encoded(bytes(784)))
    assert app.session_state.drawing is None
    assert json.loads(only_component(app).proto.json) == {"pixels": None}


def test_a_pad_that_comes_back_gets_its_drawing_back():
    app = AppTest.from_function(page).run()
    set_state(app, "pixels", encoded(PIXELS.tobytes()))
    app.toggle(key="show").set_value(False).run()
    app.session_state.drawing = None
    app.toggle(key="show").set_value(True).run()
    assert json.loads(only_component(app).proto.json) == {"pixels": encoded(PIXELS.tobytes())}
    assert np.array_equal(app.session_state.drawing, PIXELS)


def test_what_is_no_drawing_is_not_sent_back():
    app = AppTest.from_function(page).run()
    set_state(app, "pixels", "x" * 100_000)
    assert not app.exception
    assert app.session_state.drawing is None
    assert json.loads(only_component(app).proto.json) == {"pixels": None}
