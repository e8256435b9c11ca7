import math
from dataclasses import replace

import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.network.running_loss import STRETCHES, RunningLoss
from fmnist_core.network.training import Training, train

TINY = RunConfig(hidden=(16,), batch_size=32, epochs=2, dropout=0.3)


def filled(sizes, values, count=None):
    running = RunningLoss(sizes, torch.tensor(values).__getitem__)
    running.batches_done = len(values) if count is None else count
    return running


def test_a_small_epoch_has_a_point_a_batch():
    assert filled([4, 4, 2], [2.0, 1.0, 0.5]).points() == [(1 / 6, 2.0), (0.5, 1.0), (5 / 6, 0.5)]


def test_a_large_epoch_has_a_few_dozen_points_which_are_means_over_samples():
    sizes = [64] * 937 + [32]
    values = [1.0] * 937 + [3.0]
    points = filled(sizes, values).points()
    assert STRETCHES / 2 < len(points) <= STRETCHES
    batches_in_last = 938 % math.ceil(938 / STRETCHES) or math.ceil(938 / STRETCHES)
    share, loss = points[-1]
    assert share == pytest.approx(1 - batches_in_last / 2 / 938)
    assert loss == pytest.approx((64 * (batches_in_last - 1) + 3 * 32) / (64 * (batches_in_last - 1) + 32))


def test_points_come_as_stretches_are_whole_and_stay():
    sizes, values = [8] * 100, [float(value) for value in range(100)]
    running = filled(sizes, values, 4)
    assert running.points() == [(3 / 200, 1.0)]
    running.batches_done = 99
    assert running.points()[0] == (3 / 200, 1.0)
    assert len(running.points()) == 33
    running.batches_done = 100
    assert running.points()[33:] == [(199 / 200, 99.0)]


def test_what_is_not_finite_is_left_out():
    points = filled([4] * 4, [2.0, math.nan, math.inf, 1.0]).points()
    assert [loss for _, loss in points] == [2.0, 1.0]


def test_the_mean_of_an_epoch_is_its_training_loss(tiny_split):
    training = Training(TINY, tiny_split)
    assert training.running_loss.points() == []
    for result in training:
        assert training.running_loss.mean() == result.training_loss


def test_looking_at_the_loss_changes_no_figure(tiny_split):
    seen = []

    def look(share):
        seen.append(len(training.running_loss.points()))

    config = replace(TINY, batch_norm=True, schedule="one-cycle")
    training = Training(config, tiny_split, pulse=look)
    assert list(training) == list(train(config, tiny_split))
    assert {1, 2, 3} <= set(seen)
