"""What the live chart sends and serves; how it behaves in a browser is tested in tests/browser."""

import asyncio
import gzip
import json
from importlib.metadata import version

import pytest
from starlette.applications import Starlette
from streamlit import config
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from ui.components.plotly_js import plotly_address, plotly_route


def page() -> None:
    import pandas as pd

    from fmnist_core.charts.learning_curves import learning_curves
    from ui.components.live_chart import live_chart

    columns = ["epoch", "training_loss", "evaluated_training_loss", "validation_loss"]
    epochs = pd.DataFrame([[1, 0.6, 0.5, 0.55], [2, 0.5, 0.4, 0.45]], columns=columns)
    figure = learning_curves(epochs, metric="loss", colour="#3f72d8", total_epochs=30, best_epoch=2)
    live_chart(figure, key="train.loss: run 3", height=300, alt="Loss of run 3, by epoch")


def linked_page() -> None:
    import plotly.graph_objects as go

    from ui.components.live_chart import live_chart

    for place in range(2):
        live_chart(go.Figure(), key=f"panel {place}", alt="A panel", group="panels")


@pytest.fixture
def base_path():
    def set_base_path(value: str) -> None:
        config.set_option("server.baseUrlPath", value)

    yield set_base_path
    config.set_option("server.baseUrlPath", "")


def test_sends_the_figure_and_no_theme_of_its_own():
    app = AppTest.from_function(page).run()
    assert not app.exception
    (element,) = app.get("bidi_component")
    data = json.loads(element.proto.json)
    figure = json.loads(data["figure"])
    assert figure["data"][2]["y"] == [0.55, 0.45]
    assert "template" not in figure["layout"]
    assert len(element.proto.json) < 4000  # a tick's worth of bytes
    assert data["height"] == 300
    assert data["alt"] == "Loss of run 3, by epoch"
    assert data["filename"] == "dropout-lab-train-loss-run-3"
    assert data["library"] == plotly_address()


def test_names_the_group_whose_hover_and_zoom_it_shares():
    groups = [
        [
            json.loads(element.proto.json)["group"]
            for element in AppTest.from_function(script).run().get("bidi_component")
        ]
        for script in (page, linked_page)
    ]
    assert groups == [[None], ["panels", "panels"]]


def clickable_page() -> None:
    import plotly.graph_objects as go
    import streamlit as st

    from ui.components.live_chart import live_chart

    clicks = st.session_state.setdefault("clicks", [])
    points = go.Scatter(x=[0, 1], y=[0, 1], customdata=["test-1", "test-2"])
    live_chart(go.Figure(points), key="points", alt="Points", on_click=clicks.append, image_folder="/pictures/")


def click(app: AppTest, value: object) -> list[str]:
    """Run the page as after a click whose value is sent by a browser; what the page's `on_click` was given so far."""
    (element,) = app.get("bidi_component")
    state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{element.proto.id}__events")
    state.json_trigger_value = json.dumps([{"event": "click", "value": value}])
    app._run(WidgetStates(widgets=[state]))
    assert not app.exception
    return app.session_state["clicks"]


def test_each_click_calls_back_with_the_point_s_name():
    app = AppTest.from_function(clickable_page).run()
    assert app.session_state["clicks"] == []
    assert click(app, "test-2") == ["test-2"]
    assert click(app, "test-2") == ["test-2", "test-2"]
    assert app.run().session_state["clicks"] == ["test-2", "test-2"]  # a run without a click


@pytest.mark.parametrize("value", [None, 7, True, ["test-2"], {"name": "test-2"}, "x" * 41])
def test_a_click_that_cannot_be_a_name_goes_no_further(value):
    app = AppTest.from_function(clickable_page).run()
    assert click(app, value) == []
    assert click(app, "x" * 40) == ["x" * 40]


def test_sends_what_points_can_do():
    def sent(script):
        (element,) = AppTest.from_function(script).run().get("bidi_component")
        data = json.loads(element.proto.json)
        return data["clickable"], data["image_folder"]

    assert sent(clickable_page) == (True, "/pictures/")
    assert sent(page) == (False, None)


def test_sends_the_frames():
    def replay_page() -> None:
        import plotly.graph_objects as go

        from ui.components.live_chart import live_chart

        frame = go.Frame(name="Epoch 1", traces=[1], data=[go.Bar(x=[0.25], text=["25%"])])
        figure = go.Figure([go.Bar(), go.Bar(x=[0.5])], {"meta": {"start_label": "Best epoch"}}, [frame])
        live_chart(figure, key="replay", alt="A replay")

    (element,) = AppTest.from_function(replay_page).run().get("bidi_component")
    figure = json.loads(json.loads(element.proto.json)["figure"])
    (frame,) = figure["frames"]
    assert (frame["name"], frame["traces"]) == ("Epoch 1", [1])
    assert frame["data"] == [{"type": "bar", "x": [0.25], "text": ["25%"]}]
    assert figure["layout"]["meta"] == {"start_label": "Best epoch"}


def test_is_not_isolated_so_that_plotly_can_style_it():
    (element,) = AppTest.from_function(page).run().get("bidi_component")
    assert element.proto.isolate_styles is False


def test_library_address_names_its_version(base_path):
    assert plotly_address() == f"./assets/plotly-{version('plotly')}.min.js"
    base_path("/class/lab/")
    assert plotly_route().path == f"/class/lab/assets/plotly-{version('plotly')}.min.js"


def fetch_library(encoding: str) -> tuple[dict[str, str], bytes]:
    """Ask the route as a server would; headers with lower-case names, and the body."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": plotly_route().path, "query_string": b""}
    scope["headers"] = [(b"accept-encoding", encoding.encode())]
    asyncio.run(Starlette(routes=[plotly_route()])(scope, receive, send))
    start, *bodies = sent
    assert start["status"] == 200
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return headers, b"".join(message["body"] for message in bodies)


def test_library_is_served_whole_and_for_good():
    headers, body = fetch_library("identity")
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert "content-encoding" not in headers
    assert body.startswith(b"/**\n* plotly.js v")


def test_library_is_compressed_for_browsers_that_say_so():
    headers, body = fetch_library("gzip, deflate, br")
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 2_000_000
    assert gzip.decompress(body) == fetch_library("identity")[1]
