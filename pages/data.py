"""Data: what the networks learn from."""

import streamlit as st

from fmnist_core.charts.data_charts import class_counts, pixel_histogram
from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.summary import class_samples
from fmnist_core.pictures.png import contact_sheet, png_image
from ui import handles
from ui.page_state import number
from ui.views.page_title import page_title

SAMPLES = 14
DRAWS = 9999  # of samples, one after the other

dataset = handles.dataset()
summary = handles.data_summary(dataset.fingerprint)


def other_samples() -> None:
    """Draw other images at the next run of the page."""
    st.session_state["data.seed"] = (st.session_state.get("data.seed", 0) + 1) % (DRAWS + 1)


page_title("data", "What the networks look at", number("samples", "data.seed", 0, DRAWS))
st.write(
    f"**{dataset.name}**: {len(dataset.train_images):,} images to train on and {len(dataset.test_images):,} to test "
    "with, 28 by 28 grey pixels each, in ten classes of the same size. The network sees each image as a row of 784 "
    "numbers, scaled to lie between -1 and 1."
)
st.caption(f"Source: {dataset.source} · fingerprint {dataset.fingerprint}")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.subheader("Samples of each class", anchor=False)
    st.button("Other samples", icon=":material/casino:", key="data.other", on_click=other_samples)
for label, name in enumerate(CLASSES):
    row, strip = st.columns([1, 7], vertical_alignment="center")
    row.markdown(f"**{name}**")
    samples = class_samples(
        dataset.train_images, dataset.train_labels, label, SAMPLES, seed=st.session_state.get("data.seed", 0)
    )
    strip.image(contact_sheet(samples, columns=SAMPLES, scale=2), width="stretch")

st.subheader("The mean image of each class", anchor=False)
st.write("The average over all training images: what all of a class share stays sharp, what varies blurs.")
with st.container(horizontal=True):
    for name, pixels in zip(CLASSES, summary.mean_images, strict=True):
        st.image(png_image(pixels, scale=4), caption=name, width=96)

counts, brightness = st.columns(2, gap="large")
with counts:
    st.subheader("Images in each class", anchor=False)
    st.write("Validation images are held out of the training images, the same number from each class.")
    st.plotly_chart(
        class_counts(summary.class_counts, CLASSES),
        key="data.counts",
        config={"displayModeBar": False},
        alt="Number of training, validation and test images in each class",
    )
with brightness:
    st.subheader("How bright the pixels are", anchor=False)
    st.write("Half of all pixels are the black background. The scale is logarithmic.")
    st.plotly_chart(
        pixel_histogram(summary.pixel_counts),
        key="data.pixels",
        config={"displayModeBar": False},
        alt="Share of pixels with each brightness from 0 to 255",
    )
