"""Makes one export in a process of its own: `python -m fmnist_core.export.make FILE`, the wish on standard input.

What it needs, pandas, Plotly and more, ends with it, and the server's threads have nothing to do meanwhile.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from fmnist_core.export import config_file, tables
from fmnist_core.export.event_files import run_event_files, study_event_files
from fmnist_core.export.gathering import gather
from fmnist_core.export.kinds import Subject
from fmnist_core.export.material import GridMaterial, Material, RunMaterial, StudyMaterial
from fmnist_core.export.model_card import model_card
from fmnist_core.export.notebook import notebook
from fmnist_core.export.onnx_file import onnx_file
from fmnist_core.export.report import report
from fmnist_core.export.request import ExportRequest
from fmnist_core.export.script import comparison_script, run_script
from fmnist_core.export.settings_used import ExportError
from fmnist_core.export.weights_file import weights_file
from fmnist_core.settings import Settings
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import Store

NICENESS = 5  # below pages and runs, and yet somebody waits: a third of a core while all of them train


def _script_of(material: RunMaterial | StudyMaterial) -> str:
    words = {"title": material.notes.name, "hypothesis": material.notes.hypothesis}
    words["conclusion"] = material.notes.conclusion
    if isinstance(material, RunMaterial):
        return run_script(material.run, material.epochs, test=material.tests.get("last"), **words)
    return comparison_script(material.study, material.collected.runs, reading=material.reading, **words)


def _notebook_of(material: RunMaterial | StudyMaterial) -> bytes:
    return notebook(_script_of(material))


def _report_of(material: RunMaterial | StudyMaterial) -> bytes:
    """The report with the script in it, where there can be one."""
    try:
        return report(material, _script_of(material))
    except ExportError as error:
        return report(material, why_no_script=str(error))


_OF_RUN: dict[str, Callable[[RunMaterial], bytes | str]] = {
    "report": _report_of,
    "script": _script_of,
    "notebook": _notebook_of,
    "weights": weights_file,
    "settings": lambda material: config_file.config_file(material.run),
    "onnx": onnx_file,
    "tensorboard": run_event_files,
    "card": model_card,
    "history": tables.run_history,
    "latex": tables.run_latex,
}
_OF_STUDY: dict[str, Callable[[StudyMaterial], bytes | str]] = {
    "report": _report_of,
    "script": _script_of,
    "notebook": _notebook_of,
    "tensorboard": study_event_files,
    "figures": tables.study_figures,
    "history": tables.study_history,
    "latex": tables.study_latex,
}
_OF_GRID: dict[str, Callable[[GridMaterial], bytes | str]] = {
    "report": report,
    "figures": tables.grid_figures,
    "latex": tables.grid_latex,
}
MAKERS: dict[Subject, frozenset[str]] = {
    "run": frozenset(_OF_RUN),
    "study": frozenset(_OF_STUDY),
    "grid": frozenset(_OF_GRID),
}


def make(kind: str, material: Material) -> bytes:
    """The content of one export's file."""
    if isinstance(material, RunMaterial):
        content = _OF_RUN[kind](material)
    elif isinstance(material, StudyMaterial):
        content = _OF_STUDY[kind](material)
    else:
        content = _OF_GRID[kind](material)
    return content if isinstance(content, bytes) else content.encode()


def main(file: Path, wish: str) -> int:
    """Write the file whole, or say on standard output why there is none; returns the exit status."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    request, settings = ExportRequest.from_json(wish), Settings.from_environment()
    try:
        store = Store(settings.database_url)
        content = make(request.kind, gather(request, settings, store))
    except (ExportError, StoreError) as error:
        print(json.dumps({"problem": str(error)}))
        return 1
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(content)
    part.replace(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.read()))
