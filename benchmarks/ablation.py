"""What each part of the preset Best is worth: `python -m benchmarks.ablation [home]`.

For each part a comparison as the Compare page makes it: Best against Best without the part, five seeds, on held-out
images. Best itself is trained once for all of them. Without a home folder it works in a store of its own; in a given
one, what is stored there is not trained again.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.offers import run_all
from benchmarks.server import settings_at
from fmnist_core.comparison.differences import difference_text
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.measures import MEASURES, measure_name
from fmnist_core.comparison.progress import collect, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.verdict import conclude
from fmnist_core.config import PRESETS
from fmnist_core.data.sources import load
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns

SEEDS = 5
# Each setting of Best that does something, and what takes it away.
WITHOUT: dict[str, Level] = {
    "batch_norm": False,
    "schedule": "constant",
    "hidden": (256, 128, 64),
    "label_smoothing": 0.0,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "weight_decay": 0.0,
}
_BEST = next(preset.config for preset in PRESETS if preset.name == "Best")


def comparison(setting: str) -> Study:
    """Best with and without a part."""
    levels = (getattr(_BEST, setting), WITHOUT[setting])
    return Study(base=_BEST, setting=setting, levels=levels, seeds=SEEDS)


def found(setting: str, shared: SharedRuns, fingerprint: str) -> str:
    """A row: what adding the part changes, where the rest is there; a star where the lab says that it does."""
    study = comparison(setting)
    runs = collect(study, stored_runs(study, shared, fingerprint), shared).runs
    ours = getattr(_BEST, setting)
    verdict = conclude(runs, study.factor, WITHOUT[setting], ours)
    cells = [difference_text(one) + (" ★" if one.metric in verdict.settled else "") for one in verdict.differences]
    name = f"{study.factor.name.lower()} {study.factor.label(ours)} instead of {study.factor.label(WITHOUT[setting])}"
    return f"| {name} | {' | '.join(cells)} | {verdict.headline} |"


def main(home: Path) -> None:
    """Print a Markdown row as soon as a comparison has ended."""
    settings = settings_at(home)
    data = load(settings)
    assert data.is_real, data.notes
    store = Store(settings.database_url)
    print(f"Best against Best without one part, {SEEDS} seeds, held-out images, last epoch\n")
    print(f"| part | {' | '.join(measure_name(metric, _BEST.protocol) for metric in MEASURES)} | the lab says |")
    print("|---" * (len(MEASURES) + 2) + "|")
    with Dispatcher(store, settings) as dispatcher:
        for setting in WITHOUT:
            run_all(store, dispatcher, comparison(setting), data.name, data.fingerprint)
            print(found(setting, SharedRuns(store), data.fingerprint), flush=True)
    store.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))
