"""ONNX: another runtime gives the network's own answers, for any number of images."""

import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.onnx_file import INPUT, LOG_PROBABILITIES, PROBABILITIES, onnx_file
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.store.notes import Notes
from tests.export import hostile


def answers(content, pixels):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    images = ((pixels.astype(np.float32) / 255 - 0.5) / 0.5)[:, np.newaxis]
    return session.run([LOG_PROBABILITIES, PROBABILITIES], {INPUT: images})


@pytest.mark.parametrize("count", [1, 2, 97])
def test_another_runtime_gives_the_same_answers(run_material, count):
    material = run_material()
    pixels = material.answers.pixels[:count]
    logs, probabilities = answers(onnx_file(material), pixels)
    expected = material.network.probabilities(pixels)
    assert probabilities.shape == (count, 10)
    assert np.abs(probabilities - expected).max() < 1e-5
    assert np.abs(np.exp(logs) - expected).max() < 1e-5
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("config", [*(preset.config for preset in PRESETS), RunConfig(hidden=(8, 9, 10, 11, 12, 13))])
def test_every_network_can_be_written(run_material, config):
    material = run_material()
    material = replace(material, run=replace(material.run, config=config), weights=model_to_bytes(MLP(config)))
    pixels = material.data.test_images[:20]
    _, probabilities = answers(onnx_file(material), pixels)
    assert np.abs(probabilities - material.network.probabilities(pixels)).max() < 1e-5


def test_the_metadata_say_what_it_is(run_material):
    material = run_material(notes=Notes(name=hostile.NAME))
    model = onnx.load_model_from_string(onnx_file(material))
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata["classes"]) == list(CLASSES)
    assert metadata["run"] == material.run.key
    assert metadata["name"] == hostile.NAME
    assert metadata["normalisation"].startswith("(pixel / 255 - 0.5) / 0.5")
    (entry,) = model.graph.input
    assert entry.name == INPUT
    assert [side.dim_param or side.dim_value for side in entry.type.tensor_type.shape.dim] == ["batch", 1, 28, 28]
    assert {one.name for one in model.graph.initializer} >= {"hidden.0.0.weight", "output.bias"}
