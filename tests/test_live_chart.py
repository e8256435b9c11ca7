"""What the live chart sends and serves; how it behaves in a browser is tested in tests/browser."""

import asyncio
import gzip
import json
from importlib.metadata import version

import pytest
from starlette.applications import Starlette
from streamlit import config
from streamlit.testing.v1 import AppTest

from ui.plotly_js import plotly_path, plotly_route


def page() -> None:
    import pandas as pd

    from fmnist_core import charts
    from ui.live_chart import live_chart

    columns = ["epoch", "training_loss", "evaluated_training_loss", "validation_loss"]
    epochs = pd.DataFrame([[1, 0.6, 0.5, 0.55], [2, 0.5, 0.4, 0.45]], columns=columns)
    figure = charts.learning_curves(epochs, metric="loss", colour="#3f72d8", total_epochs=30, best_epoch=2)
    live_chart(figure, key="train.loss: run 3", height=300, alt="Loss of run 3, by epoch")


def linked_page() -> None:
    import plotly.graph_objects as go

    from ui.live_chart import live_chart

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
    assert data["library"] == plotly_path()


def test_names_the_group_whose_hover_and_zoom_it_shares():
    groups = [
        [
            json.loads(element.proto.json)["group"]
            for element in AppTest.from_function(script).run().get("bidi_component")
        ]
        for script in (page, linked_page)
    ]
    assert groups == [[None], ["panels", "panels"]]


def test_is_not_isolated_so_that_plotly_can_style_it():
    (element,) = AppTest.from_function(page).run().get("bidi_component")
    assert element.proto.isolate_styles is False


def test_library_address_names_its_version(base_path):
    base_path("")
    assert plotly_path() == f"/assets/plotly-{version('plotly')}.min.js"
    base_path("/class/lab/")
    assert plotly_path() == f"/class/lab/assets/plotly-{version('plotly')}.min.js"
    assert plotly_route().path == plotly_path()


def fetch_library(encoding: str) -> tuple[dict[str, str], bytes]:
    """Ask the route as a server would; headers with lower-case names, and the body."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": plotly_path(), "query_string": b""}
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
