"""The figures by which arms are compared, and what to call them."""

from typing import Literal, NamedTuple

from fmnist_core.config import Protocol

Metric = Literal["gap", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy"]

MEASURES: tuple[Metric, ...] = ("gap", "validation_loss", "validation_accuracy")
TEST_MEASURES: tuple[Metric, ...] = ("test_loss", "test_accuracy")


def measure_name(metric: str, protocol: Protocol) -> str:
    """What to call a metric. The article's protocol validates on the test set, so validation is called test there."""
    if metric == "gap":
        return "overfitting gap"
    return metric.replace("_", " ").replace("validation", "test" if protocol == "article" else "validation")


def is_accuracy(metric: str) -> bool:
    """Whether a metric is a share of right answers, of which more is better; of all else less is."""
    return "accuracy" in metric


class Unit(NamedTuple):
    """How a metric is shown: what to multiply by, how many decimals, the names of its unit and of that of changes."""

    scale: int
    digits: int
    name: str
    of_differences: str


def unit_of(metric: str) -> Unit:
    """Losses and gaps are shown in nats, accuracies in per cent."""
    return Unit(100, 2, "%", "percentage points") if is_accuracy(metric) else Unit(1, 3, "nats", "nats")
