"""Weights to take along: each bit as it is stored, with what one must know to use them."""

import json

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.weights_file import weights_file
from fmnist_core.network.model import model_from_bytes
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.store.notes import Notes
from tests.export import hostile


def test_every_tensor_is_the_stored_one_bit_for_bit(run_material):
    material = run_material()
    content = weights_file(material)
    stored, given = load(material.weights), load(content)
    assert stored.keys() == given.keys()
    assert all(stored[name].tobytes() == given[name].tobytes() for name in stored)
    model_from_bytes(material.run.config, content)  # fits the network, or raises
    pixels = material.answers.pixels[:50]
    assert np.array_equal(
        StoredNetwork(material.run.config, content).probabilities(pixels), material.network.probabilities(pixels)
    )


def test_the_metadata_say_what_it_is(run_material, tmp_path):
    material = run_material(notes=Notes(name=hostile.NAME))
    file = tmp_path / "weights.safetensors"
    file.write_bytes(weights_file(material))
    with safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata()
    assert metadata["format"] == "pt"
    assert metadata["name"] == hostile.NAME
    assert metadata["run"] == material.run.key
    assert metadata["epoch"] == str(material.run.best_epoch)
    assert json.loads(metadata["classes"]) == list(CLASSES)
    assert RunConfig.from_dict(json.loads(metadata["settings"])) == material.run.config
    assert "batch normalisation" in metadata["architecture"]
