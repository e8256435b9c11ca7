"""What a report of a comparison says, of one or of one across a second setting."""

from typing import Any

from fmnist_core.charts.arm_curves import ArmCurves, arm_panels, line_legend
from fmnist_core.charts.colours import arm_colour
from fmnist_core.charts.difference_chart import paired_differences
from fmnist_core.charts.grid_charts import difference_map, differences_across, means_across
from fmnist_core.comparison.arms import by_level
from fmnist_core.comparison.conditions import trained_apart
from fmnist_core.comparison.grid_results import grid_sentences, grid_words, weigh_grid
from fmnist_core.comparison.measures import MEASURES, measure_name
from fmnist_core.comparison.reading import epoch_caption
from fmnist_core.comparison.verdict import Verdict, conclude
from fmnist_core.export.material import Answers, GridMaterial, StudyMaterial
from fmnist_core.export.report_parts import (
    CURVES,
    NO_DATA,
    gallery,
    matrix_of,
    settings_table,
    table_of,
    tests_sentence,
    turned,
)
from fmnist_core.export.svg_chart import svg_chart
from fmnist_core.export.tables import study_words
from fmnist_core.results.selection import Choice, select
from fmnist_core.wording import capitalised, percentage

_AGAIN = "The link holds the whole setup. Runs that are stored are found again, and all others trained."


def study_report(material: StudyMaterial) -> dict[str, Any]:
    """What the template needs, of a comparison."""
    study, runs, reading = material.study, material.collected.runs, material.reading
    factor, protocol = study.factor, study.base.protocol
    first, second = study.levels[0], material.second
    verdict = conclude(runs, factor, first, second, material.reveal_tests, reading)
    validation = "Validation (test set)" if protocol == "article" else "Validation"
    arms = [
        ArmCurves(capitalised(factor.arm_name(level)), arm_colour(place), tuple(one.epochs for one in arm))
        for place, (level, arm) in enumerate(by_level(runs).items())
    ]
    charts = [
        svg_chart(figure, alt=f"{capitalised(metric)} of {arm.name} over the epochs, mean of all seeds")
        for metric in CURVES
        for arm, figure in zip(
            arms,
            arm_panels(arms, metric=metric, total_epochs=study.total_epochs, validation_name=validation),
            strict=True,
        )
    ]
    taken = epoch_caption(reading.epoch, protocol, reading.views(study.shared_epochs))
    apart = trained_apart(runs, first, second)
    return {
        "title": material.notes.name or factor.question,
        "subtitle": f"{study.describe()} · arms: {', '.join(map(factor.arm_name, study.levels))}",
        "question": f"{factor.question} {factor.purpose} {study.sharing().replace('**', '')}",
        "verdict": {
            "headline": verdict.headline,
            "sentences": [*verdict.sentences, *([apart] if apart else [])],
            "chart": _differences(material, verdict),
            "caption": f"{capitalised(factor.subject(second))} minus {factor.subject(first)}, with 95% intervals. "
            f"{taken} Filled points may be claimed, hollow ones not. Small ticks are single pairs; dotted lines, where "
            f"they are near, the margin of {reading.margin_words}.",
        },
        "charts_heading": "Curves",
        "legend": line_legend(
            metric="loss",
            overlaid=False,
            several_seeds=study.seeds > 1,
            with_reference=False,
            with_dropout=any(config.dropout > 0 for config in study.configs()),
            validation_name=validation,
        ),
        "charts": charts,
        "figures": turned(study_words(material)),
        "figures_caption": "Mean ± standard deviation over the seeds that have finished. ★ marks the arm that is "
        "better than every other in a figure that the answer is about.",
        "tests_sentence": tests_sentence(material.reveal_tests),
        **_pair_of(material),
        "settings": settings_table(study.base, leaving_out=[factor.setting, "seed"]),
        "settings_caption": f"What all arms share. {factor.name}: {', '.join(map(factor.label, study.levels))}. "
        f"Seeds: {study.base.seed} to {study.base.seed + study.seeds - 1}.",
        "again": _AGAIN,
    }


def _differences(material: StudyMaterial, verdict: Verdict) -> str:
    if not verdict.differences:
        return ""
    study = material.study
    figure = paired_differences(
        verdict.differences,
        settled=verdict.settled,
        arm=study.factor.subject(material.second),
        protocol=study.base.protocol,
        colour=arm_colour(study.levels.index(material.second)),
        margin=material.reading.margin_share,
    )
    return svg_chart(figure, alt="Paired differences with their intervals, also in the sentences above")


def _pair_of(material: StudyMaterial) -> dict[str, Any]:
    """Matrices of one pair's two networks, and the images on which these differ."""
    if material.pair is None:
        return {"no_answers": "Confusion matrix and mistakes appear when a pair of runs has finished."}
    answers = [one.answers for one in material.pair]
    before, after = answers
    if before is None or after is None:
        return {"no_answers": NO_DATA}
    factor, levels, seed = material.study.factor, material.study.levels, material.pair[0].run.config.seed
    shown = (levels[0], material.second)
    matrices = [
        matrix_of(
            one,
            arm_colour(levels.index(level)),
            f"{capitalised(factor.arm_name(level))}, seed {seed}, best epoch: of {len(one.labels):,} images "
            f"{percentage(float((one.predicted == one.labels).mean()))} are right. "
            "Columns say what they are taken for.",
        )
        for one, level in zip((before, after), shown, strict=True)
    ]
    baseline, subject = factor.subject(levels[0]), factor.subject(material.second)
    differing: tuple[tuple[str, Choice, Answers], ...] = (
        (f"Right with {subject} alone: what the network with {baseline} says", "fixed", before),
        (f"Right with {baseline} alone: what the network with {subject} says", "broke", after),
    )
    galleries = [
        gallery(title, one, select(choice, one.labels, before.probabilities, after.probabilities))
        for title, choice, one in differing
    ]
    return {"matrices": matrices, "galleries": galleries}


def grid_report(material: GridMaterial) -> dict[str, Any]:
    """What the template needs, of a comparison across a second setting."""
    grid, protocol = material.grid, material.grid.study.base.protocol
    results = weigh_grid(grid, [one.runs for one in material.collected])
    differences = difference_map if len(grid.study.levels) > 2 else differences_across
    names = {metric: capitalised(measure_name(metric, protocol)) for metric in MEASURES}
    sentences = grid_sentences(results)
    values = ", ".join(map(grid.second.label, grid.values))
    return {
        "title": material.notes.name or f"{grid.study.factor.name} across {grid.second.name.lower()}",
        "subtitle": grid.describe(),
        "question": f"{grid.study.factor.question} And does that depend on {grid.second.name.lower()}?",
        "verdict": {"headline": sentences[0], "sentences": sentences[1:]},
        "charts_heading": "Charts",
        "legend": "",
        "charts": [
            svg_chart(draw(results, metric), alt=f"{names[metric]}: {what}, also in the table below", height=360)
            for metric in MEASURES
            for draw, what in ((differences, "paired differences"), (means_across, "mean of each arm"))
        ],
        "figures": table_of(grid_words(results)),
        "figures_caption": f"Differences to {grid.study.factor.arm_name(grid.study.levels[0])} at the last epoch, with "
        "95% intervals; ★: the sign is settled, held to 5% over the whole table.",
        "tests_sentence": "A comparison across a second setting looks at no test figure.",
        "settings": settings_table(grid.study.base, leaving_out=[grid.study.setting, grid.across, "seed"]),
        "settings_caption": f"What all runs share. {grid.study.factor.name}: "
        f"{', '.join(map(grid.study.factor.label, grid.study.levels))}; {grid.second.name.lower()}: {values}. "
        f"Seeds: {grid.study.base.seed} to {grid.study.base.seed + grid.study.seeds - 1}.",
        "again": _AGAIN,
    }
