import pytest
import torch

from fmnist_core.jobs.device import NoGpuError, device_of
from fmnist_core.settings import Settings


@pytest.mark.parametrize(
    ("setting", "has_gpu", "device"),
    [("auto", False, "cpu"), ("auto", True, "cuda"), ("cpu", True, "cpu"), ("cuda", True, "cuda")],
)
def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(monkeypatch, setting, has_gpu, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert device_of(Settings(device=setting)) == device


@pytest.mark.parametrize(("cuda", "why"), [(None, "for processors alone"), ("13.0", "its driver shows none")])
def test_a_gpu_that_must_be_there_and_is_not_is_an_error_that_says_what_to_do(monkeypatch, cuda, why):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    with pytest.raises(NoGpuError, match=rf"DROPOUT_LAB_DEVICE is cuda.*{why}.*auto or cpu"):
        device_of(Settings(device="cuda"))
