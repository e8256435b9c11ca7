"""The table of `python -m benchmarks`, in miniature: six hundred images, the project's own contenders."""

import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from itertools import islice

import pytest

from benchmarks import arms, table
from benchmarks.contenders import ARTICLE, CONTENDERS, RECIPE, Contender
from benchmarks.server import Laboratory
from benchmarks.turns import Turn, take_turns
from fmnist_core.data.mapped import mapped
from tests.conftest import make_tiny_dataset

BY_MODULE = {contender.module: contender for contender in CONTENDERS}
ABSENT = Contender(name="A peer", module="absent", packages=("no_such_package",), recipe=ARTICLE)
LEARNING = [contender for contender in CONTENDERS if contender.recipe and not contender.missing]


@pytest.fixture
def tiny_lab(settings, store):
    data = mapped(replace(make_tiny_dataset(), name="Drawn garments"), settings.data_cache)
    return Laboratory(home=settings.home, data=data, store=store)


def cells_of(text):
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: dict(zip(table.HEADINGS[1:], rest, strict=True)) for first, *rest in rows[1:]}


def turn(seconds, epochs):
    return Turn(seconds=seconds, processor_seconds=seconds, brought=epochs, peak_megabytes=1.0)


@pytest.mark.timeout(600)  # it starts ten processes that import torch, which a busy machine takes minutes for
def test_the_table_in_miniature(tiny_lab, monkeypatch):
    monkeypatch.setattr(table, "first_point_seconds", lambda lab, count: [0.5] * count)
    monkeypatch.setattr(table, "EIGHT_ARMS", replace(arms.EIGHT_ARMS, levels=(0.0, 0.5), seeds=1))
    contenders = [BY_MODULE["lab"], BY_MODULE["products"], ABSENT]
    text = table.table(tiny_lab, contenders, rounds=1, seeds=2, target=0.0)
    rows = cells_of(text)
    assert re.match(r"\d+ \w+ \d{4}; \d+ cores? of .+; medians of 1 round, accuracy of 2 seeds; torch [\d.]+", text)

    lab, products, absent = (rows[contender.name] for contender in contenders)
    for column in ("one core", "dropout, all cores", "two arms", "8 arms, 5 seeds", "first point"):
        assert re.fullmatch(r"[\d.]+( ¹)?", lab[column]), column
        assert float(lab[column].split()[0]) > 0
    assert re.fullmatch(r"[\d.]+ \(epoch 1\)", lab["to 87.95 %"])
    assert [products[column] for column in ("dropout, one core", "two arms", "to 87.95 %")] == ["-", "-", "-"]
    assert 30 < int(products["peak memory"].removesuffix(" MB")) < 2000
    assert absent["one core"] == "not installed: `pip install no_such_package`"
    assert {*absent.values()} == {absent["one core"], "-"}


def test_others_arms_are_reckoned_and_their_recipe_is_marked():
    article = BY_MODULE["article_loop"]
    epochs = {
        column: {article.module: [turn(seconds, 0.8), turn(9.0, 0.8), turn(seconds, 0.8)]}
        for column, seconds in zip(table.COLUMNS, (5.0, 3.0, 6.0, 4.0), strict=True)
    }
    runs = {article.module: [turn(40.0, 12)]}
    found = table.Measured(epochs=epochs, runs=runs, two_arms=[], eight_arms=[], first_points=[])
    cells = dict(zip(table.HEADINGS, table.row(article, found), strict=True))
    assert [cells[heading] for heading in table.HEADINGS[1:5]] == ["5.00", "3.00", "6.00", "4.00"]
    least = min(5 * (3.0 + 4.0), 5 * (5.0 + 6.0) / len(arms.cores()))
    assert cells["two arms"] == f"≈ {table.seconds_text(least)}"
    assert cells["to 87.95 %"] == "40.0 (epoch 12) ²"
    assert cells["first point"] == "-"


@pytest.mark.parametrize("contender", LEARNING, ids=lambda contender: contender.module)
def test_every_contender_learns(contender):
    config = replace(contender.recipe, batch_size=64, epochs=12)
    run = import_module(f"benchmarks.contenders.{contender.module}").epochs(config, make_tiny_dataset())
    accuracies = [*islice(run, config.epochs)]
    assert len(accuracies) == config.epochs
    assert max(accuracies) > 0.5  # ten classes, equally often


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        ([turn(3.0, 2), turn(1.0, 1), turn(2.0, 2)], "2.00 (epoch 2)"),
        ([turn(3.0, 2), turn(1.0, None), turn(2.0, 2)], "3.00 (epoch 2, 2 of 3 seeds)"),
        ([turn(3.0, None), turn(1.0, None), turn(2.0, 2)], f"not in {RECIPE.epochs} epochs, 1 of 3 seeds"),
    ],
)
def test_a_seed_without_the_accuracy_counts_as_slowest(turns, text):
    assert table.run_text(BY_MODULE["jax_scan"], turns) == text


def breaks_off():
    yield
    raise ArithmeticError("no more")


def test_who_breaks_off_is_named(capfd):
    with pytest.raises(RuntimeError, match="breaks_off"):
        take_turns([breaks_off], 1, one_core=True)
    assert "ArithmeticError: no more" in capfd.readouterr().err


def test_the_command_names_its_contenders():
    command = [sys.executable, "-m", "benchmarks", "--only", "nobody"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert all(module in outcome.stderr for module in BY_MODULE)
