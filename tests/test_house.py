"""What holds for the whole project: formatted, linted and typed; imports point one way; README and CI agree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Imports may only point from an earlier one to a later one.
LAYERS = ("app", "pages", "ui", "fmnist_core")


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=["lint", "format", "types"],
)
def test_the_code_is_clean(command):
    outcome = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def imported(file: Path) -> set[str]:
    """The top-level names of the packages that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer):
    files = [ROOT / "app.py"] if layer == "app" else sorted((ROOT / layer).glob("**/*.py"))
    assert files
    above = set(LAYERS[: LAYERS.index(layer)])
    for file in files:
        assert not imported(file) & above, file


def test_the_core_knows_no_streamlit():
    for file in (ROOT / "fmnist_core").glob("**/*.py"):
        assert "streamlit" not in imported(file), file


def test_caches_live_in_the_handles_alone():
    for folder in ("pages", "ui"):
        for file in (ROOT / folder).glob("**/*.py"):
            assert ("st.cache_" in file.read_text(encoding="utf-8")) == (file.name == "handles.py"), file


def test_requirements_are_pinned():
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"[\w.-]+==[\w.]+|-r requirements\.txt", line), line
