"""A visitor's own picture: drawn, chosen or taken, and shown as it becomes what the network sees."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from fmnist_core.pictures.own_picture import Prepared, prepare
from fmnist_core.pictures.picture_file import (
    BYTE_LIMIT,
    PHOTO_PIXEL_LIMIT,
    PIXEL_LIMIT,
    WEBP_PIXEL_LIMIT,
    PictureError,
    read_picture,
)
from fmnist_core.pictures.png import SIDE, png_thumbnail
from ui.components.drawing_pad import drawing_pad
from ui.wording import plain

_WAYS = {"draw": "Draw", "upload": "Upload", "camera": "Camera"}
_INVERSIONS: dict[str, bool | None] = {"Automatic": None, "Invert": True, "Keep": False}
_STEP_SIDE = 112  # pixels

Grey = npt.NDArray[np.uint8]


def own_picture() -> tuple[Prepared, Prepared | None] | None:
    """Ask for a picture; return it prepared for the network, or None while there is none to use.

    The second is its other reading, light and dark exchanged, where it is in doubt which of them the garment is.
    """
    way = st.segmented_control(
        "Your picture",
        list(_WAYS),
        format_func=_WAYS.__getitem__,
        default="draw",
        required=True,
        key="predict.way",
        persist_state="session",
        help="The picture is used for this answer and then forgotten; nothing of it is stored.",
    )
    try:
        grey = drawing_pad(key="predict.drawing") if way == "draw" else _file(way)
        if way == "draw":
            st.caption("Draw a garment pale on black, and as large as the square: the network knows no others.")
        return None if grey is None else _prepared(grey)
    except PictureError as error:
        message = plain(str(error))
        st.error(f"{message[:1].upper()}{message[1:]}.", icon=":material/image_not_supported:")
        return None


def _file(way: str) -> Grey | None:
    if way == "camera":
        file = st.camera_input("One garment, flat on a plain background", key="predict.camera")
    else:
        file = st.file_uploader(
            "A picture of one garment",
            # Any type: what the browser's side refuses would leave the file before, and its answer, standing.
            key="predict.upload",
            help=f"A JPEG up to {BYTE_LIMIT // 10**6} MB and {PHOTO_PIXEL_LIMIT // 10**6} megapixels, as phones take "
            f"them; a PNG or progressive JPEG up to {PIXEL_LIMIT // 10**6}, WebP up to "
            f"{WEBP_PIXEL_LIMIT // 10**6} megapixels. One garment on a plain background works best.",
        )
    return None if file is None else read_picture(file.getvalue())


def _prepared(grey: Grey) -> tuple[Prepared, Prepared | None]:
    """Ask how to treat the picture, and do so. Raises PictureError."""
    is_small = grey.shape == (SIDE, SIDE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        inversion = st.segmented_control(
            "Inversion",
            list(_INVERSIONS),
            default="Automatic",
            required=True,
            key="predict.invert",
            persist_state="session",
            help="The network knows pale garments on black. Automatic inverts a picture whose background is bright.",
        )
        crop = st.toggle(
            "Crop to the garment",
            value=not is_small,
            key=f"predict.crop.{'small' if is_small else 'large'}",
            help="Cuts the empty background away, so that the garment fills the square as in Fashion-MNIST.",
        )
    prepared = prepare(grey, invert=_INVERSIONS[inversion], crop=crop)
    other = prepare(grey, invert=not prepared.inverted, crop=crop) if prepared.in_doubt else None
    return prepared, other


def show_steps(prepared: Prepared) -> None:
    """Draw how the picture became what the network sees."""
    if len(prepared.steps) == 1:
        st.caption(f"The picture is {SIDE} x {SIDE} pixels already, and is used as it is.")
        return
    st.subheader("How the network comes to see it", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        for number, step in enumerate(prepared.steps, start=1):
            with st.container(width=_STEP_SIDE):
                st.image(png_thumbnail(step.pixels, _STEP_SIDE), width=_STEP_SIDE, alt=f"{step.name}: {step.what}")
                st.caption(f"**{number} {step.name}**  \n{step.what}")
