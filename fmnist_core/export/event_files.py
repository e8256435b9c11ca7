"""A run's or a comparison's history as TensorBoard reads it: a zip of a log directory, a folder a run."""

import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

from fmnist_core.comparison.setting_texts import SETTING_TEXTS
from fmnist_core.config import RunConfig
from fmnist_core.export.material import RunMaterial, StudyMaterial
from fmnist_core.network.figures import Evaluation
from fmnist_core.store.run import Run, Weights

# Tags as TensorBoard groups them: what may be compared stands in one group.
_TAGS = {
    "training_loss": "loss/training_as_trained",
    "evaluated_training_loss": "loss/training_evaluated",
    "validation_loss": "loss/validation",
    "training_accuracy": "accuracy/training_as_trained",
    "evaluated_training_accuracy": "accuracy/training_evaluated",
    "validation_accuracy": "accuracy/validation",
    "validation_calibration_error": "calibration_error/validation",
    "learning_rate": "learning_rate",
    "seconds": "seconds_an_epoch",
}
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier time, and this one says nothing of when it was made


def run_event_files(material: RunMaterial) -> bytes:
    """One run: `tensorboard --logdir FOLDER` shows its curves and, under HParams, its settings."""
    return _zipped({f"run-{material.run.key}": (material.run, material.epochs, material.tests)})


def study_event_files(material: StudyMaterial) -> bytes:
    """All runs of a comparison that have an epoch, called by level and seed."""
    setting = material.study.setting
    runs = {
        f"{setting}-{SETTING_TEXTS[setting].write(arm.level)}-seed-{arm.seed}": (
            arm.run,
            arm.epochs,
            arm.tests if material.reveal_tests else {},
        )
        for arm in material.collected.runs
        if arm.run is not None and len(arm.epochs)
    }
    return _zipped(runs)


def _zipped(runs: Mapping[str, tuple[Run, pd.DataFrame, Mapping[Weights, Evaluation]]]) -> bytes:
    archive = BytesIO()
    with _torch_left_out(), ZipFile(archive, "w", ZIP_DEFLATED) as packed, tempfile.TemporaryDirectory() as folder:
        for name, (run, epochs, tests) in runs.items():
            written = _write(Path(folder) / name, run, epochs, tests)
            # Its own name would tell whoever gets it what the server is called.
            entry = ZipInfo(
                f"dropout-lab/{name}/events.out.tfevents.{round(run.ended_at or 0):010}.dropout-lab", _EARLIEST
            )
            packed.writestr(entry, written.read_bytes(), ZIP_DEFLATED)
    return archive.getvalue()


@contextmanager
def _torch_left_out() -> Iterator[None]:
    """Keep tensorboardX from importing torch, as it does where it can: two seconds and 195 MB for nothing."""
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        yield
    finally:
        del sys.modules["torch"]


def _write(folder: Path, run: Run, epochs: pd.DataFrame, tests: Mapping[Weights, Evaluation]) -> Path:
    """Write one run's events into a folder, and return the file."""
    from tensorboardX import SummaryWriter  # in the process that makes exports alone
    from tensorboardX.summary import hparams

    last = epochs.iloc[-1]
    found = {"hparam/validation_loss": float(last["validation_loss"])}
    found["hparam/validation_accuracy"] = float(last["validation_accuracy"])
    if "last" in tests:
        found |= {"hparam/test_loss": tests["last"].loss, "hparam/test_accuracy": tests["last"].accuracy}
    with SummaryWriter(str(folder)) as writer:
        for part in hparams(_settings(run.config), found):
            writer.file_writer.add_summary(part)
        for name, value in found.items():
            writer.add_scalar(name, value, int(last["epoch"]), walltime=run.ended_at)
        for row, ended_at in zip(epochs.to_dict("records"), _ends(run, epochs["seconds"].tolist()), strict=True):
            for column, tag in _TAGS.items():
                writer.add_scalar(tag, row[column], int(row["epoch"]), walltime=ended_at)
        for kind, test in tests.items():
            epoch = run.epoch_of(kind)
            for name, value in (("loss/test", test.loss), ("accuracy/test", test.accuracy)):
                writer.add_scalar(name, value, epoch, walltime=run.ended_at)
    (file,) = folder.iterdir()
    return file


def _ends(run: Run, seconds: Sequence[float]) -> list[float]:
    """When each epoch ended, from how long each took; where one went on later the pause is not seen."""
    end = run.ended_at if run.ended_at is not None else run.created_at + math.fsum(seconds)
    return [end - math.fsum(seconds[place + 1 :]) for place in range(len(seconds))]


def _settings(config: RunConfig) -> dict[str, Any]:
    """The settings as HParams takes them: numbers, switches and texts."""
    values = config.to_dict()
    kept = {name: value for name, value in values.items() if isinstance(value, bool | int | float)}
    return {name: kept.get(name, SETTING_TEXTS[name].write(getattr(config, name))) for name in values}
