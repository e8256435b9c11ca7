"""The article's training loop, written anew: its data loader, transforms, optimiser and way of evaluating.

It is the yardstick for speed, so it keeps what makes it slow: images are decoded and normalised one by one at every
epoch, and losses are read back at every batch. Only what no longer runs today is mended: one channel's mean and
deviation, and 784 inputs.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.torchvision_import import FashionMNIST

from torchvision import transforms  # isort: skip - only imports beside every torch once the line above has run


class ArticleClassifier(nn.Module):
    """784-256-128-64-10, with the article's dropout of `dropout` after each hidden layer."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 256), nn.Linear(256, 128)
        self.fc3, self.fc4 = nn.Linear(128, 64), nn.Linear(64, 10)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = images.view(images.shape[0], -1)
        for layer in (self.fc1, self.fc2, self.fc3):
            hidden = self.dropout(F.relu(layer(hidden)))
        return F.log_softmax(self.fc4(hidden), dim=1)


def write_files(data: Dataset, folder: Path) -> None:
    """Put the data set where `torchvision.datasets.FashionMNIST` finds it, below `folder`, as it was published."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("t10k", data.test_images, data.test_labels),
    ):
        for kind, values in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            header = struct.pack(f">I{values.ndim}I", 0x0800 + values.ndim, *values.shape)
            (raw / f"{part}-{kind}-ubyte").write_bytes(header + values.tobytes())


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Train for ever; each step of the iterator is one epoch, and gives the test accuracy as the article takes it."""
    torch.manual_seed(config.seed)
    normalise = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    with TemporaryDirectory() as folder:
        write_files(data, Path(folder))
        training = FashionMNIST(folder, train=True, transform=normalise)
        test = FashionMNIST(folder, train=False, transform=normalise)
    training_loader = DataLoader(training, batch_size=64, shuffle=True)
    test_loader = DataLoader(test, batch_size=64, shuffle=True)
    model, criterion = ArticleClassifier(config.dropout), nn.NLLLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    while True:
        running_loss = 0.0
        for images, labels in training_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        test_loss, accuracy = torch.tensor(0.0), torch.tensor(0.0)
        with torch.no_grad():
            model.eval()
            for images, labels in test_loader:
                scores = model(images)
                test_loss += criterion(scores, labels)
                _, top = torch.exp(scores).topk(1, dim=1)
                accuracy += torch.mean((top == labels.view(*top.shape)).type(torch.FloatTensor))
            model.train()
        yield float(accuracy) / len(test_loader)
