"""Figures for other programs: CSV that reads back as stored, LaTeX that people's names cannot break."""

from io import StringIO

import numpy as np
import pandas as pd

from fmnist_core.export.tables import run_history, run_latex, study_history, study_latex
from fmnist_core.store.notes import Notes
from tests.export import hostile


def read(content):
    return pd.read_csv(StringIO(content))


def test_a_runs_history_is_the_stored_one(run_material):
    material = run_material()
    pd.testing.assert_frame_equal(read(run_history(material)), material.epochs, check_dtype=False)


def test_a_comparisons_history_has_every_epoch_of_every_run(trained):
    material = trained.material(trained.study_request())
    table = read(study_history(material))
    assert len(table) == 6 * 6
    for arm in material.collected.runs:
        rows = table[(table["dropout"] == arm.level) & (table["seed"] == arm.seed)]
        assert np.array_equal(rows["validation_loss"], arm.epochs["validation_loss"])


def test_a_runs_table_as_latex(run_material):
    content = run_latex(run_material(reveal_tests=True))
    losses = run_material().epochs["validation_loss"]
    assert f"Validation loss & {losses.min():.3f} & {losses.iloc[-1]:.3f}" in content
    assert r"Test accuracy & " in content
    assert "Test accuracy" not in run_latex(run_material())


def test_no_name_breaks_out_of_a_caption(run_material):
    content = run_latex(run_material(notes=Notes(name="one\n\ntwo}\\input{/etc/passwd}%" + hostile.NAME[:20])))
    caption = content.splitlines()[2]
    assert caption.startswith(r"\caption{one two\}\textbackslash{}input\{/etc/passwd\}\%")
    assert caption.endswith("}")
    assert content.count("\n\n") == 0


def test_a_comparisons_table_as_latex(trained):
    content = study_latex(trained.material(trained.study_request(reading={"epoch": "best"})))
    assert r"\toprule" in content
    assert "at each run's best epoch" in content
