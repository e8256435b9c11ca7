"""Runs as the store gives them, trained or made up."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

import pandas as pd
import torch

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.split import split
from fmnist_core.jobs.worker import processor_name
from fmnist_core.network.figures import TRAINING_VERSION, EpochResult
from fmnist_core.network.training import Training
from fmnist_core.results.diagnosis import best_epoch
from fmnist_core.store.run import Run
from fmnist_core.store.runs import EPOCH_COLUMNS
from tests.conftest import epoch_result


def stored_run(
    config: RunConfig, results: Iterable[EpochResult], data: Dataset | None = None
) -> tuple[Run, pd.DataFrame]:
    """The run with its epochs, as it would be stored."""
    epochs = pd.DataFrame([asdict(result) for result in results], columns=EPOCH_COLUMNS)
    fingerprint = data.fingerprint if data else "0" * 16
    run = Run(
        number=1,
        key=config.key(fingerprint, TRAINING_VERSION),
        config=config,
        data_name=data.name if data else "Fashion-MNIST",
        data_fingerprint=fingerprint,
        status="finished" if len(epochs) == config.epochs else "stopped",
        cancel_requested=False,
        epochs_done=len(epochs),
        epoch_share=0.0,
        best_epoch=None if epochs.empty else best_epoch(epochs),
        best_validation_loss=None,
        best_validation_accuracy=None,
        error=None,
        created_at=0.0,
        ended_at=1.0,
        torch_version=str(torch.__version__),
        processor=processor_name(),
        threads=1,
    )
    return run, epochs


def made_up(config: RunConfig) -> tuple[Run, pd.DataFrame]:
    """A run that nobody trained."""
    return stored_run(config, [epoch_result(epoch) for epoch in range(1, config.epochs + 1)])


def trained(config: RunConfig, data: Dataset, epochs: int | None = None) -> tuple[Run, pd.DataFrame]:
    """A run as this program trains it, to its end or for so many epochs."""
    training = Training(config, split(data, config.protocol, config.seed))
    return stored_run(config, [training.run_epoch() for _ in range(epochs or config.epochs)], data)


def trained_arms(study: Study, data: Dataset) -> Sequence[ArmRun]:
    """All runs of a comparison, as `progress.collect` gives them."""
    arms = []
    for config in study.configs():
        run, epochs = trained(config, data)
        arms.append(ArmRun(getattr(config, study.setting), config.seed, run, epochs, {}))
    return arms
