"""Run exported scripts where this project is not, and bring back what each printed.

As a program, in a process of its own: the arguments are a JSON file with the scripts by name and one to write what
they printed. Scripts run one after the other, each with names of its own, as `python script.py` would have them.
"""

import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path


def printed_by(scripts: Mapping[str, str], images: Path, scratch: Path, *, pictures: bool = False) -> dict[str, str]:
    """What each script prints, with what it raises at the end; `images` is a folder as torchvision keeps it."""
    asked, answered = scratch / "scripts.json", scratch / "printed.json"
    asked.write_text(json.dumps(dict(scripts)), encoding="utf-8")
    # -I: neither the folder that we are in nor PYTHONPATH is where modules are looked for.
    command = [sys.executable, "-I", str(Path(__file__)), str(asked), str(answered), "pictures" if pictures else "none"]
    environment = {**os.environ, "FASHION_MNIST": str(images), "MPLBACKEND": "agg"}
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed: dict[str, str] = json.loads(answered.read_text(encoding="utf-8"))
    return printed


def _declare_missing_operators() -> None:
    """Let a torchvision whose compiled operators do not load be imported all the same; see `torchvision_import`."""
    import torch

    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")


def _main(asked: Path, answered: Path, pictures: str) -> None:
    assert importlib.util.find_spec("fmnist_core") is None, "the scripts are to do without this project"
    if pictures == "none":
        sys.modules["matplotlib"] = None  # type: ignore[assignment]  # as where it is not installed
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        _declare_missing_operators()
    from torchvision.datasets import mnist

    # The files take as long to read as a small script to train: here they are read once for all scripts.
    mnist.read_image_file, mnist.read_label_file = cache(mnist.read_image_file), cache(mnist.read_label_file)
    printed = {}
    for name, script in json.loads(asked.read_text(encoding="utf-8")).items():
        file = asked.with_name("script.py")
        file.write_text(script, encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            try:
                exec(compile(file.read_bytes(), str(file), "exec"), {"__name__": "__main__"})
            except Exception:
                traceback.print_exc(file=output)
        printed[name] = output.getvalue()
    answered.write_text(json.dumps(printed), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
