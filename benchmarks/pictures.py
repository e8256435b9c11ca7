"""The README's pictures, made anew: `python -m benchmarks.pictures [home]`.

Starts the server, trains what the pictures show (about ten minutes on two cores; in a given home folder, what is stored
there already is not trained again), opens the pages in Chromium and writes `docs/*.png`.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from benchmarks.server import ROOT, running_server, settings_at, wait_until
from fmnist_core.comparison.experiment import OFFERS
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.sources import load
from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.store.runs import Store

CHROMIUM = "/usr/bin/chromium"
WIDTH = 1280  # pixels
COLOURS = 128  # of a picture: pages have few, and a clone should be small
TRAINING_LIMIT_SECONDS = 3600.0

ARTICLE = PRESETS[0].config
COMPARISON = Study(base=ARTICLE, levels=(0.0, 0.2), seeds=5)
ACROSS = OFFERS[1].grid


def train(store: Store, configs: Iterable[RunConfig], data_name: str, fingerprint: str) -> None:
    """Ask for runs, and wait until all of them are stored."""
    keys = store.request_all(list(configs), data_name, fingerprint)
    wait_until(
        lambda: not any(run.is_active for run in store.runs_of(keys).values()),
        "all runs have ended",
        TRAINING_LIMIT_SECONDS,
    )


def is_still(page: Page) -> bool:
    """Whether no script runs and every chart is drawn."""
    return page.get_by_test_id("stStatusWidget").count() == 0 and bool(
        page.evaluate("[...document.querySelectorAll('.live-chart')].every(chart => chart.querySelector('.main-svg'))")
    )


def take(page: Page, name: str, height: int, top: Locator | None = None) -> None:
    """Write what the page shows, from its top or from an element on, as a picture of few colours."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    if top is not None:
        top.evaluate("element => element.scrollIntoView()")
    wait_until(lambda: is_still(page), f"{name} is drawn")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)  # of transitions
    file = ROOT / "docs" / f"{name}.png"
    page.screenshot(path=file)
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


def take_all(page: Page, address: str, key_of: Callable[[RunConfig], str]) -> None:
    """Open each page as its picture shows it."""
    first, second = key_of(ARTICLE), key_of(PRESETS[1].config)

    def open_page(path: str, **said: str) -> None:
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        page.goto(f"{address}/{path}?{urlencode(said)}")

    open_page("compare", **COMPARISON.to_address())
    page.get_by_role("heading", name="Each arm's figures").wait_for()
    take(page, "compare", 1900)

    open_page("", run=first)
    page.get_by_text("overfits").first.wait_for()
    take(page, "train", 1000)

    open_page("compare", **ACROSS.to_address())
    page.get_by_text("no idea, show it").click()
    page.get_by_text("Figure", exact=True).wait_for()
    take(page, "when", 1200)

    open_page("predict", run=first, beside=second, images="test", show="fixed", often="on")
    page.get_by_text("fixed it.").first.wait_for()
    take(page, "predict", 1130)

    open_page("inspect", run=first, beside=second, cell="6-0")
    page.get_by_role("heading", name="Look at the images").or_(page.get_by_text("taken for").first).first.wait_for()
    take(page, "inspect", 1420)

    open_page("runs", runs=f"{first},{second}")
    page.get_by_role("heading", name="2 runs side by side").wait_for()
    take(page, "runs", 1480)

    open_page("lessons")
    page.get_by_role("heading", name="For teachers").wait_for()
    take(page, "lessons", 900)


def main(home: Path) -> None:
    data, settings = load(settings_at(home)), settings_at(home)
    assert data.is_real, data.notes
    store = Store(settings.database_url)
    try:
        with running_server(home) as server:
            configs = [*COMPARISON.configs(), *ACROSS.configs()]
            train(store, dict.fromkeys(configs), data.name, data.fingerprint)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
                take_all(page, server.address, lambda config: config.key(data.fingerprint, TRAINING_VERSION))
                browser.close()
    finally:
        store.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))
