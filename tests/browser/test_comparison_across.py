"""Another factor, a map across a second setting, and a click on its cell: on real images in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_comparison import fill
from tests.conftest import wait_until


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def test_a_map_of_weight_decay_across_images_from_setup_to_a_click_on_its_cell(lab, open_page, snap):
    page = open_page(f"{lab}/compare", height=1400)
    page.locator("label").filter(has_text=re.compile("^Quick$")).click()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("5")
    choose(page, "What differs", "Weight decay")
    fill(page, "Levels", "0, 0.01, 0.1")
    expect(page.get_by_text("Arms: no weight decay, weight decay 0.01, weight decay 0.1.")).to_be_visible()
    choose(page, "Across", "Training images")
    fill(page, "Values", "500, 3000")
    fill(page, "Epochs", "1")
    expect(page.get_by_text("6 runs", exact=True)).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url("**across=training_images*")
    expect(page.get_by_role("heading", name="Does weight decay help here?")).to_be_visible()

    expect(page.get_by_role("heading", name="What do you expect?")).to_be_visible()
    assert page.locator(".live-chart").count() == 0, "nothing is shown before the guess"
    page.get_by_text("helps most with 500 images").click()
    expect(page.get_by_text("Your guess: it helps most with 500 images.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop all")).to_have_count(0, timeout=240_000)
    cells = "document.querySelectorAll('.live-chart')[0]?.data?.[1]?.text ?? []"
    wait_until(lambda: len([text for text in page.evaluate(cells) if text]) == 4, "every cell has its difference")
    snap(page, "map")

    # The heatmap is an image: its first cell, the lower left one, lies a quarter of the way from its corner.
    plot = page.locator(".live-chart .nsewdrag").first.bounding_box()
    page.mouse.move(plot["x"] + plot["width"] / 4, plot["y"] + 3 * plot["height"] / 4)
    expect(page.locator(".hoverlayer").first).to_contain_text("500 images, weight decay 0.01")
    page.mouse.click(plot["x"] + plot["width"] / 4, plot["y"] + 3 * plot["height"] / 4)
    page.wait_for_url(lambda url: "across" not in url and "training_images=500" in url)
    expect(page.get_by_role("heading", name="One seed cannot settle it.")).to_be_visible()
    snap(page, "cell")
    expect(page.get_by_text("With seed 0, weight decay 0.01 against no weight decay")).to_be_visible()
    expect(page.get_by_label("Levels", exact=True)).to_have_value("0, 0.01, 0.1")

    page.go_back()
    page.wait_for_url("**across=training_images*")
    expect(page.get_by_text("Your guess: it helps most with 500 images.")).to_be_visible()
    expect(page.get_by_label("Values", exact=True)).to_have_value("500, 3000")

    phone = open_page(page.url, width=390, dark=True)
    phone.get_by_text("no idea, show it").click()
    wait_until(lambda: len([text for text in phone.evaluate(cells) if text]) == 4, "the map is drawn on a phone, too")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    snap(phone, "map-phone-dark")
