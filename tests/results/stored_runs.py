"""Runs as a store would give them, for tests that need no store."""

from fmnist_core.config import RunConfig
from fmnist_core.store.run import Run
from fmnist_core.store.summaries import Summary

SUMMARY = Summary((0.5, 0.41, 0.43), 0.43, 0.85, 0.1, 30.0)


def run(number, **changes):
    """A finished run of three epochs."""
    values = {
        "number": number,
        "key": f"{number:016x}",
        "config": RunConfig(hidden=(32, 16), epochs=3, seed=number),
        "data_name": "Fashion-MNIST",
        "data_fingerprint": "f" * 16,
        "status": "finished",
        "cancel_requested": False,
        "epochs_done": 3,
        "epoch_share": 0.0,
        "best_epoch": 2,
        "best_validation_loss": 0.41,
        "best_validation_accuracy": 0.86,
        "error": None,
        "created_at": 86_400.0,
        "ended_at": 86_460.0,
    }
    return Run(**{**values, **changes})


def waiting(number, **changes):
    """A run that has no epoch yet."""
    figures = {"best_epoch": None, "best_validation_loss": None, "best_validation_accuracy": None}
    return run(number, status="queued", epochs_done=0, ended_at=None, **figures, **changes)
