"""The comparison, on real images in a real browser."""

import re
from contextlib import suppress

from playwright.sync_api import Page, expect

from tests.conftest import wait_until


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def epochs_drawn(page: Page) -> list[int]:
    """Epochs that each live chart shows: the longest of its curves; bands, which are outlines, left out."""
    return page.evaluate(
        "[...document.querySelectorAll('.live-chart')].map("
        "chart => Math.max(0, ...(chart.data ?? []).filter(curve => !curve.fill).map(curve => curve.x?.length ?? 0)))"
    )


def expect_drawn(page: Page, epochs: list[int]) -> None:
    drawn: list[int] = []

    def as_expected() -> bool:
        drawn[:] = epochs_drawn(page)
        return drawn == epochs

    with suppress(AssertionError):
        wait_until(as_expected, "the panels are complete")
    assert drawn == epochs, page.locator("[data-testid=stMain]").inner_text()


def test_a_small_comparison_from_setup_to_verdict(lab, open_page, snap):
    page = open_page(f"{lab}/compare", height=1400)
    expect(page.get_by_text("No experiment chosen")).to_be_visible()
    page.locator("label").filter(has_text=re.compile("^Quick$")).click()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("5")
    fill(page, "Epochs", "3")
    page.get_by_text("More settings", exact=True).click()
    fill(page, "Training images", "10000")
    fill(page, "Dropout rates", "0, 0.5")
    fill(page, "Seeds for each arm", "3")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url("**arms=0%2C0.5*")
    assert "seeds=3" in page.url
    expect(page.get_by_text("of 6 runs finished")).to_be_visible()
    wait_until(lambda: len(epochs_drawn(page)) == 2 and min(epochs_drawn(page)) >= 1, "both panels show an epoch")
    snap(page, "live")
    page.evaluate("document.querySelector('.live-chart').marked = true")
    expect(page.get_by_role("button", name="Stop all")).to_have_count(0, timeout=240_000)
    expect_drawn(page, [3, 3])
    ranges = page.evaluate("[...document.querySelectorAll('.live-chart')].map(chart => chart.layout.yaxis.range)")
    assert page.evaluate("document.querySelector('.live-chart').marked") is True  # the end disturbs no chart
    assert ranges[0] == ranges[1]  # the same axes, or they could not be compared

    headline = page.get_by_role("heading", name=re.compile(r"Dropout 0\.5|dropout 0\.5|No answer|too little to matter"))
    expect(headline).to_be_visible()
    verdict = headline.inner_text()
    expect(page.get_by_text("95% intervals").or_(page.get_by_text("95 % intervals")).first).to_be_visible()
    table = page.get_by_test_id("stTable")
    assert re.search(r"0\.\d{3} ± 0\.\d{3}", table.locator("tr", has_text="3 of 3").first.inner_text())

    page.get_by_text("In one chart", exact=True).click()
    wait_until(lambda: len(epochs_drawn(page)) == 1, "one chart holds both arms")
    snap(page, "overlay")
    expect(table.get_by_text("Test accuracy, last epoch")).to_have_count(0)
    page.get_by_role("button", name="Reveal test figures").click()
    expect(table.get_by_text("Test accuracy, last epoch")).to_be_visible()
    snap(page, "revealed")

    expect(page.get_by_text("Stars are given at the last epoch.")).to_be_visible()
    page.get_by_text("Best epoch", exact=True).click()
    expect(page.get_by_text("Stars are given at each run's best epoch")).to_be_visible()
    fill(page, "Margin, points of accuracy", "1")
    expect(page.get_by_text("the margin of 1 percentage point")).to_be_visible()
    wait_until(lambda: "epoch=best" in page.url and "margin=1" in page.url, "the address says how it is read")
    verdict = headline.inner_text()

    other = open_page(page.url, width=390, dark=True)  # a student opens the teacher's link
    expect(other.get_by_text(verdict)).to_be_visible()
    expect(other.get_by_label("Dropout rates", exact=True)).to_have_value("0, 0.5")
    snap(other, "phone-dark")


def test_zoom_is_shared_by_the_panels_and_survives_new_epochs(lab, open_page):
    page = open_page(f"{lab}/compare", height=1400)
    fill(page, "Epochs", "20")
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_until(lambda: len(epochs_drawn(page)) == 2 and min(epochs_drawn(page)) >= 2, "both panels show two epochs")
    box = page.locator(".live-chart .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 45, steps=5)
    page.mouse.up()
    ranges = "[...document.querySelectorAll('.live-chart')].map(chart => chart.layout.xaxis.range[1])"
    wait_until(lambda: max(page.evaluate(ranges)) < 15, "the drag zooms both panels")
    zoomed, seen = page.evaluate(ranges), min(epochs_drawn(page))
    wait_until(lambda: min(epochs_drawn(page)) >= seen + 2, "two more epochs are drawn")
    assert page.evaluate(ranges) == zoomed
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_text("0 of 2 runs have finished")).to_be_visible()


def test_a_broken_link_gets_a_sentence_and_a_usable_form(lab, open_page):
    page = open_page(f"{lab}/compare?arms=0,x&seeds=5")
    expect(page.get_by_text("The link does not describe an experiment.")).to_be_visible()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_enabled()
    fill(page, "Dropout rates", "0.2")
    expect(page.get_by_text("A comparison must have 2 to 8 arms")).to_be_visible()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
