"""A page with charts alone, for test_live_chart.py: points to click, pictures of them, and a replay."""

from io import BytesIO

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fmnist_core.charts.arm_curves import ArmCurves, arm_panels
from ui.components.live_chart import live_chart
from ui.components.plotly_js import plotly_route


def picture(request: Request) -> Response:
    """One for each name but "missing"."""
    name = request.path_params["name"]
    if name == "missing":
        return Response(status_code=404)
    image = Image.linear_gradient("L") if name.startswith("test") else Image.radial_gradient("L")
    file = BytesIO()
    image.resize((28, 28)).save(file, "PNG")
    return Response(file.getvalue(), media_type="image/png")


app = st.App(__file__, routes=[plotly_route(), Route("/pictures/{name}.png", picture)])


def cells() -> go.Figure:
    names = [["test-1", "test-2", "missing"], ["test-4", None, "test-6"]]
    heatmap = go.Heatmap(
        z=[[1, 2, 3], [4, None, 6]], customdata=names, showscale=False, hovertemplate="%{customdata}<extra></extra>"
    )
    return go.Figure([heatmap], {"uirevision": "fixed", "margin": {"t": 30}, "hovermode": "closest"})


def points() -> go.Figure:
    scatter = go.Scatter(x=[0, 1, 2], y=[0, 1, 0], mode="markers", customdata=["train-0", "train-1", "test-2"])
    scatter.update(marker_size=14, hovertemplate="Image %{customdata}<br>a second line<extra></extra>")
    return go.Figure([scatter], {"uirevision": "fixed", "margin": {"t": 30}, "hovermode": "closest"})


def epochs(shift: int) -> go.Figure:
    labels = ["Shirt", "Coat", "Bag"]
    frames = [
        go.Frame(
            name=f"Epoch {epoch}",
            traces=[0],
            data=[go.Bar(x=[epoch + shift, 30 - epoch, 15], text=[f"at {epoch}", "", ""])],
        )
        for epoch in range(1, 31)
    ]
    bars = go.Bar(x=[50, 20, 15], y=labels, orientation="h", text=["best", "", ""], name="One network")
    others = go.Scatter(x=[45 + shift, 10, 5], y=labels, mode="markers", name="Others")
    layout = {"uirevision": "fixed", "xaxis": {"range": [0, 60]}, "margin": {"t": 30}, "showlegend": False}
    meta = {"start_label": "Best epoch", "start_frame": 11}
    return go.Figure([bars, others], {**layout, "meta": meta}, frames)


def two_arms(shift: int) -> list[go.Figure]:
    """Of two runs, one learns for three epochs of five and then diverges; with a shift, it is an epoch further."""
    arms = []
    for name, losses in (("Wild", [0.5, 0.4, 0.3, 3e13, 1e9]), ("Calm", [0.5, 0.4, 0.3, 0.25, 0.2])):
        losses = losses + [0.4] * (shift > 0)
        names = ("training_loss", "evaluated_training_loss", "validation_loss")
        epochs = pd.DataFrame({"epoch": range(1, len(losses) + 1), **dict.fromkeys(names, losses)})
        arms.append(ArmCurves(name, "#3f72d8", (epochs,)))
    return arm_panels(arms, metric="loss", total_epochs=30)


def draw() -> None:
    clicks = st.session_state.setdefault("clicks", [])
    st.write("Clicks:", " ".join(clicks) or "none")
    live_chart(cells(), key="cells", height=260, alt="Cells", on_click=clicks.append, image_folder="/pictures/")
    live_chart(
        points(),
        key="points",
        height=260,
        alt="Points",
        on_click=clicks.append,
        image_folder="/pictures/",
        edition=str(len(clicks)),
    )
    shift = 10 if st.toggle("Another pick") else 0
    st.write("Shift:", shift)
    live_chart(epochs(shift), key="epochs", height=240, alt="Epochs")
    for alt, figure in zip(("Diverging", "Beside it"), two_arms(shift), strict=True):
        live_chart(figure, key=alt, alt=alt, group="arms")


if __name__ == "__main__":  # run for each visitor
    draw()
