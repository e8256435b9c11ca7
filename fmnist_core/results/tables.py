"""The tables that pages show, as frames: shares as shares, losses in nats, nothing rounded."""

from collections.abc import Mapping

import pandas as pd

from fmnist_core.network.figures import Evaluation
from fmnist_core.results.diagnosis import best_epoch
from fmnist_core.store.run import Weights
from fmnist_core.wording import decimal


def epoch_table(epochs: pd.DataFrame, tests: Mapping[Weights, Evaluation] | None = None) -> pd.DataFrame:
    """One row for the best epoch and one for the last; `gap` is validation minus evaluated training loss.

    With `tests` there are also the columns test_loss and test_accuracy. `epochs` must not be empty.
    """
    numbers: dict[Weights, int] = {"best": best_epoch(epochs), "last": int(epochs["epoch"].iloc[-1])}
    columns = ["evaluated_training_loss", "validation_loss", "evaluated_training_accuracy", "validation_accuracy"]
    rows = epochs.set_index("epoch").loc[list(numbers.values()), columns].reset_index()
    rows.insert(0, "which", [f"{kind.capitalize()} epoch ({number})" for kind, number in numbers.items()])
    rows.insert(4, "gap", rows["validation_loss"] - rows["evaluated_training_loss"])
    if tests:
        rows["test_loss"] = [tests[kind].loss if kind in tests else None for kind in numbers]
        rows["test_accuracy"] = [tests[kind].accuracy if kind in tests else None for kind in numbers]
    return rows.drop(columns="epoch")


_HEADINGS = {
    "evaluated_training_loss": "Training loss",
    "validation_loss": "Validation loss",
    "gap": "Gap",
    "evaluated_training_accuracy": "Training accuracy",
    "validation_accuracy": "Validation accuracy",
    "test_loss": "Test loss",
    "test_accuracy": "Test accuracy",
}


def epoch_table_words(table: pd.DataFrame) -> pd.DataFrame:
    """`epoch_table` as a page shows it: losses with three decimals, accuracies in per cent, under headings."""
    words = {}
    for name in table.columns.drop("which"):
        is_loss = name.endswith("loss") or name == "gap"
        words[_HEADINGS[name]] = [
            "not known" if pd.isna(value) else decimal(value, 3) if is_loss else f"{value:.2%}" for value in table[name]
        ]
    return pd.DataFrame(words, index=table["which"].tolist())
