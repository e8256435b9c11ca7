"""The Runs page in a real browser: find, select, write, delete, undo, and what a slide shows."""

import re

import pytest
from playwright.sync_api import Page, expect

from fmnist_core.config import RunConfig
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
from tests.browser.conftest import running_server
from tests.conftest import epoch_result, wait_until

HOSTILE = "<b>mine</b> :smile: $x$ -> www.example.org"
ROW, HEAD = 35, 36  # pixels of the table's rows and its head


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def lab_with_runs(home, real_data_mirror, fashion_mnist):
    """A server whose store holds six runs that have ended."""
    store = Store(Settings(home=home).database_url)
    for seed in range(6):
        config = RunConfig(hidden=(16,), epochs=3, seed=seed, dropout=0.1 * (seed % 2))
        key = store.request(config, fashion_mnist.name, fashion_mnist.fingerprint)
        network = model_to_bytes(MLP(config))
        store.leases.claim(key, "a worker")
        for epoch in (1, 2, 3):
            store.leases.record_epoch(key, "a worker", epoch_result(epoch, 0.6 / epoch + 0.01 * seed), b"", network)
        store.leases.end(key, "a worker", "finished", last=network)
    store.close()
    with running_server(home, DROPOUT_LAB_MIRROR=real_data_mirror) as address:
        yield address


def table(page: Page):
    return page.locator("[data-testid=stDataFrame]").first


def ready(page: Page) -> None:
    expect(table(page)).to_be_visible(timeout=240_000)  # a server that has just started loads its data first
    wait_until(lambda: page.locator("[data-testid=stSkeleton]").count() == 0, "the page is complete")


def select(page: Page, row: int) -> None:
    """Click the box at the left of a row, as soon as the table stands still."""
    boxes = []

    def stands_still() -> bool:
        boxes.append(table(page).bounding_box())
        return len(boxes) > 2 and boxes[-1] is not None and boxes[-3:] == [boxes[-1]] * 3

    wait_until(stands_still, "the table stands still")
    box = boxes[-1]
    page.mouse.click(box["x"] + 15, box["y"] + HEAD + ROW * row + ROW / 2)


def curves(page: Page) -> list[str]:
    script = "[...(document.querySelector('.st-key-runs-curves .js-plotly-plot')?.data ?? [])].map(one => one.name)"
    return page.evaluate(script)


def test_a_visitor_finds_names_compares_deletes_and_undoes(lab_with_runs, open_page, snap):
    page = open_page(f"{lab_with_runs}/runs")
    ready(page)
    expect(page.get_by_text("6 runs", exact=True)).to_be_visible()
    find = page.get_by_label("Find", exact=True)
    find.fill("dropout 0.1")
    find.press("Enter")
    expect(page.get_by_text("3 of 6 runs")).to_be_visible()
    ready(page)
    select(page, 0)
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^Run 6 "))).to_be_visible()

    page.get_by_text("Name and notes").click()
    page.get_by_label("Name", exact=True).fill(HOSTILE)
    page.get_by_label("Hypothesis").fill("# It overfits <i>later</i>")
    page.get_by_role("button", name="Save").click()
    heading = page.get_by_role("heading", name=re.compile("^Run 6 "))
    expect(heading).to_contain_text("<b>mine</b>")
    shown = heading.inner_text().replace("\N{WORD JOINER}", "")
    assert HOSTILE in shown
    assert heading.locator("b, a, img, .katex").count() == 0
    wait_until(lambda: [name for name in curves(page) if "&lt;b&gt;mine" in name], "the chart has the name")
    expect(page.locator(".st-key-runs-curves .legendtext").first).to_contain_text("<b>mine</b>")

    page.get_by_role("link", name="Predict", exact=True).last.click()  # the first one is the menu's
    answer = page.locator("[data-testid=stAlert]", has_text="Run 6")
    expect(answer).to_contain_text("<b>mine</b>")
    assert answer.locator("a, img, .katex, b").count() == 0
    expect(page.locator(".legendtext, .js-plotly-plot").first).to_be_visible()
    page.go_back()
    ready(page)
    expect(page.get_by_text("3 of 6 runs · 1 selected")).to_be_visible()  # the address has kept it

    find.fill("")
    find.press("Enter")
    expect(page.get_by_text("6 runs · 1 selected")).to_be_visible()  # it is still selected, in another table
    ready(page)
    select(page, 1)
    expect(page.get_by_text("2 runs side by side")).to_be_visible()
    wait_until(lambda: len(curves(page)) == 2, "both curves are drawn")
    expect(page.get_by_role("heading", name="What differs")).to_be_visible()
    snap(page, "two")

    page.locator(".st-key-runs-ask").get_by_role("button").click()
    page.get_by_role("button", name="Delete 2 runs").click()
    expect(page.get_by_text("4 runs", exact=True)).to_be_visible()
    expect(page.get_by_text("Deleted: Run 6")).to_be_visible()
    assert curves(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("6 runs · 2 selected")).to_be_visible()
    expect(page.get_by_text("Deleted: ")).to_have_count(0)


def test_the_keyboard_reaches_the_list_and_what_can_be_done(lab_with_runs, open_page):
    page = open_page(f"{lab_with_runs}/runs")
    ready(page)
    page.get_by_label("Find", exact=True).focus()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(str(page.evaluate("document.activeElement.innerText")).strip())
        if page.evaluate("document.activeElement.tagName") == "CANVAS":
            page.keyboard.press("ArrowDown")
            expect(table(page).get_by_test_id("glide-cell-1-1")).to_have_attribute("aria-selected", "true")
            page.keyboard.press("Shift+Space")
            break
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.locator(".st-key-runs-ask").get_by_role("button")).to_be_visible()
    ready(page)  # what stands after the list is drawn after it
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(str(page.evaluate("document.activeElement.innerText")).strip())
    assert "Waiting" in reached  # from which arrow keys lead to the other states
    assert any("Train again, new seed" in name for name in reached), reached
    assert any("Delete" in name for name in reached), reached


def test_it_fits_a_phone_in_the_dark(lab_with_runs, open_page, snap):
    page = open_page(f"{lab_with_runs}/runs", width=390, height=844, dark=True)
    ready(page)
    for row in range(5):
        select(page, row)
        expect(page.get_by_text(f"{row + 1} selected")).to_be_visible()
    expect(page.get_by_text("All of it at once")).to_be_visible()
    wait_until(lambda: page.locator(".st-key-runs-axes .js-plotly-plot").count() == 1, "the axes are drawn")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    snap(page, "five")


def test_a_slide_shows_the_newest_run_alone_and_follows(lab_with_runs, home, open_page, snap, fashion_mnist):
    page = open_page(f"{lab_with_runs}/?run=latest&embed=true")
    expect(page.get_by_role("heading", name=re.compile("^Run 6 "))).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    expect(page.get_by_role("link", name="Data")).to_have_count(0)
    expect(page.get_by_role("button", name="Train", exact=True)).to_have_count(0)
    snap(page, "newest")
    store = Store(Settings(home=home).database_url)
    key = store.request(RunConfig(hidden=(16,), epochs=3, seed=99), fashion_mnist.name, fashion_mnist.fingerprint)
    expect(page.get_by_role("heading", name=re.compile("^Run 7 "))).to_be_visible()
    wait_until(lambda: store.run(key).status == "finished", "the new run ends")
    wait_until(
        lambda: page.evaluate("document.querySelector('.js-plotly-plot')?.data?.[0]?.x?.length ?? 0") == 3,
        "all its epochs are on the slide",
    )
    store.close()
