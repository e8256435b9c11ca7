"""The image grid and the drawing pad in a real browser, on a page of their own."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import running_server
from tests.conftest import wait_until

ARRIVED = re.compile(r"^\d+ pixels, sum \d+$")


@pytest.fixture(scope="module")
def components(tmp_path_factory, real_data_mirror):
    """The address of the page with the components."""
    home = tmp_path_factory.mktemp("components")
    with running_server(home, "tests/browser/components_app.py", DROPOUT_LAB_MIRROR=real_data_mirror) as address:
        yield address


def tile(page: Page, index: int) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^Test image {index}:"))


def pictures(page: Page) -> int:
    """How many pictures have arrived."""
    return page.locator("li img").evaluate_all(
        "all => all.filter(image => image.complete && image.naturalWidth === 28).length"
    )


def focused(page: Page) -> str | None:
    """The name of the tile that the keyboard is at."""
    return page.evaluate("document.activeElement.shadowRoot?.activeElement?.dataset.name ?? null")


def open_pad(page: Page) -> None:
    page.get_by_text("Pad", exact=True).click()
    expect(page.get_by_role("img", name="Drawing, empty")).to_be_visible()


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Draw with the mouse through points, given as shares of the pad's width and height."""
    box = page.locator("canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def drawn(page: Page) -> list[int]:
    """The 784 grey levels that the pad shows."""
    return page.locator("canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, place) => place % 4 === 0)"
    )


def arrived(page: Page, other_than: str = "") -> str:
    """What the script says of the drawing, once it says something else."""
    said = page.get_by_text(ARRIVED)
    wait_until(lambda: said.count() == 1 and said.inner_text() != other_than, "the drawing arrives")
    return said.inner_text()


def test_a_tile_is_picked_by_mouse_and_by_keyboard(components, open_page):
    page = open_page(components)
    wait_until(lambda: pictures(page) == 24, "all pictures arrive")
    expect(page.get_by_role("list").get_by_role("button")).to_have_count(24)
    expect(page.get_by_role("button", pressed=True)).to_have_count(0)

    tile(page, 4).click()
    expect(page.get_by_text("Chosen: test-4")).to_be_visible()
    expect(tile(page, 4)).to_have_attribute("aria-pressed", "true")
    assert focused(page) == "test-4"

    page.keyboard.press("Tab")
    assert focused(page) == "test-5"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Chosen: test-5")).to_be_visible()
    expect(tile(page, 5)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", pressed=True)).to_have_count(1)
    assert focused(page) == "test-5"


def test_tiles_that_stay_keep_their_elements(components, open_page):
    page = open_page(components)
    wait_until(lambda: pictures(page) == 24, "all pictures arrive")
    tile(page, 14).evaluate("button => { button.marked = true; button.focus(); }")
    page.get_by_label("Later images").evaluate("box => box.click()")  # which leaves the focus where it is
    expect(tile(page, 35)).to_be_visible()
    expect(tile(page, 0)).to_have_count(0)
    names = page.get_by_role("list").get_by_role("button").evaluate_all("all => all.map(one => one.dataset.name)")
    assert names == [f"test-{index}" for index in range(12, 36)]
    assert tile(page, 14).evaluate("button => button.marked") is True
    assert focused(page) == "test-14"  # though it has moved


def test_the_grid_has_its_height_before_its_pictures(components, open_page):
    page, held = open_page("about:blank"), []
    page.route("**/assets/images/**", lambda route: held.append(route))
    page.goto(components)
    last = tile(page, 23).locator("img")
    expect(last).to_be_visible()
    wait_until(lambda: page.evaluate("1") and len(held) == 24, "all pictures are asked for")
    before = last.bounding_box()
    assert before["width"] == before["height"] == 84
    for route in held:
        route.continue_()
    wait_until(lambda: pictures(page) == 24, "all pictures arrive")
    assert last.bounding_box() == before


def test_a_stroke_arrives_and_can_be_undone_and_cleared(components, open_page):
    page = open_page(components)
    open_pad(page)
    expect(page.get_by_text("Nothing arrived")).to_be_visible()
    undo, clear = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Clear")
    expect(undo).to_have_attribute("aria-disabled", "true")

    stroke(page, (0.2, 0.5), (0.8, 0.5))  # two events only: what lies between is drawn, too
    first = arrived(page)
    row = drawn(page)[14 * 28 : 15 * 28]
    assert row[:3] == [0, 0, 0]
    assert row[7:21] == [255] * 14
    assert first == f"{sum(value > 0 for value in drawn(page))} pixels, sum {sum(drawn(page))}"
    assert any(0 < value < 255 for value in drawn(page))  # soft edges

    page.get_by_role("button", name="Broad").click()
    stroke(page, (0.5, 0.2), (0.5, 0.8))
    second = arrived(page, other_than=first)
    undo.click()
    assert arrived(page, other_than=second) == first

    page.get_by_role("button", name="Eraser").click()
    stroke(page, (0.5, 0.4), (0.5, 0.6))
    arrived(page, other_than=first)
    assert drawn(page)[14 * 28 + 14] == 0

    clear.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing arrived")).to_be_visible()
    assert not any(drawn(page))
    expect(clear).to_have_attribute("aria-disabled", "true")
    expect(clear).to_be_focused()
    undo.click()  # clearing by mistake costs nothing
    arrived(page)


def test_a_finger_draws_and_does_not_scroll(components, open_page):
    page = open_page(components, width=390, height=400)  # too low for the whole page
    open_pad(page)
    box = page.locator("canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8
    fingers = page.context.new_cdp_session(page)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for up in range(20, 161, 20):
        fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - up}]})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    arrived(page)
    assert [drawn(page)[row * 28 + 14] for row in range(8, 22)] == [255] * 14
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_a_drawing_is_there_again_when_the_pad_is(components, open_page):
    page = open_page(components)
    open_pad(page)
    stroke(page, (0.3, 0.3), (0.7, 0.7))
    said, before = arrived(page), drawn(page)
    page.get_by_text("Grid", exact=True).click()
    expect(tile(page, 0)).to_be_visible()
    page.get_by_text("Pad", exact=True).click()
    expect(page.get_by_role("img", name="Drawing", exact=True)).to_be_visible()
    assert drawn(page) == before
    assert arrived(page) == said
    stroke(page, (0.7, 0.3), (0.3, 0.7))
    assert arrived(page, other_than=said) == f"{sum(map(bool, drawn(page)))} pixels, sum {sum(drawn(page))}"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_both_fit_the_screen(width, dark, components, open_page, snap):
    page = open_page(components, width=width, height=900, dark=dark)
    tile(page, 4).click()
    expect(tile(page, 4)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    tops = (
        page.get_by_role("list")
        .get_by_role("button")
        .evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    )
    assert tops.count(tops[0]) >= 4
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    box = tile(page, 23).locator("img").bounding_box()
    assert box["width"] == box["height"] > 70
    snap(page, "grid")
    open_pad(page)
    snap(page, "blank")
    page.get_by_role("button", name="Broad").click()
    stroke(page, (0.25, 0.25), (0.75, 0.25), (0.75, 0.8), (0.3, 0.8), (0.3, 0.3), (0.6, 0.6))
    arrived(page)
    assert page.locator("canvas").bounding_box()["width"] == 280
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    snap(page, "drawn")
