"""Runs give the figures that stored runs of this training version have: what makes them faster must change no bit.

The file holds figures as `float.hex` writes them, and the SHA-256 of each run's last weights. Where a change is meant
to alter figures, raise TRAINING_VERSION and make a new file.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.sources import draw, load
from fmnist_core.data.split import split
from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings

FILE = Path(__file__).with_name(f"figures_of_training_version_{TRAINING_VERSION}.json")
STORED = json.loads(FILE.read_text(encoding="utf-8"))
# Another processor adds up in another order. Over one or two epochs that grows to about a thousandth of a loss, and to
# single images that fall on the other side.
LOSS_TOLERANCE, SHARE_TOLERANCE = 0.02, 0.02


def here() -> dict[str, str]:
    """What decides in which order this machine adds up."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    vendor = next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "unknown")
    return {"torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(), "vendor": vendor}


@pytest.fixture
def data(request, tiny_dataset, tmp_path):
    if request.param == "tiny":
        return tiny_dataset
    if request.param == "drawn":
        return draw()
    return load(Settings(home=tmp_path, mirror=request.getfixturevalue("real_data_mirror")))


@pytest.mark.parametrize(
    ("data", "run"),
    [
        pytest.param(run["data"], run, id=name, marks=[pytest.mark.real_data] if run["data"] == "real" else [])
        for name, run in STORED["runs"].items()
    ],
    indirect=["data"],
)
def test_a_run_has_the_figures_that_are_stored(data, run):
    assert data.fingerprint == STORED["fingerprints"][run["data"]]
    config = RunConfig.from_dict(run["config"])
    training = Training(config, split(data, config.protocol, config.seed))
    exact = here() == STORED["made_on"]
    for result, expected in zip(training, run["epochs"], strict=True):
        for name, value in asdict(result).items():
            if name == "seconds":
                continue
            stored = expected[name] if isinstance(value, int) else float.fromhex(expected[name])
            if exact or name in {"epoch", "learning_rate"}:
                assert value == stored, name
            else:
                assert value == pytest.approx(stored, abs=LOSS_TOLERANCE if "loss" in name else SHARE_TOLERANCE), name
    if exact:
        tensors = training.model.state_dict().values()
        digest = hashlib.sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors))
        assert digest.hexdigest() == run["weights"]
