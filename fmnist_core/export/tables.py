"""Figures for other programs: CSV with nothing rounded, LaTeX as papers print it."""

import pandas as pd

from fmnist_core.comparison.arms import arm_table, better_arms
from fmnist_core.comparison.grid_results import GridResults, grid_table, grid_words, weigh_grid
from fmnist_core.comparison.latex import latex_table
from fmnist_core.comparison.reading import epoch_phrase
from fmnist_core.comparison.setting_texts import SETTING_TEXTS
from fmnist_core.comparison.tables import csv_table, study_table
from fmnist_core.export.material import GridMaterial, RunMaterial, StudyMaterial
from fmnist_core.results.csv_text import csv_text
from fmnist_core.results.run_names import describe
from fmnist_core.results.tables import epoch_table, epoch_table_words


def run_history(material: RunMaterial) -> str:
    """The run's epochs as CSV: losses in nats, accuracies as shares."""
    return csv_text(material.epochs)


def run_latex(material: RunMaterial) -> str:
    """The run's best and last epoch as LaTeX."""
    words = epoch_table_words(epoch_table(material.epochs, material.tests))
    table = words.rename_axis("Figure").reset_index()
    name = " ".join(material.notes.name.split()) or f"Run {material.run.number}"  # an empty line would end a caption
    return latex_table(table, f"{name}: {describe(material.run.config)}, {material.run.data_name}.")


def study_figures(material: StudyMaterial) -> str:
    """Each arm's figures as CSV."""
    figures = arm_table(material.collected.runs, material.reveal_tests, material.reading.epoch)
    return csv_text(csv_table(figures, material.study.factor))


def study_history(material: StudyMaterial) -> str:
    """The epochs of all runs as CSV, a row for each epoch of each run, under level and seed."""
    setting, frames = material.study.setting, []
    for arm in material.collected.runs:
        frame = arm.epochs.copy()
        frame.insert(0, "seed", arm.seed)
        frame.insert(0, setting, SETTING_TEXTS[setting].write(arm.level))
        frames.append(frame)
    return csv_text(pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True))


def study_words(material: StudyMaterial) -> pd.DataFrame:
    """Each arm's figures in words, a row an arm; a star marks the better one."""
    runs, epoch = material.collected.runs, material.reading.epoch
    figures = arm_table(runs, material.reveal_tests, epoch)
    return study_table(figures, better_arms(runs, material.reveal_tests, epoch), material.study.factor, epoch)


def study_latex(material: StudyMaterial) -> str:
    """Each arm's figures as LaTeX."""
    return latex_table(
        study_words(material),
        f"{material.study.describe()}. Mean ± standard deviation over seeds. "
        f"★: settled to be better than every other arm, {epoch_phrase(material.reading.epoch)}.",
    )


def grid_figures(material: GridMaterial) -> str:
    """Means, spreads and differences at each value as CSV."""
    return csv_text(grid_table(_results(material)))


def grid_latex(material: GridMaterial) -> str:
    """The differences at each value as LaTeX."""
    grid = material.grid
    first = grid.study.factor.arm_name(grid.study.levels[0])
    caption = f"{grid.describe()}. Differences to {first}, with 95% intervals."
    return latex_table(grid_words(_results(material)), caption)


def _results(material: GridMaterial) -> GridResults:
    return weigh_grid(material.grid, [one.runs for one in material.collected])
