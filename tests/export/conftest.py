"""The official files as torchvision keeps them."""

from pathlib import Path

import pytest

from fmnist_core.data.download import fetch


@pytest.fixture(scope="session")
def torchvision_folder(real_data_mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for torchvision's FashionMNIST, which need fetch nothing more."""
    folder = tmp_path_factory.mktemp("torchvision")
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    fetch(real_data_mirror, raw)
    return folder
