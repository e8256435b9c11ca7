"""Predict: look at single test images with the probabilities that a stored run gives them."""

import streamlit as st

from fmnist_core.charts import percentage, probability_bars, run_colour
from fmnist_core.config import describe
from fmnist_core.data import CLASSES
from fmnist_core.database import StoreError
from fmnist_core.inference import candidates, new_order, shuffled
from fmnist_core.pictures import png_image
from ui import handles
from ui.places import PAGES
from ui.run_address import run_in_address
from ui.wording import plain

CHOICES = {"random": "Random", "class": "By class", "mistakes": "Mistakes only"}

st.title("What does it see?", anchor=False)
st.write("Take test images that the network has never trained on, and see how sure it is of each class.")
dataset = handles.data().dataset
try:
    named = run_in_address()
    runs = [run for run in handles.store().runs() if run.best_epoch is not None and handles.has_matching_data(run)]
except StoreError as error:
    st.error(f"Runs cannot be shown: {plain(str(error))}.", icon=":material/error:")
    st.stop()
if not runs:
    with st.container(border=True):
        st.subheader("No trained network yet", anchor=False)
        st.write(f"Train one on {dataset.name} first: the Quick preset takes a few seconds.")
        st.page_link(PAGES / "train.py", label="Go to Train", icon=":material/model_training:")
    st.stop()
if named is not None and named not in runs:
    st.info(
        f"Run {named.number} has no network to ask yet."
        if handles.has_matching_data(named)
        else f"Run {named.number} was trained on other data ({named.data_name}), which are not in use now.",
        icon=":material/info:",
    )

state = st.session_state
by_key = {run.key: run for run in runs}
if named in runs:
    state["predict.run"] = named.key
elif state.get("predict.run") not in by_key:
    state["predict.run"] = runs[0].key


def put_in_address() -> None:
    """Let the address name the chosen run."""
    st.query_params["run"] = state["predict.run"]


def restart() -> None:
    """Begin another round of images."""
    state["predict.position"] = 0


def next_image() -> None:
    """Go one image on."""
    state["predict.position"] = state.get("predict.position", 0) + 1


choose, ask = st.columns([2, 3], gap="large")
with choose:
    st.selectbox(
        "Run",
        list(by_key),
        format_func=lambda key: f"Run {by_key[key].number} · {describe(by_key[key].config)}",
        key="predict.run",
        on_change=put_in_address,
        help="The stored run whose network is asked.",
    )
    run = by_key[state["predict.run"]]
    epochs = {"best": f"Best epoch ({run.best_epoch})"}
    if not run.is_active:
        epochs["last"] = f"Last epoch ({run.epochs_done})"
    kind = st.segmented_control(
        "Weights",
        list(epochs),
        format_func=epochs.__getitem__,
        default="best",
        required=True,
        key="predict.kind",
        help="The best epoch is the one with the lowest validation loss.",
    )
    choice = st.segmented_control(
        "Images",
        list(CHOICES),
        format_func=CHOICES.__getitem__,
        default="random",
        required=True,
        key="predict.choice",
        on_change=restart,
        help="Mistakes only: images that this network puts into a wrong class.",
    )
    label = 0
    if choice == "class":
        label = st.selectbox(
            "Class", range(len(CLASSES)), format_func=CLASSES.__getitem__, key="predict.class", on_change=restart
        )

try:
    epoch = run.best_epoch if kind == "best" else run.epochs_done
    scores = handles.test_probabilities(run.key, kind, epoch, dataset.fingerprint)
except StoreError as error:
    st.error(f"The network cannot be read: {plain(str(error))}.", icon=":material/error:")
    st.stop()
labels = dataset.test_labels.numpy()
predicted = scores.argmax(axis=1)
order = shuffled(candidates(choice, labels, predicted, label), seed=state.setdefault("predict.seed", new_order()))
if len(order) == 0:
    ask.info("This network makes no mistakes on these images.", icon=":material/check_circle:")
    st.stop()
image = int(order[state.get("predict.position", 0) % len(order)])

with choose:
    st.button("Next sample", type="primary", icon=":material/arrow_forward:", key="predict.next", on_click=next_image)
with ask:
    picture, answer = st.columns([2, 3])
    picture.image(png_image(dataset.test_images[image].numpy(), scale=9), width="content")
    picture.caption(f"Test image {image:,} · true class **{CLASSES[labels[image]]}**")
    top = int(predicted[image])
    verdict = f"**{CLASSES[top]}** with {percentage(float(scores[image, top]))}"
    if top == labels[image]:
        answer.success(f"Right: {verdict}.", icon=":material/check:")
    else:
        answer.error(f"Wrong: {verdict}; it is a **{CLASSES[labels[image]]}**.", icon=":material/close:")
    answer.plotly_chart(
        probability_bars(scores[image].tolist(), CLASSES, true_class=int(labels[image]), colour=run_colour(run.number)),
        key="predict.bars",
        config={"displayModeBar": False},
        alt=f"Probabilities of the ten classes for test image {image}",
    )
