"""A run's best network as ONNX: images in, log-probabilities and probabilities out, any number at once."""

from typing import Any

import numpy as np

from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.material import RunMaterial
from fmnist_core.export.weights_file import NORMALISATION, network_metadata
from fmnist_core.network.stored_network import VARIANCE_FLOOR

INPUT, LOG_PROBABILITIES, PROBABILITIES = "images", "log_probabilities", "probabilities"
# Of 2022: whatever runs ONNX today reads it.
_OPSET, _IR_VERSION = 17, 8


def onnx_file(material: RunMaterial) -> bytes:
    """The network as it is used, dropout off; its tensors go by the names that they have in the weights file.

    `images` is float32 (batch, 1, 28, 28), scaled as torchvision's ToTensor and Normalize((0.5,), (0.5,)) do.
    """
    from onnx import TensorProto, checker, helper, numpy_helper  # in the process that makes exports alone
    from safetensors.numpy import load

    config = material.run.config
    tensors = {name: value for name, value in load(material.weights).items() if value.dtype == np.float32}
    nodes = [helper.make_node("Flatten", [INPUT], ["pixels"], name="flatten", axis=1)]
    units = "pixels"

    def add(operation: str, result: str, *names: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operation, [units, *names], [result], name=result, **attributes))
        return result

    for layer in range(len(config.hidden)):
        linear, norm = f"hidden.{layer}.0", f"hidden.{layer}.1"
        units = add("Gemm", f"{linear}.units", f"{linear}.weight", f"{linear}.bias", transB=1)
        if config.batch_norm:
            learnt = [f"{norm}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
            units = add("BatchNormalization", f"{norm}.units", *learnt, epsilon=VARIANCE_FLOOR)
        units = add("Relu", f"hidden.{layer}.units")
    units = add("Gemm", "logits", "output.weight", "output.bias", transB=1)
    units = add("LogSoftmax", LOG_PROBABILITIES, axis=1)
    add("Exp", PROBABILITIES)
    answers: list[str | int | None] = ["batch", len(CLASSES)]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, answers)
            for name in (LOG_PROBABILITIES, PROBABILITIES)
        ],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="Dropout Lab"
    )
    model.doc_string = f"Run {material.run.key}: which of ten garments an image of 28 x 28 shows. {NORMALISATION}."
    helper.set_model_props(model, network_metadata(material))
    checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content
