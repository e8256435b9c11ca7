"""What a visitor does, on real images in a real browser."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import wait_until

CHART = ".js-plotly-plot .nsewdrag"


def train(page: Page, preset: str, seed: int = 0) -> None:
    page.locator("label").filter(has_text=re.compile(f"^{preset}$")).click()
    seed_field = page.get_by_label("Seed", exact=True)
    if seed_field.input_value() != str(seed):
        seed_field.fill(str(seed))
        seed_field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**run=*")


def badge(page: Page, state: str) -> Locator:
    return page.locator(".stMarkdownBadge", has_text=state)


def points(page: Page) -> int:
    """Epochs that the first chart shows."""
    return page.evaluate("document.querySelector('.js-plotly-plot')?.data?.[0]?.x?.length ?? 0")


def axis_range(page: Page) -> list[float]:
    return page.evaluate("document.querySelector('.js-plotly-plot').layout.xaxis.range")


def test_a_visitor_trains_watches_reveals_and_predicts(start_server, real_data_mirror, open_page, snap):
    page = open_page(start_server(DROPOUT_LAB_MIRROR=real_data_mirror))
    expect(page.get_by_text("Nothing on the bench yet")).to_be_visible()
    snap(page, "first-visit")
    train(page, "Quick")
    page.wait_for_selector(CHART)
    expect(badge(page, "Finished")).to_be_visible(timeout=240_000)
    wait_until(lambda: points(page) == 5, "all five epochs are drawn")
    expect(page.get_by_text("Best epoch (5)")).to_be_visible()
    expect(page.get_by_text("Test accuracy", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Reveal test accuracy").click()
    expect(page.get_by_text("Test accuracy", exact=True)).to_be_visible()
    row = page.locator("tr", has_text="Last epoch (5)").inner_text()
    test_accuracy = float(re.findall(r"[\d.]+%", row)[-1].rstrip("%"))
    assert 88 <= test_accuracy <= 90.5, row
    snap(page, "finished")

    epochs = page.get_by_label("Epochs", exact=True)
    epochs.fill("7")
    epochs.press("Enter")
    page.get_by_role("button", name="Use these settings").click()
    expect(epochs).to_have_value("5")

    page.get_by_role("link", name="See what it predicts").click()
    expect(page.get_by_role("heading", name="What does it see?")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Run \d+ · no dropout: (right|wrong), "))).to_be_visible()
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(10)
    snap(page, "predict")


def test_the_chart_moves_keeps_its_zoom_and_everybody_sees_it(lab, open_page, snap):
    page = open_page(lab)
    train(page, "Article with dropout 0.2", seed=11)
    wait_until(lambda: points(page) >= 2, "two epochs are drawn")
    page.evaluate("document.querySelector('.js-plotly-plot').marked = true")

    box = page.locator(CHART).first.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 45, steps=5)
    page.mouse.up()
    wait_until(lambda: axis_range(page)[1] < 20, "the drag zooms")
    zoomed, seen = axis_range(page), points(page)
    wait_until(lambda: points(page) >= seen + 2, "two more epochs are drawn")
    assert axis_range(page) == zoomed
    assert page.evaluate("document.querySelector('.js-plotly-plot').marked") is True  # the very same element
    snap(page, "live")

    other = open_page(page.url, width=390, dark=True)  # another browser, given the link
    wait_until(lambda: points(other) >= seen, "another browser shows the run")
    count = points(other)
    wait_until(lambda: points(other) > count, "it is live there, too")
    page.reload()
    wait_until(lambda: points(page) >= count, "a refresh shows the same run")

    page.locator(".st-key-train-stop").get_by_role("button").click()
    expect(page.get_by_text("Stopped after")).to_be_visible()
    expect(other.get_by_text("Stopped after")).to_be_visible()
    stopped_at = points(page)
    snap(other, "phone-dark")

    page.get_by_role("button", name="Train", exact=True).click()  # goes on where it was
    expect(page.get_by_text("Stopped after")).to_have_count(0)
    wait_until(lambda: points(page) > stopped_at, "it goes on")
    page.locator(".st-key-train-stop").get_by_role("button").click()
    expect(page.get_by_text("Stopped after")).to_be_visible()


def test_the_loss_moves_within_the_first_epoch(lab, open_page, snap):
    page = open_page(lab)
    page.locator("label").filter(has_text=re.compile("^Article with dropout 0.2$")).click()
    layers = page.get_by_label("Hidden layers", exact=True)
    layers.fill("1024, 1024")  # an epoch takes long enough to be watched
    layers.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    drawn = []

    def grows() -> bool:
        line = page.evaluate(
            """document.querySelector('.js-plotly-plot')?.data
                ?.find((trace) => trace.name === "Training, within the epoch (dropout on)")?.x ?? []"""
        )
        if line and (not drawn or len(line) > len(drawn[-1])):
            drawn.append(line)
        return len(drawn) >= 3

    wait_until(grows, "the loss moves three times")
    assert drawn[0][0] > 0
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(drawn))
    assert axis_range(page)[1] < 3, "the axis spans the first epochs alone"
    snap(page, "within-the-epoch")
    page.locator(".st-key-train-stop").get_by_role("button").click()
    expect(page.get_by_text("Stopped after 0 of 30 epochs")).to_be_visible()
    wait_until(lambda: axis_range(page)[1] > 29, "what does not count is gone")


def test_the_articles_run_ends_where_its_published_logs_do(lab, open_page, snap):
    """Four published logs of the recipe end at accuracy 0.8795 ± 0.0025 and test loss 0.435 ± 0.023."""
    page = open_page(lab)
    train(page, "Article")
    expect(badge(page, "Finished")).to_be_visible(timeout=600_000)
    page.get_by_role("button", name="Reveal test accuracy").click()
    expect(page.get_by_text("Test accuracy", exact=True)).to_be_visible()
    row = page.locator("tr", has_text="Last epoch (30)").inner_text()
    training_loss, validation_loss, _gap, test_loss = (float(text) for text in re.findall(r"\s(-?\d\.\d{3})\b", row))
    validation_accuracy, test_accuracy = (float(text) / 100 for text in re.findall(r"([\d.]+)%", row)[1:])
    assert (test_loss, test_accuracy) == (validation_loss, validation_accuracy)  # the article validates on the test set
    assert test_accuracy == pytest.approx(0.8795, abs=3 * 0.0025), row
    assert test_loss == pytest.approx(0.435, abs=3 * 0.023), row
    assert training_loss < 0.25
    expect(page.get_by_text("Overfits since about epoch")).to_be_visible()
    snap(page, "article")


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("predict", "What does it see?"),
        ("inspect", "What does it get wrong?"),
        ("data", "What the networks look at"),
    ],
)
def test_a_cold_server_shows_the_page_that_the_address_names(
    path, heading, start_server, real_data_mirror, open_page, snap
):
    page = open_page(f"{start_server(DROPOUT_LAB_MIRROR=real_data_mirror)}/{path}")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_role("link", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    snap(page, path)


def test_every_picture_of_the_data_page_arrives(lab, open_page):
    page = open_page(f"{lab}/data")
    arrived = "[...document.images].filter(image => image.complete && image.naturalWidth > 0).length"
    wait_until(lambda: page.evaluate(arrived) == 20, "ten strips of samples and ten mean images are shown")


def test_a_cold_server_shows_train_by_its_name(start_server, real_data_mirror, open_page):
    page = open_page(f"{start_server(DROPOUT_LAB_MIRROR=real_data_mirror)}/train?run=0123456789abcdef")
    expect(page.get_by_text("This server has no run 0123456789abcdef")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)


@pytest.mark.parametrize("key", ["x", "0123456789ABCDEF", "%0A", "../../etc/passwd", "0123456789abcdef0"])
def test_a_malformed_run_in_the_address_gets_a_sentence(key, lab, open_page):
    page = open_page(f"{lab}/?run={key}")
    expect(page.get_by_text("is not a run's name")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()


def test_bad_input_gets_a_sentence_and_loses_nothing(lab, open_page, snap):
    page = open_page(lab)
    field = page.get_by_label("Hidden layers", exact=True)
    field.fill("256, many")
    field.press("Enter")
    expect(page.get_by_text("got 'many'")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    snap(page, "hidden")
    field.fill("64, 32")
    field.press("Enter")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_role("heading", name="What the networks look at")).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_label("Hidden layers", exact=True)).to_have_value("64, 32")


def test_without_data_the_lab_draws_its_own_and_tries_again_when_asked(
    tmp_path, real_data_mirror, start_server, open_page, snap
):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    # The discard port, at which nothing listens: so there is no way to torchvision's mirrors.
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    page = open_page(start_server(DROPOUT_LAB_MIRROR=mirror.as_uri(), **proxies))
    notice = page.get_by_text("Drawn garments in use.")
    expect(notice).to_be_visible(timeout=240_000)
    snap(page, "train")
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_text("Source: drawn by this program")).to_be_visible()
    expect(notice).to_be_visible()
    snap(page, "data")
    for file in Path(url2pathname(urlsplit(real_data_mirror).path)).glob("*.gz"):
        shutil.copy(file, mirror)
    page.get_by_role("button", name="Try again").click()
    expect(notice).to_have_count(0, timeout=240_000)
    expect(page.get_by_text("60,000 images to train on")).to_be_visible()


def test_every_page_fits_a_phone(lab, open_page, snap):
    for path in ("", "predict", "inspect", "data"):
        page = open_page(f"{lab}/{path}", width=390, height=844)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wait_until(lambda page=page: page.locator("[data-testid=stSkeleton]").count() == 0, "the page is complete")
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        snap(page, path or "train")


def test_an_edited_form_is_in_the_address_for_others_and_for_back(lab, open_page, browser):
    page = open_page(f"{lab}/?preset=Quick&epochs=1&training_images=500")
    seed = page.get_by_role("textbox", name="Seed", exact=True)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**run=*")
    first = page.url
    seed.fill("4177")
    seed.press("Enter")
    page.wait_for_url("**seed=4177*")
    edited = page.url
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(lambda url: url not in {first, edited})
    page.go_back()
    page.wait_for_url(edited)
    expect(seed).to_have_value("4177")
    expect(page.get_by_text("Run ", exact=False).first).to_be_visible()

    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == edited
    other = context.new_page()
    other.goto(link)
    expect(other.get_by_role("textbox", name="Seed", exact=True)).to_have_value("4177")
    context.close()


def test_where_nothing_may_be_copied_the_link_is_there_to_take_by_hand(lab, open_page):
    page = open_page(f"{lab}/data")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); }")
    page.get_by_role("button", name="Other samples").click()
    page.wait_for_url("**samples=1*")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("textbox", name="The link to this page")).to_have_value(page.url)
