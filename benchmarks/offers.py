"""The three experiments that the Compare page offers: `python -m benchmarks.offers [home]`.

Asks for each as one click does, and prints when all of its runs had finished and what it found. Without a home folder
it works in a store of its own; in a given one, what is stored there is not trained again.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.server import settings_at
from fmnist_core.comparison.differences import difference_text
from fmnist_core.comparison.experiment import OFFERS
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.grid_results import grid_sentences, weigh_grid
from fmnist_core.comparison.measures import MEASURES
from fmnist_core.comparison.progress import collect, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.data.sources import load
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns


def run_all(store: Store, dispatcher: Dispatcher, experiment: Study | Grid, data_name: str, fingerprint: str) -> float:
    """Ask for all runs and wait until they have ended; seconds."""
    began, pause = time.perf_counter(), threading.Event()
    keys = store.request_all(experiment.configs(), data_name, fingerprint)
    dispatcher.wake()
    while any(run.is_active for run in store.runs_of(keys).values()):
        pause.wait(0.1)
    return time.perf_counter() - began


def print_found(grid: Grid, shared: SharedRuns, fingerprint: str) -> None:
    """Print the differences at each value and the answer, as the page has them."""
    runs_of = [collect(study, stored_runs(study, shared, fingerprint), shared).runs for study in grid.studies]
    results = weigh_grid(grid, runs_of)
    print(f"| {grid.second.name.lower()} | pairs | overfitting gap | validation loss | validation accuracy |")
    print("|---|---|---|---|---|")
    for cell in results.cells:
        found = [
            difference_text(cell.evidence.differences[metric]) + (" ★" if metric in cell.evidence.settled else "")
            for metric in MEASURES
            if metric in cell.evidence.differences
        ]
        print(f"| {grid.second.label(cell.value)} | {len(cell.evidence.seeds)} | {' | '.join(found)} |")
    print("", *grid_sentences(results), "", sep="\n")


def main(home: Path) -> None:
    settings = settings_at(home)
    data = load(settings)
    assert data.is_real, data.notes
    store = Store(settings.database_url)
    with Dispatcher(store, settings) as dispatcher:
        for offer in OFFERS:
            seconds = run_all(store, dispatcher, offer.grid, data.name, data.fingerprint)
            print(f"{offer.name}: {len(offer.grid.configs())} runs, {seconds:.0f} s\n")
            print_found(offer.grid, SharedRuns(store), data.fingerprint)
    store.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))
