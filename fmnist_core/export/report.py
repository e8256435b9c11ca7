"""A report: one HTML file that opens offline and asks nobody for anything, on screen and on paper.

Its charts are drawn as SVG, not by plotly.js: that alone is 4.8 MB, which leaves no room below 5 MB, and shows nothing
where scripts do not run, as in mails, many learning platforms and print. The file has no script, and says so to the
browser: whatever text it holds, none of it can run.
"""

from importlib.resources import files
from typing import Any

from fmnist_core.charts.colours import run_colour
from fmnist_core.charts.learning_curves import learning_curves
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.material import Material, RunMaterial, StudyMaterial
from fmnist_core.export.report_comparison import grid_report, study_report
from fmnist_core.export.report_parts import (
    CURVES,
    NO_DATA,
    data_address,
    gallery,
    matrix_of,
    settings_table,
    tests_sentence,
    turned,
)
from fmnist_core.export.svg_chart import svg_chart
from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.results.diagnosis import diagnose
from fmnist_core.results.run_names import describe
from fmnist_core.results.selection import select
from fmnist_core.results.tables import epoch_table, epoch_table_words
from fmnist_core.wording import capitalised, counted, percentage


def report(material: Material, script: str = "", why_no_script: str = "") -> bytes:
    """The report of a run, a comparison or a grid; `script` makes it again, where there is one."""
    from jinja2 import Environment  # in the process that makes exports alone
    from markupsafe import Markup

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["markup"] = Markup  # for what the charts room and this one write, never for people's words
    template = environment.from_string(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    if isinstance(material, RunMaterial):
        context = _of_run(material)
    elif isinstance(material, StudyMaterial):
        context = study_report(material)
    else:
        context = grid_report(material)
    name = "run.py" if isinstance(material, RunMaterial) else "comparison.py"
    source = data_address("text/x-python;charset=utf-8", script.encode())
    common = {"notes": material.notes, "link": material.link, "classes": CLASSES}
    common |= {
        "why_no_script": f"No script: {why_no_script}." if why_no_script else "",
        "script": script,
        "script_name": name,
        "script_source": source,
    }
    return template.render(**common, **context).strip().encode()


def _of_run(material: RunMaterial) -> dict[str, Any]:
    run, epochs, config = material.run, material.epochs, material.run.config
    colour, is_article = run_colour(run.number), config.protocol == "article"
    validation = "Validation (test set)" if is_article else "Validation"
    charts = [
        svg_chart(
            learning_curves(
                epochs,
                metric=metric,
                colour=colour,
                total_epochs=config.epochs,
                best_epoch=run.best_epoch,
                dropout=config.dropout or config.input_dropout,
                validation_name=validation,
            ),
            alt=f"Training and validation {metric} over the epochs; best and last are in the table below",
        )
        for metric in CURVES
    ]
    diagnosis = diagnose(epochs)
    found, _, why = diagnosis.sentence.partition(": ")
    ended = "" if run.status == "finished" else f"The run ended early, after {counted(run.epochs_done, 'epoch')}. "
    answers = material.answers
    images = "test images, on which this run validates" if is_article else "validation images"
    return {
        "title": material.notes.name or f"Run {run.number}",
        "subtitle": f"{f'Run {run.number} · ' if material.notes.name else ''}{describe(config)} · {run.data_name} · "
        f"{run.key}",
        "question": "Is it overfitting? Where do training and validation loss part?",
        "verdict": {"headline": f"{found}.", "sentences": [f"{ended}{capitalised(why)}"]},
        "charts_heading": "Curves",
        "legend": "",
        "charts": charts,
        "figures": turned(epoch_table_words(epoch_table(epochs, material.tests)).rename_axis("Figure").reset_index()),
        "figures_caption": "The best epoch is the one with the lowest validation loss; training figures are measured "
        "with dropout off; the gap is validation loss minus training loss."
        + (" Validation is on the test set, so the best epoch looks better than it is." if is_article else ""),
        "tests_sentence": tests_sentence(bool(material.tests)),
        "matrices": []
        if answers is None
        else [
            matrix_of(
                answers,
                colour,
                f"Best epoch, {len(answers.labels):,} {images}: "
                f"{percentage(float((answers.predicted == answers.labels).mean()))} are right. "
                "Columns say what they are taken for.",
            )
        ],
        "galleries": []
        if answers is None
        else [
            gallery(
                "The most confident ones, surest first",
                answers,
                select("confident mistakes", answers.labels, answers.probabilities),
            )
        ],
        "no_answers": NO_DATA if answers is None else "",
        "settings": settings_table(config),
        "settings_caption": f"All that decides the run's figures, with the data set ({run.data_name}, fingerprint "
        f"{run.data_fingerprint}) and version {TRAINING_VERSION} of the training code.",
        "again": f"The run's key is {run.key}: the same settings, data and training code give the same key, and on the "
        "same kind of machine the same figures, bit for bit. It trained "
        + (f"with torch {run.torch_version} on {run.processor}." if run.torch_version else "on an unknown machine."),
    }
