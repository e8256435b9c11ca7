"""What the grid of pictures sends and takes; how it looks and behaves is tested in tests/browser."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.components import only_component, trigger


def page() -> None:
    import streamlit as st

    from ui.components.image_grid import Tile, image_grid

    def pick(name: str) -> None:
        st.session_state.picked = [*st.session_state.get("picked", []), name]

    tiles = [
        Tile("test-3", "Coat 61%", "Test image 3, a coat, taken for a coat"),
        Tile("test-7", "Shirt 48%", "Test image 7, a coat, taken for a shirt", wrong=True),
    ]
    picked = st.session_state.get("picked", [])
    image_grid(tiles, key="grid", folder="/images/", chosen=picked[-1] if picked else None, on_pick=pick)


def test_sends_the_tiles_in_order():
    app = AppTest.from_function(page).run()
    assert not app.exception
    data = json.loads(only_component(app).proto.json)
    assert data["folder"] == "/images/"
    assert data["chosen"] is None
    assert data["tiles"] == [
        {"name": "test-3", "caption": "Coat 61%", "alt": "Test image 3, a coat, taken for a coat", "wrong": False},
        {"name": "test-7", "caption": "Shirt 48%", "alt": "Test image 7, a coat, taken for a shirt", "wrong": True},
    ]


def test_a_picked_tile_is_known_before_the_script_runs_again():
    app = trigger(AppTest.from_function(page).run(), "pick", "test-7")
    assert not app.exception
    assert app.session_state.picked == ["test-7"]
    assert json.loads(only_component(app).proto.json)["chosen"] == "test-7"


def test_a_pick_counts_once():
    app = trigger(AppTest.from_function(page).run(), "pick", "test-7").run()
    assert app.session_state.picked == ["test-7"]


@pytest.mark.parametrize("value", ["test-4", "", None, 7, ["test-7"], {"name": "test-7"}])
def test_what_is_no_tile_is_not_picked(value):
    app = trigger(AppTest.from_function(page).run(), "pick", value)
    assert not app.exception
    assert "picked" not in app.session_state


def test_another_event_picks_nothing():
    app = trigger(AppTest.from_function(page).run(), "elsewhere", "test-7")
    assert not app.exception
    assert "picked" not in app.session_state
