"""What a visitor can do with single points of a chart, and with the replay of its frames."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import running_server
from tests.conftest import wait_until


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page with the charts."""
    with running_server(tmp_path_factory.mktemp("charts"), "tests/browser/live_chart_app.py") as address:
        yield address


def chart(page: Page, alt: str) -> Locator:
    found = page.locator(f".live-chart[aria-label='{alt}']")
    expect(found.locator(".nsewdrag")).to_be_visible()
    return found


def place_of(chart: Locator, x: float, y: float) -> tuple[float, float]:
    """Where a point with the given coordinates lies on the screen, in pixels."""
    across, down = chart.evaluate(
        """(node, [x, y]) => {
            const {left, top} = node.getBoundingClientRect();
            const {xaxis, yaxis} = node._fullLayout;
            return [left + xaxis._offset + xaxis.d2p(x), top + yaxis._offset + yaxis.d2p(y)];
        }""",
        [x, y],
    )
    return across, down


def wait_for_new_click(chart: Locator) -> None:
    waited = "node => Date.now() - (node._mouseDownTime ?? 0) > node._context.doubleClickDelay"
    wait_until(lambda: chart.evaluate(waited), "a click is a new one")


def click(page: Page, chart: Locator, x: float, y: float, *, tap: bool = False) -> None:
    """Click or tap, once Plotly would no longer take it for the second half of a double click."""
    wait_for_new_click(chart)
    (page.touchscreen.tap if tap else page.mouse.click)(*place_of(chart, x, y))


def bar(chart: Locator) -> float:
    return chart.evaluate("node => node.data[0].x[0]")


def words(chart: Locator) -> list[str]:
    return chart.evaluate("node => [...node.querySelectorAll('.bartext')].map((text) => text.textContent)")


def picture(page: Page, alt: str) -> Locator:
    return page.locator(".live-chart-stage").filter(has=page.get_by_label(alt)).locator(".live-chart-picture")


def test_each_click_on_a_point_arrives_by_name(charts, open_page):
    page = open_page(charts)
    cells, points = chart(page, "Cells"), chart(page, "Points")
    arrived = page.get_by_text("Clicks:")
    click(page, cells, 1, 0)
    expect(arrived).to_have_text("Clicks: test-2")
    click(page, cells, 1, 0)
    expect(arrived).to_have_text("Clicks: test-2 test-2")
    click(page, points, 1, 1)
    expect(arrived).to_have_text("Clicks: test-2 test-2 train-1")
    click(page, points, 1, 1)
    expect(arrived).to_have_text("Clicks: test-2 test-2 train-1 train-1")
    click(page, cells, 1, 1)  # a cell without a name
    click(page, cells, 0, 1)
    expect(arrived).to_have_text("Clicks: test-2 test-2 train-1 train-1 test-4")


def test_a_click_keeps_the_zoom(charts, open_page):
    page = open_page(charts)
    points = chart(page, "Points")
    start, end = place_of(points, 0.5, 0.6), place_of(points, 1.5, 1.05)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    wait_until(lambda: points.evaluate("node => node.layout.xaxis.range[0]") > 0.3, "the drag zooms")
    zoomed = points.evaluate("node => node.layout.xaxis.range")
    expect(page.get_by_text("Clicks:")).to_have_text("Clicks: none")  # a drag is no click
    click(page, points, 1, 1)
    expect(page.get_by_text("Clicks:")).to_have_text("Clicks: train-1")
    assert points.evaluate("node => node.layout.xaxis.range") == zoomed


def axes_of(chart: Locator) -> list[list[float]]:
    return chart.evaluate("node => [node._fullLayout.xaxis.range, node._fullLayout.yaxis.range]")


def test_double_clicks_show_what_a_diverging_run_left_out_and_hide_it_again(charts, open_page, snap):
    page = open_page(charts)
    wild = chart(page, "Diverging")
    epochs, (_, top) = axes_of(wild)
    assert 0.5 < top < 1
    snap(page, "diverging")
    wild.locator(".nsewdrag").dblclick()
    wait_until(lambda: axes_of(wild)[1][1] > 3e13, "all of the curve is shown")
    assert axes_of(wild)[0] == epochs
    expect(page.get_by_role("button", name="Leave the highest values out")).to_be_visible()
    wait_for_new_click(wild)
    wild.locator(".nsewdrag").dblclick()
    wait_until(lambda: axes_of(wild)[1][1] == top, "the outliers are left out again")
    expect(page.get_by_role("button", name="Show all values")).to_be_visible()


def test_a_button_shows_to_fingers_and_keys_what_a_diverging_run_left_out(charts, browser):
    context = browser.new_context(viewport={"width": 390, "height": 900}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(charts)
    wild, calm = chart(page, "Diverging"), chart(page, "Beside it")
    epochs, (_, top) = axes_of(wild)
    show, leave_out = (page.get_by_role("button", name=name) for name in ("Show all values", "Leave the highest"))
    expect(show).to_have_count(1)  # where nothing is left out, no button says so
    assert show.bounding_box()["height"] >= 44
    show.tap()
    expect(leave_out).to_be_visible()
    assert axes_of(wild)[1][1] > 3e13
    assert axes_of(wild)[0] == epochs
    wait_until(lambda: axes_of(calm) == axes_of(wild), "the chart beside it follows")
    page.get_by_text("Another pick").tap()
    expect(page.get_by_text("Shift: 10")).to_be_visible()
    assert axes_of(wild)[1][1] > 3e13, "a newer figure keeps the view"
    leave_out.focus()
    page.keyboard.press("Enter")
    expect(show).to_be_focused()
    wait_until(lambda: axes_of(calm) == axes_of(wild) == [epochs, axes_of(wild)[1]], "both go back")
    assert axes_of(wild)[1][1] == top
    context.close()


def test_hovered_points_show_their_pictures(charts, open_page, snap):
    page = open_page(charts)
    cells, points = chart(page, "Cells"), chart(page, "Points")
    shown = picture(page, "Cells")
    page.mouse.move(*place_of(cells, 0, 0))
    expect(shown).to_be_visible()
    expect(shown).to_have_attribute("src", "/pictures/test-1.png")
    assert cells.locator(".nsewdrag").evaluate("node => getComputedStyle(node).cursor") == "pointer"
    frame, background = shown.bounding_box(), cells.bounding_box()
    assert (frame["width"], frame["height"]) == (86, 86)  # with its border
    assert background["x"] <= frame["x"]
    assert background["y"] <= frame["y"] <= background["y"] + background["height"] - 86
    snap(page, "heatmap")

    shown.evaluate(
        "node => { node.hidings = 0; new MutationObserver(() => { node.hidings += node.hidden; })"
        ".observe(node, {attributes: true, attributeFilter: ['hidden']}); }"
    )
    page.mouse.move(*place_of(cells, 1, 0))
    expect(shown).to_have_attribute("src", "/pictures/test-2.png")
    assert shown.evaluate("node => node.hidings") == 0  # from one point to the next it does not blink
    page.mouse.move(*place_of(cells, 2, 0))
    expect(shown).to_be_hidden()  # its picture does not exist
    page.mouse.move(*place_of(cells, 2, 1))
    expect(shown).to_have_attribute("src", "/pictures/test-6.png")
    expect(shown).to_be_visible()
    page.mouse.move(*place_of(cells, 1, 1))  # a cell without a name
    expect(shown).to_be_hidden()
    assert cells.locator(".nsewdrag").evaluate("node => getComputedStyle(node).cursor") != "pointer"

    page.mouse.move(*place_of(points, 2, 0))
    shown = picture(page, "Points")
    expect(shown).to_be_visible()
    label = points.locator(".hovertext").bounding_box()
    frame = shown.bounding_box()
    assert frame["y"] + frame["height"] <= label["y"] or frame["y"] >= label["y"] + label["height"]
    page.mouse.move(*place_of(points, 0.5, 0.6))
    expect(shown).to_be_hidden()


def test_a_tap_is_a_click_and_shows_the_picture(charts, browser):
    context = browser.new_context(viewport={"width": 390, "height": 900}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(charts)
    cells = chart(page, "Cells")
    click(page, cells, 0, 0, tap=True)
    expect(picture(page, "Cells")).to_be_visible()
    expect(page.get_by_text("Clicks:")).to_have_text("Clicks: test-1")
    click(page, cells, 1, 0, tap=True)
    expect(picture(page, "Cells")).to_have_attribute("src", "/pictures/test-2.png")
    click(page, cells, 1, 1, tap=True)  # a cell without a name
    expect(picture(page, "Cells")).to_be_hidden()
    click(page, cells, 1, 0, tap=True)
    expect(page.get_by_text("Clicks:")).to_have_text("Clicks: test-1 test-2 test-2")
    play = page.get_by_role("button", name="Play")
    assert play.bounding_box()["height"] >= 44
    assert page.get_by_role("slider", name="Epoch").bounding_box()["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_replay_stays_in_the_browser(charts, open_page, snap):
    page = open_page(charts)
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    epochs = chart(page, "Epochs")
    slider, back = page.get_by_role("slider", name="Epoch"), page.get_by_role("button", name="Back")
    expect(page.get_by_role("slider")).to_have_count(1)  # charts without frames have no controls
    expect(slider).to_have_value("11")
    expect(slider).to_have_attribute("aria-valuetext", "Best epoch")
    expect(back).to_be_disabled()
    assert (bar(epochs), words(epochs)[0]) == (50, "best")
    for shift in (10, 0):  # another pick and back, after which the server has nothing left to say
        page.get_by_text("Another pick").click()
        expect(page.get_by_text("Shift:")).to_have_text(f"Shift: {shift}")
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    asked = len(sent)

    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: bar(epochs) == 13, "the next frame is drawn")
    expect(slider).to_have_attribute("aria-valuetext", "Epoch 13")
    assert epochs.evaluate("node => node.data.map(({visible}) => visible ?? true)") == [True, False]
    page.keyboard.press("Home")
    wait_until(lambda: bar(epochs) == 1, "the first frame is drawn")
    snap(page, "frame")

    epochs.evaluate("node => { node.seen = []; node.on('plotly_afterplot', () => node.seen.push(node.data[0].x[0])); }")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", "Epoch 30")
    wait_until(lambda: (bar(epochs), words(epochs)[0]) == (30, "at 30"), "the last frame is drawn")
    seen = epochs.evaluate("node => node.seen")
    assert seen == sorted(seen)
    assert any(value % 1 for value in seen)  # between the frames, too

    back.click()
    wait_until(lambda: bar(epochs) == 50, "the figure is back as given")
    expect(slider).to_have_attribute("aria-valuetext", "Best epoch")
    expect(slider).to_be_focused()
    assert epochs.evaluate("node => node.data.map(({visible}) => visible ?? true)") == [True, True]
    assert len(sent) == asked


def test_the_replay_keeps_its_epoch_at_another_pick(charts, open_page):
    page = open_page(charts)
    epochs, slider = chart(page, "Epochs"), page.get_by_role("slider", name="Epoch")
    slider.fill("4")
    wait_until(lambda: bar(epochs) == 5, "the fifth frame is drawn")
    page.get_by_text("Another pick").click()
    wait_until(lambda: bar(epochs) == 15, "the other pick's fifth frame is drawn")
    expect(slider).to_have_attribute("aria-valuetext", "Epoch 5")


def test_less_motion_draws_whole_frames_only(charts, browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(charts)
    epochs = chart(page, "Epochs")
    epochs.evaluate("node => { node.seen = []; node.on('plotly_afterplot', () => node.seen.push(node.data[0].x[0])); }")
    page.get_by_role("button", name="Play").click()
    wait_until(lambda: bar(epochs) == 30, "the last frame is drawn")
    seen = epochs.evaluate("node => node.seen")
    assert len(seen) > 5
    assert all(value % 1 == 0 for value in seen)
    context.close()


def tell(page: Page, key: str, value: float, asked_at: float) -> None:
    """Bring news of a chart: one bar, asked for so many milliseconds after the page was opened."""
    page.evaluate(
        """([key, value, askedAt]) => {
            const contents = {[key]: JSON.stringify({data: [{type: "bar", x: [value]}], layout: {}})};
            dispatchEvent(new CustomEvent("dropout-lab:contents", {detail: {contents, askedAt}}));
        }""",
        [key, value, asked_at],
    )


def test_a_page_that_runs_anew_is_right_also_where_it_draws_what_it_drew_before_the_news(charts, open_page):
    page = open_page(charts)
    points = chart(page, "Points")
    tell(page, "points", 7, page.evaluate("performance.now()"))
    wait_until(lambda: bar(points) == 7, "the news is drawn")
    page.emulate_media(color_scheme="dark")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert bar(points) == 7, "another theme is no other figure"
    click(page, chart(page, "Cells"), 1, 0)
    wait_until(lambda: bar(points) == 0, "the figure that the page has given again is drawn")


def test_news_that_was_asked_for_before_the_page_drew_anew_is_not_drawn(charts, open_page):
    page = open_page(charts)
    epochs = chart(page, "Epochs")
    before = page.evaluate("performance.now()")
    page.get_by_text("Another pick").click()
    wait_until(lambda: epochs.evaluate("node => node.data[1].x[0]") == 55, "the page has drawn anew")
    tell(page, "epochs", 1, before)
    tell(page, "epochs", 2, page.evaluate("performance.now()"))
    wait_until(lambda: bar(epochs) == 2, "news that is newer than the page is drawn")
    tell(page, "epochs", 1, before)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert bar(epochs) == 2


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_replay_and_picture_in_both_themes(charts, open_page, snap, dark, width):
    page = open_page(charts, width=width, dark=dark)
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: bar(chart(page, "Epochs")) == 13, "a frame is drawn")
    page.mouse.move(*place_of(chart(page, "Points"), 2, 0))
    expect(picture(page, "Points")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    snap(page, "charts")
    # Whoever goes on by the keyboard sees where it is: the chart's own tools, too, in a colour of the theme.
    tool = chart(page, "Points").locator(".modebar-btn").first
    tool.focus()
    ring, colour = tool.evaluate("""node => {
        const {outlineStyle, outlineColor} = getComputedStyle(node);
        const sample = node.appendChild(document.createElement("i"));
        sample.style.color = "var(--st-primary-color)";
        const colour = getComputedStyle(sample).color;
        sample.remove();
        return [`${outlineStyle} ${outlineColor}`, colour];
    }""")
    assert ring == f"solid {colour}"
