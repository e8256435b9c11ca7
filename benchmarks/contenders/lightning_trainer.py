"""Lightning's Trainer over tensors in memory, without logger, checkpoints and progress bar.

It is fitted epoch by epoch, for which the module keeps its optimiser; beginning to fit again takes milliseconds.
"""

import logging
import warnings
from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import fmnist_core.data.torchvision_import  # noqa: F401 - Lightning imports torchvision, and only can after it
from benchmarks.contenders.pixels import rows
from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.network.figures import CHUNK
from fmnist_core.network.schedule import one_cycle

import lightning  # isort: skip


class Module(lightning.LightningModule):
    """The network, its loss, its optimiser and its test accuracy."""

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((INPUTS, *config.hidden)):
            layers += [nn.Linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if config.batch_norm else []), nn.ReLU()]
            layers += [nn.Dropout(config.dropout)] if config.dropout else []
        self.network = nn.Sequential(*layers, nn.Linear(config.hidden[-1], OUTPUTS))
        self.optimizer = torch.optim.Adam(self.parameters(), config.learning_rate)
        self.rates = None
        if config.schedule == "one-cycle":
            peak, total = config.learning_rate, config.epochs * steps
            self.rates = torch.optim.lr_scheduler.LambdaLR(
                self.optimizer, lambda step: one_cycle(min(step, total - 1), total, peak) / peak
            )

    def configure_optimizers(self) -> object:
        if self.rates is None:
            return self.optimizer
        return {"optimizer": self.optimizer, "lr_scheduler": {"scheduler": self.rates, "interval": "step"}}

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        return F.cross_entropy(self.network(images), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        images, labels = batch
        self.log("accuracy", (self.network(images).argmax(1) == labels).float().mean(), batch_size=len(labels))


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Test accuracy after each epoch."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*does not have many workers")  # they do not pay for tensors in memory
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)  # its own, of this torch
    lightning.seed_everything(config.seed, verbose=False)
    parts = ((data.train_images, data.train_labels), (data.test_images, data.test_labels))
    training, test = (TensorDataset(torch.from_numpy(rows(i)), torch.from_numpy(labels)) for i, labels in parts)
    training_loader = DataLoader(training, config.batch_size, shuffle=True)
    test_loader = DataLoader(test, CHUNK)
    module = Module(config, len(training_loader))
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    while True:
        trainer.fit_loop.max_epochs += 1
        trainer.fit(module, training_loader, test_loader)
        yield float(trainer.callback_metrics["accuracy"])
