"""Import torchvision's Fashion-MNIST class, also where torchvision's compiled operators do not load.

Beside a CPU build of torch, a torchvision wheel linked for CUDA cannot load its operators, and then fails to register
fakes for two that it expects: `import torchvision` raises "operator torchvision::nms does not exist". The data sets
are pure Python and need no operator, so declaring the two is enough. Where the wheels match, nothing is declared.

Run as a program it says where the official files are: `download.official_mirrors` asks.
"""

import json

import torch

_EXPECTED_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

try:
    import torchvision
except RuntimeError as error:
    if not str(error).startswith("operator torchvision::"):
        raise
    # Both at once: a third attempt would find the first fake registered already, and fail for that.
    for _name, _schema in _EXPECTED_OPERATORS.items():
        if not hasattr(torch.ops.torchvision, _name):
            torch.library.define(f"torchvision::{_name}", _schema)
    import torchvision

FashionMNIST = torchvision.datasets.FashionMNIST

if __name__ == "__main__":
    print(json.dumps(FashionMNIST.mirrors))
