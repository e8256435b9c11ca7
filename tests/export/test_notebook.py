"""Notebooks: the same cells as the script's."""

import re

import nbformat
import pytest

from fmnist_core.export.notebook import notebook
from tests.export.test_script import every_script


@pytest.fixture(scope="module")
def scripts():
    return every_script()


def test_every_notebook_is_valid_and_has_the_scripts_code(scripts):
    for script in scripts.values():
        made = nbformat.reads(notebook(script).decode(), as_version=4)
        nbformat.validate(made)
        code = "\n\n\n# %%\n".join(cell.source for cell in made.cells if cell.cell_type == "code")
        prose = re.compile(r"# %% \[markdown\]\n(?:#.*\n)+\n\n")
        assert prose.sub("", script.partition("\n")[2]).strip() == f"# %%\n{code}"


def test_a_notebooks_prose_is_the_scripts_comments(scripts):
    first, *_ = nbformat.reads(notebook(scripts["Article"]).decode(), as_version=4).cells
    assert first.cell_type == "markdown"
    assert first.source.startswith("# Article · seed 0\n\nThis is a run of Dropout Lab")
    assert "\n\nIt needs numpy" in first.source


def test_the_same_script_gives_the_same_bytes(scripts):
    assert notebook(scripts["Best"]) == notebook(scripts["Best"])
