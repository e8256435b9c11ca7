"""Where a worker trains: on its processor, or on a GPU."""

from typing import Literal

from fmnist_core.settings import Settings

Device = Literal["cpu", "cuda"]


class NoGpuError(RuntimeError):
    """Runs must be trained on a GPU, and this machine shows none."""


def device_of(settings: Settings) -> Device:
    """What `settings` choose for this process. Raises NoGpuError."""
    if settings.device == "cpu":
        return "cpu"
    import torch  # a server that starts need not wait for it

    if torch.cuda.is_available():
        return "cuda"
    if settings.device == "cuda":
        build = "its driver shows none" if torch.version.cuda else "this build of torch is for processors alone"
        raise NoGpuError(
            f"DROPOUT_LAB_DEVICE is cuda, but torch {torch.__version__} finds no NVIDIA GPU here: {build}; "
            "set DROPOUT_LAB_DEVICE to auto or cpu, or mend the installation, and start again"
        )
    return "cpu"
