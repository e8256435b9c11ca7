"""Runs trained as one program, held against the same runs trained one by one."""

from dataclasses import asdict, replace

import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.split import Examples, split
from fmnist_core.network.evaluation import log_probabilities
from fmnist_core.network.shape import shape_of
from fmnist_core.network.stacked_training import StackedTraining
from fmnist_core.network.training import Training, TrainingDivergedError

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
ON_EACH_DEVICE = pytest.mark.parametrize("device", DEVICES)

TINY = RunConfig(hidden=(32, 16), batch_size=32, epochs=3, seed=5)
ODD = replace(TINY, hidden=(13, 21, 9), batch_size=43, batch_norm=True, protocol="article")
EVERYTHING = replace(
    ODD,
    seed=6,
    dropout=0.3,
    learning_rate=0.002,
    schedule="one-cycle",
    weight_decay=0.05,
    label_smoothing=0.1,
    flips=True,
    label_noise=0.2,
    input_dropout=0.2,
    shift_pixels=2,
)
# Whatever may differ between runs of one shape; batch sizes that leave a smaller last batch, odd numbers of units.
STACKS = {
    "one run": [replace(TINY, dropout=0.3)],
    "dropout": [replace(TINY, dropout=rate, seed=seed) for seed in (1, 2) for rate in (0.0, 0.3, 0.6)],
    "learning rates": [replace(TINY, learning_rate=rate, schedule="one-cycle") for rate in (0.001, 0.01)] + [TINY],
    "decay": [replace(TINY, weight_decay=decay, seed=seed) for seed in (1, 2) for decay in (0.0, 0.1)],
    "momentum": [replace(TINY, optimizer="sgd", weight_decay=decay) for decay in (0.0, 0.1)],
    "smoothing": [replace(TINY, label_smoothing=share) for share in (0.0, 0.2)],
    "flips": [replace(TINY, flips=flips) for flips in (False, True)],
    "shifts": [replace(TINY, shift_pixels=pixels) for pixels in (0, 1, 3)],
    "pixels": [replace(TINY, input_dropout=rate) for rate in (0.0, 0.3)],
    "noise": [replace(TINY, label_noise=share, training_images=301) for share in (0.0, 0.3)],
    "batch normalisation": [replace(TINY, batch_norm=True, optimizer="sgd", dropout=rate) for rate in (0.0, 0.4)],
    "everything": [replace(config, optimizer="sgd") for config in (ODD, EVERYTHING)],
}
EVERY_STACK = pytest.mark.parametrize("configs", STACKS.values(), ids=STACKS)


# Another value of each setting that runs trained together must agree in.
SHAPES = {
    "hidden": (16,),
    "batch_norm": True,
    "protocol": "article",
    "training_images": 300,
    "batch_size": 16,
    "epochs": 2,
    "optimizer": "sgd",
}


def test_every_setting_is_part_of_the_shape_or_tried():
    for name, value in SHAPES.items():
        assert shape_of(replace(TINY, **{name: value})) != shape_of(TINY), name
    varied = {
        name
        for configs in STACKS.values()
        for name in asdict(TINY)
        if any(getattr(config, name) != getattr(configs[0], name) for config in configs)
    }
    assert varied == set(asdict(TINY)) - set(SHAPES)
    for configs in STACKS.values():
        assert len({shape_of(config) for config in configs}) == 1


def trainings(configs, data):
    return [Training(config, split(data, config.protocol, config.seed)) for config in configs]


def figures(result):
    return torch.tensor([value for name, value in asdict(result).items() if name != "seconds"], dtype=torch.float64)


def state(training):
    """Weights and buffers, without the biases that batch normalisation takes away again: rounding alone moves them."""
    norm = training.config.batch_norm
    values = training.model.state_dict()
    return {name: value for name, value in values.items() if not (norm and name.endswith(".0.bias"))}


@ON_EACH_DEVICE
@EVERY_STACK
def test_a_stack_trains_as_its_runs_do_one_by_one(tiny_dataset, configs, device):
    alone, stack = trainings(configs, tiny_dataset), StackedTraining(trainings(configs, tiny_dataset), device)
    expected = {training.config: training for training in alone}
    for _ in range(TINY.epochs):
        results = stack.run_epoch()
        stack.give_back()
        for result, ours in zip(results, stack.trainings, strict=True):
            theirs = expected[ours.config]
            torch.testing.assert_close(figures(result), figures(theirs.run_epoch()), rtol=1e-4, atol=1e-5)
            for name, value in state(ours).items():
                torch.testing.assert_close(value, state(theirs)[name], rtol=1e-3, atol=1e-4, msg=name)


@ON_EACH_DEVICE
def test_adam_with_everything_stays_close(tiny_dataset, device):
    """Adam makes steps of one size of all gradients, also of those that are nothing but rounding."""
    alone, stack = (
        trainings([ODD, EVERYTHING], tiny_dataset),
        StackedTraining(trainings([ODD, EVERYTHING], tiny_dataset), device),
    )
    expected = {training.config: training.run_epoch() for training in alone}
    for result, ours in zip(stack.run_epoch(), stack.trainings, strict=True):
        torch.testing.assert_close(figures(result), figures(expected[ours.config]), rtol=2e-3, atol=1.1e-2)


def test_runs_of_several_shapes_are_refused(tiny_dataset):
    with pytest.raises(ValueError, match="one shape"):
        StackedTraining(trainings([TINY, replace(TINY, batch_size=16)], tiny_dataset), "cpu")


def test_runs_that_are_not_equally_far_are_refused(tiny_dataset):
    first, second = trainings([TINY, replace(TINY, seed=6)], tiny_dataset)
    first.run_epoch()
    with pytest.raises(ValueError, match="as many epochs done"):
        StackedTraining([first, second], "cpu")


@ON_EACH_DEVICE
def test_a_run_that_diverges_takes_no_other_along(tiny_dataset, device):
    configs = [replace(TINY, seed=seed, batch_norm=True) for seed in (1, 2)]
    (alone,), ours = trainings(configs[:1], tiny_dataset), trainings(configs, tiny_dataset)
    with torch.no_grad():
        ours[1].model.output.bias[3] = float("inf")
    stack = StackedTraining(ours, device)
    sound, broken = stack.run_epoch()
    assert stack.trainings == tuple(ours)
    torch.testing.assert_close(figures(sound), figures(alone.run_epoch()), rtol=1e-3, atol=5e-3)
    assert isinstance(broken, TrainingDivergedError)
    assert "epoch 1" in str(broken)
    assert [training.epochs_done for training in ours] == [1, 0]


@ON_EACH_DEVICE
def test_a_stack_goes_on_where_runs_were_broken_off(tiny_dataset, device):
    configs = STACKS["dropout"]
    whole = StackedTraining(trainings(configs, tiny_dataset), device)
    history = [whole.run_epoch() for _ in range(2)]
    first = StackedTraining(trainings(configs, tiny_dataset), device)
    before = first.run_epoch()
    first.give_back()
    resumed = trainings([training.config for training in first.trainings], tiny_dataset)
    for training, other in zip(resumed, first.trainings, strict=True):
        training.restore(other.checkpoint())
    after = StackedTraining(resumed, device).run_epoch()
    for result, whole_result in zip([*before, *after], [*history[0], *history[1]], strict=True):
        # A GPU adds up the calibration's bins in whatever order it comes to them.
        torch.testing.assert_close(figures(result), figures(whole_result), rtol=1e-12, atol=1e-12)


@ON_EACH_DEVICE
def test_losses_within_the_epoch_are_shared_when_asked_for(tiny_dataset, device):
    seen = []

    def pulse(share):
        stack.share_losses()
        seen.append((share, [training.running_loss.points() for training in stack.trainings]))

    stack = StackedTraining(trainings(STACKS["dropout"], tiny_dataset), device, pulse=pulse)
    stack.run_epoch()
    steps = len(stack.trainings[0].sizes)
    assert [share for share, _ in seen] == pytest.approx([0.9 * (step + 1) / steps for step in range(steps)])
    assert [len(points[0]) for _, points in seen] == list(range(1, steps + 1))
    for row, training in enumerate(trainings([training.config for training in stack.trainings], tiny_dataset)):
        training.run_epoch()
        assert torch.tensor(seen[-1][1][row]).allclose(torch.tensor(training.running_loss.points()), atol=1e-4)


class BrokenOffError(Exception):
    pass


def test_an_epoch_that_is_broken_off_leaves_the_runs_as_they_were(tiny_dataset):
    def pulse(share):
        if share > 0.5:
            raise BrokenOffError

    stack = StackedTraining(trainings(STACKS["dropout"], tiny_dataset), "cpu", pulse=pulse)
    before = [training.checkpoint() for training in stack.trainings]
    with pytest.raises(BrokenOffError):
        stack.run_epoch()
    assert [training.checkpoint() for training in stack.trainings] == before
    assert stack.trainings[0].epochs_done == 0


@ON_EACH_DEVICE
def test_answers_are_the_networks_own(tiny_dataset, device):
    stack = StackedTraining(trainings([ODD, EVERYTHING], tiny_dataset), device)
    stack.run_epoch()
    stack.give_back()
    test = Examples.all(tiny_dataset.test_images, tiny_dataset.test_labels)
    for answers, training in zip(stack.log_probabilities(test), stack.trainings, strict=True):
        torch.testing.assert_close(answers, log_probabilities(training.model, test), rtol=1e-4, atol=1e-4)
