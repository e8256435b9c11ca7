"""Taking things along in a real browser, and opening the report where there is no network."""

import json
import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.test_lab import badge
from tests.conftest import wait_until


def make_and_download(page: Page, label: str, folder: Path) -> Path:
    """Open the menu by the keyboard, choose, make, and save the file."""
    # What opens keeps its place, so the page must have found its own, and what is open may stand elsewhere by now.
    wait_until(lambda: page.locator("[data-testid=stSkeleton]").count() == 0, "the page is complete")
    choice = page.get_by_role("combobox", name=re.compile("What to take along"))
    page.keyboard.press("Escape")
    expect(choice).to_be_hidden()
    page.get_by_role("button", name="Take away").focus()
    page.keyboard.press("Enter")
    choice.click()
    page.get_by_role("option", name=label, exact=True).click()
    make = page.get_by_role("button", name=re.compile("^Make "))
    expect(make).to_be_visible()
    menu = page.get_by_test_id("stPopoverBody")
    before = menu.bounding_box()
    make.click()
    button = page.get_by_role("button", name="Download", exact=True)
    expect(button).to_be_visible(timeout=240_000)
    wait_until(lambda: menu.bounding_box() == before, "the menu stands where it stood, and is as large")
    with page.expect_download() as download:
        button.click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_a_report_opens_without_a_network_and_settings_come_back(
    browser: Browser, start_server, real_data_mirror, open_page, snap, tmp_path
):
    address = start_server(DROPOUT_LAB_MIRROR=real_data_mirror)
    page = open_page(f"{address}/?preset=Quick&epochs=2&training_images=10000")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**run=*")
    expect(badge(page, "Finished")).to_be_visible(timeout=240_000)
    key = page.url.partition("run=")[2][:16]
    report = make_and_download(page, "Report", tmp_path)
    assert report.name == f"run-{key}.html"
    snap(page, "menu")

    for width in (1280, 390):
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        asked: list[str] = []
        opened = context.new_page()
        opened.on("request", lambda request, asked=asked: asked.append(request.url))
        opened.goto(report.as_uri())
        expect(opened.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Run \d+$"))
        expect(opened.get_by_role("img", name=re.compile("Training and validation loss"))).to_be_visible()
        assert opened.locator(".pictures img").count() == 20
        assert opened.evaluate("[...document.images].every(image => image.naturalWidth === 28)")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        assert not [url for url in asked if not url.startswith(("file:", "data:"))]
        opened.screenshot(path=tmp_path / f"report-{width}.png", full_page=True)
        if width == 1280:
            opened.emulate_media(media="print")
            expect(opened.get_by_text("The script that makes it again")).to_be_hidden()
            assert opened.pdf(format="A4").startswith(b"%PDF")
        context.close()

    settings = make_and_download(page, "Settings", tmp_path)
    assert json.loads(settings.read_text(encoding="utf-8"))["key"] == key
    other = open_page(address)
    other.get_by_role("button", name="From a file").click()
    other.locator("input[type=file]").set_input_files(settings)
    expect(other.get_by_text(f"They are those of run {key}")).to_be_visible()
    other.keyboard.press("Escape")
    other.get_by_role("button", name="Train", exact=True).click()
    other.wait_for_url(f"**run={key}*")  # the same settings lead to the same run
