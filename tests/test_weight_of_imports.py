"""Nothing heavy is imported before it is needed: each case is a fresh process that says what it has loaded."""

import subprocess
import sys

from tests.test_house import MODULES, ROOT, imported

HEAVY = {"torch", "torch._dynamo", "torchvision", "pandas", "sklearn", "scipy", "nbformat"}
# A page is a script, which must not run here: what it imports are the lines that say so.
PAGES = """
import ast, importlib, sys
from pathlib import Path
for file in sorted(Path("ui").glob("**/*.py")):
    importlib.import_module(".".join(file.with_suffix("").parts))
for file in sorted(Path("pages").glob("*.py")):
    imports = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), file, "exec"))
import app
"""


def loaded(program: str) -> set[str]:
    """The heavy packages that a process has loaded after `program`."""
    command = [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return HEAVY & set(done.stdout.split())


def test_the_web_server_and_all_pages_do_without_torch_and_scikit_learn():
    assert loaded(PAGES) <= {"pandas"}


def test_what_makes_exports_does_without_torch_and_scikit_learn():
    assert loaded("import fmnist_core.export.make") <= {"pandas", "scipy"}


def test_a_worker_loads_torch_and_nothing_else_that_is_heavy():
    assert loaded("import fmnist_core.jobs.worker") == {"torch"}


def test_whoever_fetches_the_official_files_need_not_load_torchvision():
    assert loaded("from fmnist_core.data.download import official_mirrors\nofficial_mirrors()") == set()


TRAINING = """
from pathlib import Path
from fmnist_core.config import RunConfig
from fmnist_core.data.sources import draw
from fmnist_core.data.mapped import mapped
from fmnist_core.jobs.worker import train_stored_run
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
settings = Settings(home=Path({home!r}))
data = mapped(draw(), settings.data_cache)
store = Store(settings.database_url)
key = store.request(RunConfig(hidden=(8,), epochs=1, batch_size=1024), data.name, data.fingerprint)
train_stored_run(settings, key, "me")
assert store.run(key).status == "finished", store.run(key)
"""


def test_a_worker_that_has_trained_a_run_has_loaded_no_more(tmp_path):
    assert loaded(TRAINING.format(home=str(tmp_path))) == {"torch"}


def test_torch_stays_where_networks_are_trained():
    """Also within functions: elsewhere nothing can load it by accident."""
    found = {name for name, file in MODULES.items() if "torch" in {other.partition(".")[0] for other in imported(file)}}
    assert found == {
        "fmnist_core.data.torchvision_import",
        *(f"fmnist_core.jobs.{name}" for name in ("device", "recording", "stack", "worker")),
        *(f"fmnist_core.network.{name}" for name in ("augmentation", "batches", "evaluation", "fast_step", "model")),
        *(f"fmnist_core.network.{name}" for name in ("denormals", "optimizers", "running_loss", "training")),
        *(f"fmnist_core.network.stacked_{name}" for name in ("draws", "networks", "step", "training")),
    }
