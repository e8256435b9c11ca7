"""A grid of pictures to pick from; `st.image` cannot be pressed, and a button cannot show a picture."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_HTML = '<div class="frame"><ul class="grid" role="list"></ul></div>'

# Pictures are 84 pixels wide, three for each of theirs, wherever there is room; then the columns are a little wider,
# for the captions, and the outermost pictures still end where the page's text does.
_CSS = """
.frame { container-type: inline-size; }
.grid {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(72px, 1fr));
  gap: 0.5rem;
  margin: 0;
  padding: 5px 0; /* room for outlines */
  list-style: none;
}
@container (min-width: 480px) {
  .grid {
    grid-template-columns: repeat(auto-fill, 92px);
    justify-content: space-between;
    gap: 0.75rem 0.5rem;
    margin: 0 -4px;
  }
}
button {
  display: block;
  width: 100%;
  box-sizing: border-box;
  padding: 0 0 0.2rem;
  border: 0;
  border-radius: var(--st-base-radius);
  background: none;
  color: var(--st-gray-text-color);
  font: inherit;
  text-align: center;
  cursor: pointer;
  -webkit-tap-highlight-color: transparent;
}
img {
  display: block;
  width: 100%;
  max-width: 84px;
  height: auto;
  aspect-ratio: 1;
  margin: 0 auto 0.3rem;
  border-radius: var(--st-base-radius);
  background: #000;
  box-shadow: 0 0 0 1px var(--st-border-color);
  image-rendering: pixelated;
}
@media (hover: hover) { button:hover img { box-shadow: 0 0 0 2px var(--st-gray-text-color); } }
button:active img { opacity: 0.8; }
button:focus { outline: none; }
button:focus-visible { outline: 2px solid var(--st-text-color); outline-offset: 3px; }
button[aria-pressed="true"] { color: var(--st-text-color); }
button[aria-pressed="true"] img { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.caption {
  display: -webkit-box;
  overflow: hidden;
  font-size: 0.75rem;
  line-height: 1.3;
  overflow-wrap: break-word;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
}
.cross { margin-right: 0.25em; color: var(--st-red-text-color); font-weight: 700; }
"""

_component = st.components.v2.component(
    "image_grid",
    html=_HTML,
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Tile:
    """One picture to pick, by its name in the folder; `alt` is read to those who cannot see picture or caption."""

    name: str
    caption: str
    alt: str
    wrong: bool = False  # marks the caption with a red cross


def image_grid(
    tiles: Sequence[Tile],
    *,
    key: str,
    folder: str,
    chosen: str | None = None,
    on_pick: Callable[[str], None],
    shows_in: str | None = None,
) -> None:
    """Show pictures that can be pressed; the one named `chosen` is outlined.

    `folder` is an address that ends in a slash; names must differ. `on_pick` is called with the pressed tile's name
    before the script runs again, as callbacks of widgets are. `shows_in` is the key of the container that shows the
    picked one: on a phone it lies beyond the grid, and is scrolled to.
    """
    names = [tile.name for tile in tiles]

    def pick() -> None:
        # From the browser, so it may be anything.
        picked = st.session_state[key].get("pick")
        if picked in names:
            on_pick(picked)

    _component(
        key=key,
        data={"tiles": [asdict(tile) for tile in tiles], "folder": folder, "chosen": chosen, "showsIn": shows_in},
        on_pick_change=pick,
    )
