"""The drawn garments: the same for everyone, balanced, and neither trivial nor hopeless."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fmnist_core.data.drawn_garments import EXCHANGED, LOOKALIKES, draw_garments
from fmnist_core.network.batches import scaled

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw_garments()


def digest(drawn: Drawn) -> str:
    return hashlib.sha256(b"".join(part.tobytes() for part in drawn)).hexdigest()


def test_shapes_and_types_are_those_of_the_official_files(drawn):
    train_images, train_labels, test_images, test_labels = drawn
    assert train_images.shape == (12000, 28, 28)
    assert test_images.shape == (2000, 28, 28)
    assert train_images.dtype == test_images.dtype == np.uint8
    assert train_labels.dtype == test_labels.dtype == np.int64
    assert np.bincount(train_labels).tolist() == [1200] * 10
    assert np.bincount(test_labels).tolist() == [200] * 10


def test_one_seed_gives_the_same_bytes_in_every_process():
    program = (
        "import hashlib\n"
        "from fmnist_core.data.drawn_garments import draw_garments\n"
        "parts = draw_garments(5, 20, 5)\n"
        "print(hashlib.sha256(b''.join(part.tobytes() for part in parts)).hexdigest())"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(draw_garments(5, 20, 5))


def test_another_seed_gives_other_images():
    assert digest(draw_garments(5, 20, 5)) != digest(draw_garments(6, 20, 5))


def test_images_are_white_on_black_and_never_empty_or_repeated(drawn):
    images = np.concatenate([drawn[0], drawn[2]])
    lit = (images > 0).mean(axis=(1, 2))
    assert lit.min() > 0.02
    assert lit.max() < 0.9
    assert np.median(images[:, 0, :]) == 0
    assert images.max() == 255
    assert len({image.tobytes() for image in images}) == len(images)


def test_shapes_differ_as_garments_do(drawn):
    """Trousers are tall, sneakers low, boots taller than sneakers, pullovers wider than dresses."""
    images, labels = drawn[0] > 0, drawn[1]
    height = images.any(axis=2).sum(axis=1)
    width = images.any(axis=1).sum(axis=1)

    def typical(values: np.ndarray, label: int) -> float:
        return float(np.median(values[labels == label]))

    assert typical(height, 1) > 24
    assert typical(height, 7) < typical(height, 9) < typical(height, 1)
    assert typical(width, 3) < typical(width, 2)
    assert typical(width, 7) > 24


def test_classes_come_in_mixed_order(drawn):
    assert all(len(set(drawn[1][start : start + 100].tolist())) == 10 for start in range(0, 12000, 1000))


def test_few_labels_are_exchanged():
    assert sum(2 * EXCHANGED for _ in LOOKALIKES) / 10 < 0.05
    assert len(LOOKALIKES) * EXCHANGED < 1


def test_a_small_network_learns_them_but_not_perfectly(drawn):
    images, labels, test_images, test_labels = map(torch.from_numpy, drawn)
    images, test_images = scaled(images), scaled(test_images)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
        optimiser = torch.optim.Adam(network.parameters(), lr=0.003)
        for batch in torch.randperm(len(images)).repeat(3).split(100):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        accuracy = (network(test_images).argmax(1) == test_labels).float().mean().item()
    assert 0.75 < accuracy < 0.93
