"""What holds for the whole project: formatted, linted and typed; imports point one way; README and CI agree."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Imports may only point from an earlier one to a later one; the core's rooms likewise.
LAYERS = ("app", "pages", "ui", "fmnist_core")
ROOMS = (
    *("export", "charts", "pictures", "lessons", "comparison", "results", "jobs", "store", "network", "data"),
    *("config", "settings", "wording"),
)


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=["lint", "format", "types"],
)
def test_the_code_is_clean(command):
    outcome = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def modules() -> dict[str, Path]:
    """All modules of app, pages, ui and core by their dotted names."""
    files = [ROOT / "app.py", *(file for layer in LAYERS[1:] for file in sorted((ROOT / layer).glob("**/*.py")))]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = modules()


def imported(file: Path) -> set[str]:
    """The dotted names that a file imports, wherever in the file and also where only for types.

    `from a import b` counts as `a.b` where that is a module of the project, else as `a`.
    """
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            longer = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in longer.values()}
    return names


def floor(name: str) -> int | None:
    """How far down a module lies: the layer, and within the core the room. None for what is not the project's."""
    first, _, rest = name.partition(".")
    if first not in LAYERS:
        return None
    return LAYERS.index(first) + (1 + ROOMS.index(rest.partition(".")[0]) if first == "fmnist_core" and rest else 0)


def test_every_module_lies_in_a_room_and_every_room_is_there():
    found = {name.split(".")[1] for name in MODULES if name.startswith("fmnist_core.")}
    assert found == set(ROOMS)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down(name):
    for other in imported(MODULES[name]):
        below = floor(other)
        assert below is None or below >= floor(name), f"{name} imports {other}"


def test_no_imports_go_in_a_circle():
    graph = {name: {other for other in imported(file) if other in MODULES} for name, file in MODULES.items()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_the_core_knows_no_streamlit():
    for file in (ROOT / "fmnist_core").glob("**/*.py"):
        assert "streamlit" not in {name.partition(".")[0] for name in imported(file)}, file


def test_caches_have_two_homes():
    files = [file for folder in ("pages", "ui") for file in (ROOT / folder).glob("**/*.py")]
    found = {file.name for file in files if "st.cache_" in file.read_text(encoding="utf-8")}
    assert found == {"handles.py", "drawn_once.py"}


def test_requirements_are_pinned():
    for file in ROOT.glob("requirements*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"[\w.-]+==[\w.]+|-r requirements(-postgresql)?\.txt", line), line
