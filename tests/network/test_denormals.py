"""Floats too small for full precision: flushed while a run trains, and only then."""

import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.network.denormals import are_flushed, flushed_denormals
from fmnist_core.network.training import Training

pytestmark = pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor cannot flush denormals")


def test_they_count_as_nothing_only_within():
    small = torch.full((64,), 1e-30)
    with flushed_denormals():
        assert not (small * 1e-10).any()
        with flushed_denormals():
            pass
        assert are_flushed()
    assert not are_flushed()
    assert (small * 1e-10).all()


def test_they_are_back_after_an_error():
    with pytest.raises(KeyError), flushed_denormals():
        raise KeyError
    assert not are_flushed()


def test_a_run_trains_without_them_and_leaves_the_thread_as_it_was(tiny_split):
    seen = set()

    def look(share):
        seen.add((share < 0.9, are_flushed()))

    training = Training(RunConfig(hidden=(16,), batch_size=32, epochs=1), tiny_split, pulse=look)
    training.run_epoch()
    assert seen == {(True, True), (False, True), (False, False)}
    assert not are_flushed()


def faded(split):
    """A run half of whose units are shut after its first epoch, a thousand steps later."""
    training = Training(RunConfig(hidden=(16,), batch_size=8, epochs=17), split)
    training.run_epoch()
    with torch.inference_mode():
        next(training.model.hidden[0].children()).bias[:8] = -1000
    for _ in range(16):
        training.run_epoch()
    return training


def test_what_fades_away_changes_no_weight(tiny_split, monkeypatch):
    flushed = faded(tiny_split)
    monkeypatch.setattr(torch, "set_flush_denormal", lambda is_on: True)
    kept = faded(tiny_split)
    smallest = torch.finfo(torch.float32).smallest_normal
    left = [training.optimizer.state()["0.exp_avg"].abs() for training in (flushed, kept)]
    assert [bool(((values > 0) & (values < smallest)).any()) for values in left] == [False, True]
    for ours, theirs in zip(flushed.model.parameters(), kept.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
