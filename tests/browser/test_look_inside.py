"""What a visitor finds out about two runs: their mistakes, single answers, and a picture of one's own."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS
from fmnist_core.data.sources import draw
from tests.conftest import wait_until

QUICK = next(preset.config for preset in PRESETS if preset.name == "Quick")
STUDY = Study(base=replace(QUICK, epochs=3, seed=5), levels=(0.0, 0.5), seeds=1)
GRID = ".st-key-predict-grid"


@pytest.fixture(scope="module")
def addresses() -> dict[str, str]:
    """Where the Inspect page of a server was found, by the server's address."""
    return {}


@pytest.fixture
def inspect_page(lab: str, addresses: dict[str, str], open_page: Callable[..., Page]) -> Page:
    """Two runs that differ in dropout alone, on the Inspect page; whichever test comes first trains and finds them."""
    if lab in addresses:
        page = open_page(addresses[lab], height=1300)
    else:
        page = open_page(f"{lab}/compare?{urlencode(STUDY.to_address())}", height=1300)
        expect(page.get_by_role("heading", name="Does dropout help here?")).to_be_visible()
        link = page.get_by_role("link", name="Inspect what changes")
        expect(link.or_(page.get_by_text("Not run here yet"))).to_be_visible()
        if not link.is_visible():
            page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_text(re.compile("runs finished"))).to_have_count(0, timeout=240_000)
        expect(link).to_be_visible()
        link.click()
    expect(page.get_by_role("heading", name="What does it get wrong?")).to_be_visible()
    expect(page.locator(".live-chart .heatmaplayer image")).to_have_count(2)
    addresses[lab] = page.url
    return page


def bars(page: Page) -> list[list[float]]:
    """The lengths of the answer chart's bars, a list a run."""
    return page.evaluate(
        "[...(document.querySelector('.st-key-predict-bars .live-chart')?.data ?? [])]"
        ".filter(trace => trace.type === 'bar').map(trace => [...trace.x])"
    )


def pressed(page: Page) -> str | None:
    """The name of the image that is outlined in the grid, if it is there."""
    button = page.locator(f'{GRID} button[aria-pressed="true"]')
    return button.get_attribute("data-name") if button.count() else None


def click_cell(page: Page, true_class: int, said: int) -> None:
    """Click the middle of a cell of the first matrix."""
    box = page.locator(".live-chart .nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + (said + 0.5) / 10 * box["width"], box["y"] + (true_class + 0.5) / 10 * box["height"]
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()
    page.mouse.click(x, y)


def test_a_cell_opens_its_images_and_an_image_its_answers(inspect_page, snap):
    page = inspect_page
    click_cell(page, 6, 0)
    page.wait_for_url("**cell=6-0*")
    expect(page.get_by_role("heading", name="Shirt taken for T-shirt/top")).to_be_visible()
    tiles = page.locator("[class*=st-key-inspect-cell] button")
    expect(tiles.first).to_be_visible()
    assert "Shirt taken for T-shirt/top" in tiles.first.get_attribute("aria-label")
    wait_until(
        lambda: tiles.first.evaluate("tile => tile.querySelector('img').naturalWidth") == 28,
        "the first picture arrives",
    )
    snap(page, "cell")
    name = tiles.first.get_attribute("data-name")
    tiles.first.click()
    page.wait_for_url(f"**/predict?*image={name}*")
    expect(page.get_by_text(re.compile(r"true class Shirt"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Run \d+ · .*: wrong, T-shirt/top")).first).to_be_visible()
    wait_until(lambda: [len(run) for run in bars(page)] == [10, 10], "ten bars a run")
    page.go_back()
    expect(page.get_by_role("heading", name="Shirt taken for T-shirt/top")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_every_view_is_drawn_and_fits_a_phone(inspect_page, open_page, snap, dark):
    address = inspect_page.url
    page = open_page(address, width=390, height=844, dark=dark)
    views = {
        "Mistakes": ".heatmaplayer image",
        "Confidence": ".scatterlayer .point",
        "Doubtful labels": ".st-key-inspect-doubtful button, iframe",
        "First layer": "img[alt^='First-layer weights']",
        "Map": ".scatterlayer .point",
    }
    for view, content in views.items():
        page.get_by_role("tab", name=view).click()
        page.locator(content).first.wait_for(state="attached")
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        snap(page, f"{view.lower().replace(' ', '-')}-{'dark' if dark else 'light'}")


def test_mistakes_are_found_picked_and_replayed(inspect_page, snap):
    page = inspect_page
    page.get_by_role("link", name="Predict", exact=True).click()
    expect(page.locator(f"{GRID} button").first).to_be_visible()
    page.locator(".st-key-predict-choice input").click()
    page.get_by_role("option", name=re.compile("^Mistakes of run")).click()
    page.get_by_role("button", name="Reveal test figures").click()
    wait_until(
        lambda: page.locator(f"{GRID} button").count() == page.locator(f"{GRID} .cross").count() == 20,
        "a page of mistakes and nothing else is shown",
    )
    expect(page.get_by_text(re.compile(r"^1 to 20 of (\d{1,3},)?\d{1,3}$"))).to_be_visible()
    third = page.locator(f"{GRID} button").nth(2)
    name = third.get_attribute("data-name")
    third.click()
    page.wait_for_url(f"**image={name}*")
    wait_until(lambda: pressed(page) == name, "the picked image is outlined")
    expect(page.get_by_text(re.compile(r": wrong, ")).first).to_be_visible()
    snap(page, "picked")

    wait_until(lambda: len(bars(page)) == 2, "the bars are drawn")
    answered = bars(page)
    slider = page.get_by_label("Epoch", exact=True)
    slider.focus()
    slider.press("Home")
    wait_until(lambda: bars(page) != answered, "the first epoch says something else")
    expect(page.get_by_text("Epoch 1", exact=True)).to_be_visible()
    page.get_by_role("button", name="Back").click()
    wait_until(lambda: bars(page) == answered, "the answer is back")

    page.get_by_text("Ask 50 times with dropout on").click()
    dots = "document.querySelectorAll('.st-key-predict-bars .scatterlayer .point').length"
    wait_until(lambda: page.evaluate(dots) >= 50, "single answers are drawn as dots")
    page.get_by_text("Show which pixels mattered").click()
    expect(page.locator("img[alt^='Pixels that mattered']")).to_have_count(2)
    snap(page, "inside")
    page.reload()
    wait_until(lambda: len(bars(page)) == 2, "a reload shows the pick again")
    expect(page.get_by_text(re.compile(rf"image {int(name.split('-')[1]):,} "))).to_be_visible()


def photo() -> bytes:
    """A drawn pair of trousers, dark on a bright background, off the middle of a photo."""
    garments = draw()
    trousers = garments.test_images[int((garments.test_labels == 1).argmax())]
    large = Image.fromarray(255 - trousers).resize((280, 280), Image.Resampling.BICUBIC)
    background = Image.new("RGB", (600, 500), (240, 236, 230))
    background.paste(Image.merge("RGB", [large.point(lambda level: min(level, 236))] * 3), (40, 180))
    file = io.BytesIO()
    background.save(file, format="JPEG", quality=90)
    return file.getvalue()


def test_a_picture_of_ones_own_is_uploaded_and_drawn(inspect_page, snap):
    page = inspect_page
    page.get_by_role("link", name="Predict", exact=True).click()
    page.get_by_text("Your own picture", exact=True).click()
    expect(page.get_by_text("No picture yet")).to_be_visible()

    page.get_by_text("Upload", exact=True).click()
    chooser = page.locator("input[type=file]")
    chooser.set_input_files({"name": "trousers.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(page.get_by_text(re.compile(r"^Run \d+ · .*: Trouser, ")).first).to_be_visible()
    for step in ("Inverted", "Cropped", "Centred"):
        expect(page.get_by_text(re.compile(rf"^\d {step}"))).to_be_visible()
    snap(page, "uploaded")

    rng = np.random.default_rng(0)
    broken = photo()[:3000] + rng.bytes(3000)
    chooser.set_input_files({"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"GIF89a" + broken})
    expect(page.get_by_test_id("stAlert").filter(has_text=re.compile("try again|another"))).to_be_visible()
    expect(page.get_by_text("No picture yet")).to_be_visible()

    page.get_by_text("Draw", exact=True).click()
    pad = page.locator("canvas").bounding_box()
    assert pad is not None
    for side in (0.35, 0.65):
        page.mouse.move(pad["x"] + side * pad["width"], pad["y"] + 0.1 * pad["height"])
        page.mouse.down()
        page.mouse.move(pad["x"] + side * pad["width"], pad["y"] + 0.9 * pad["height"], steps=8)
        page.mouse.up()
    expect(page.get_by_text(re.compile(r"^Run \d+ · ")).first).to_be_visible()
    wait_until(lambda: [len(run) for run in bars(page)] == [10, 10], "the drawing is answered")
    snap(page, "drawn")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("No picture yet")).to_be_visible()
