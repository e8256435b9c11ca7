"""A black square to draw a garment on, with the pixels that a network would see."""

import base64
import binascii
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from fmnist_core.pictures.png import SIDE

_HTML = """
<div class="pad">
  <div class="sheet">
    <canvas width="28" height="28" role="img"></canvas>
    <p class="hint" aria-hidden="true">Draw here</p>
  </div>
  <div class="tools">
    <div class="choice tool" role="group" aria-label="Tool">
      <button type="button" data-tool="pen">Pen</button>
      <button type="button" data-tool="eraser">Eraser</button>
    </div>
    <div class="choice" role="group" aria-label="Size">
      <button type="button" data-radius="0.7" aria-label="Fine" title="Fine"><i></i></button>
      <button type="button" data-radius="1.5" aria-label="Medium" title="Medium"><i></i></button>
      <button type="button" data-radius="3" aria-label="Broad" title="Broad"><i></i></button>
    </div>
    <button type="button" class="undo">Undo</button>
    <button type="button" class="clear">Clear</button>
  </div>
</div>
"""

_CSS = """
.pad { width: 280px; max-width: 100%; }
.sheet { position: relative; }
canvas {
  display: block;
  width: 100%;
  aspect-ratio: 1;
  border-radius: var(--st-base-radius);
  background: #000;
  box-shadow: 0 0 0 1px var(--st-border-color);
  image-rendering: pixelated;
  cursor: crosshair;
  touch-action: none; /* a finger draws; it does not scroll the page */
  user-select: none;
  -webkit-user-select: none;
}
.hint {
  position: absolute;
  inset: 0;
  display: grid;
  place-items: center;
  margin: 0;
  color: #a3acb8; /* on black in either theme */
  pointer-events: none;
  user-select: none;
  -webkit-user-select: none;
}
.hint[hidden] { display: none; }
.tools { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem; margin-top: 0.75rem; }
.choice { display: flex; }
button {
  flex: 1 1 auto;
  display: inline-grid;
  place-items: center;
  min-height: 2.5rem;
  padding: 0 0.5rem;
  border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius);
  background: var(--st-background-color);
  color: var(--st-text-color);
  font: inherit;
  font-size: 0.875rem;
  cursor: pointer;
  -webkit-tap-highlight-color: transparent;
}
.choice button { border-radius: 0; }
[data-radius] { flex-basis: 0; }
.choice button:first-child { border-radius: var(--st-button-radius) 0 0 var(--st-button-radius); }
.choice button:last-child { border-radius: 0 var(--st-button-radius) var(--st-button-radius) 0; }
.choice button + button { margin-left: -1px; }
@media (hover: hover) { /* on a touch screen it would stay after a tap */
  button:hover { position: relative; border-color: var(--st-primary-color); color: var(--st-primary-color); }
}
button[aria-pressed="true"] {
  position: relative; /* its border above its neighbour's */
  border-color: var(--st-primary-color);
  color: var(--st-primary-color);
  background: color-mix(in srgb, var(--st-primary-color) 12%, var(--st-background-color));
}
button[aria-disabled="true"] {
  border-color: var(--st-border-color);
  color: var(--st-gray-text-color);
  opacity: 0.6;
  cursor: default;
}
button:focus { outline: none; }
button:focus-visible { position: relative; outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
i { display: block; border-radius: 50%; background: currentColor; }
[aria-label="Fine"] i { width: 5px; height: 5px; }
[aria-label="Medium"] i { width: 10px; height: 10px; }
[aria-label="Broad"] i { width: 18px; height: 18px; }
"""

_component = st.components.v2.component(
    "drawing_pad",
    html=_HTML,
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def drawing_pad(*, key: str) -> npt.NDArray[np.uint8] | None:
    """The drawing, uint8 (28, 28), 0 for black; None while there is none.

    The script runs again after each stroke. The drawing lasts as long as the visitor's session, also while the pad
    is not shown.
    """
    kept = f"{key}.kept"  # what the component itself knows is gone once a script run has not shown it

    def keep() -> None:
        sent = st.session_state[key].get("pixels")
        st.session_state[kept] = None if pixels_from(sent) is None else sent

    before = st.session_state.get(kept)
    result = _component(key=key, data={"pixels": before}, default={"pixels": before}, on_pixels_change=keep)
    return pixels_from(result.get("pixels"))


def pixels_from(sent: object) -> npt.NDArray[np.uint8] | None:
    """The image, uint8 (28, 28), in what a browser sent: 784 bytes in Base64. None if it is black or anything else."""
    if not isinstance(sent, str) or len(sent) != -(-SIDE * SIDE // 3) * 4:
        return None
    try:
        content = base64.b64decode(sent, validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(content) != SIDE * SIDE or not any(content):
        return None
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE).copy()
