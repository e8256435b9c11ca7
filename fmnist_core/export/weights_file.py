"""A run's best network as a safetensors file that says what it is."""

import json

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.material import RunMaterial
from fmnist_core.network.figures import TRAINING_VERSION

NORMALISATION = "(pixel / 255 - 0.5) / 0.5, with pixels from 0 for black to 255 for white: from -1 to 1"


def weights_file(material: RunMaterial) -> bytes:
    """The stored tensors, each bit as it is, with what one must know to use them as metadata."""
    from safetensors.numpy import load, save

    return save(load(material.weights), metadata={"format": "pt", **network_metadata(material)})


def network_metadata(material: RunMaterial) -> dict[str, str]:
    """What belongs to a network wherever it goes; both formats of ours keep texts alone."""
    run = material.run
    return {
        "name": material.notes.name,
        "run": run.key,
        "epoch": str(run.epoch_of("best")),
        "settings": json.dumps(run.config.to_dict()),
        "classes": json.dumps(CLASSES),
        "normalisation": NORMALISATION,
        "architecture": architecture(run.config),
        "data": run.data_name,
        "data_fingerprint": run.data_fingerprint,
        "training_version": str(TRAINING_VERSION),
        "torch": run.torch_version or "",
    }


def architecture(config: RunConfig) -> str:
    """The network in a sentence, by the names that its tensors have."""
    norm = ", batch normalisation (hidden.N.1)" if config.batch_norm else ""
    sizes = ", ".join(map(str, config.hidden))
    return (
        f"784 pixels, then hidden layers of {sizes} units, each a linear layer (hidden.N.0){norm} and ReLU; then a "
        "linear layer (output) and log-softmax over 10 classes"
    )
