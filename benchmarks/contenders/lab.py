"""The lab's own training, as its workers do it: on one thread, and evaluated on 10,000 training images as well."""

from collections.abc import Iterator

import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.split import split
from fmnist_core.network.training import train


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Test accuracy after each epoch: with the article's protocol the test images are those that validate."""
    assert config.protocol == "article"
    torch.set_num_threads(1)
    for result in train(config, split(data, config.protocol, config.seed)):
        yield result.validation_accuracy
