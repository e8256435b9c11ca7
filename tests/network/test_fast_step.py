"""What is written out by hand, held against autograd, PyTorch's optimisers and the plain model's dropout."""

from dataclasses import asdict, replace

import pytest
import torch
from torch import Generator

from benchmarks.plain_loop import PlainLoop, objective
from fmnist_core.config import RunConfig
from fmnist_core.network.fast_step import FastStep, Masks
from fmnist_core.network.model import Dropout
from fmnist_core.network.training import Training

TINY = RunConfig(hidden=(32, 16), batch_size=32, epochs=2, seed=5)
EVERYTHING = {
    "dropout": 0.3,
    "batch_norm": True,
    "schedule": "one-cycle",
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "flips": True,
    "training_images": 301,
    "label_noise": 0.2,
    "input_dropout": 0.2,
    "shift_pixels": 2,
    "optimizer": "sgd",
    # Sizes that fill no line of memory, and batches of an odd number of units.
    "hidden": (13, 21, 9),
    "batch_size": 43,
    "learning_rate": 0.02,
    "protocol": "article",
    "epochs": 3,
}
CONFIGS = {
    "nothing": TINY,
    **{name: replace(TINY, **{name: value}) for name, value in EVERYTHING.items()},
    "everything": replace(TINY, **EVERYTHING),
    "everything, adam": replace(TINY, **{**EVERYTHING, "optimizer": "adam"}),
    "the article's layers": RunConfig(dropout=0.2, epochs=1, seed=1),
    "a batch of all": replace(TINY, batch_size=4096, batch_norm=True),
}
EVERY_CONFIG = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def test_every_setting_is_tried():
    assert set(EVERYTHING) == set(asdict(TINY)) - {"seed"}


@EVERY_CONFIG
def test_gradients_are_autograds(tiny_split, config):
    fast, plain = Training(config, tiny_split), PlainLoop(config, tiny_split)
    for model in (fast.model, plain.model):
        model.masks.manual_seed(2)
        model.input_masks.manual_seed(3)
    rows = min(config.batch_size, len(plain.batches))
    images, labels = plain.batches.take(slice(0, rows))
    step, answers = FastStep(config, fast.model, rows), torch.empty(rows, 10)
    step.images.copy_(images)
    step.gradients(labels, answers)
    expected = plain.model.train()(images)
    objective(config, expected, labels).backward()
    assert torch.equal(answers, expected)
    for (name, ours), theirs in zip(fast.model.named_parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(ours.grad, theirs.grad), name


@EVERY_CONFIG
def test_histories_and_weights_are_the_plain_loops(tiny_split, config):
    fast, plain = Training(config, tiny_split), PlainLoop(config, tiny_split)
    assert [(epoch.training_loss, epoch.training_accuracy) for epoch in fast] == list(plain.epochs())
    ours, theirs = fast.model.state_dict(), plain.model.state_dict()
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name


@EVERY_CONFIG
def test_a_checkpoint_holds_what_pytorchs_optimiser_does(tiny_split, config):
    """Checkpoints of the plain loop, which earlier versions stored, go on in the fast one."""
    fast, plain = Training(config, tiny_split), PlainLoop(config, tiny_split)
    fast.run_epoch()
    plain.train_epoch(1)
    ours, theirs = fast.optimizer.state(), plain.optimizer.state_dict()["state"]
    expected = {f"{index}.{name}": value for index, state in theirs.items() for name, value in state.items()}
    assert ours.keys() == expected.keys()
    for name, value in ours.items():
        assert value.dtype == expected[name].dtype, name
        assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize("probability", [0.05, 0.2, 1 / 3, 0.5, 0.95])
@pytest.mark.parametrize(("rows", "widths"), [(32, (24,)), (7, (9,)), (6, (8, 5, 3)), (5, (8, 5, 4))], ids=str)
def test_masks_are_those_that_the_model_draws(probability, rows, widths):
    """Layers of an even and of an odd number of values are drawn in two ways, one and several."""
    ours, theirs = Generator().manual_seed(2**40 + 1), Generator().manual_seed(2**40 + 1)
    masks, dropout = Masks(probability, ours, rows, widths), Dropout(probability, theirs)
    dropped = 0
    for _ in range(200):
        masks.draw()
        for mask, width in zip(masks.layers, widths, strict=True):
            mask.weigh()
            expected = dropout(torch.ones(rows, width))
            assert torch.equal(mask.factors, expected)
            assert torch.equal(torch.from_numpy(mask.kept), expected > 0)
            dropped += int((mask.factors == 0).sum())
    assert dropped / (200 * rows * sum(widths)) == pytest.approx(probability, abs=0.02)
    assert torch.equal(ours.get_state(), theirs.get_state())


def test_a_mask_shuts_what_a_relu_does_as_well():
    masks = Masks(0.5, Generator().manual_seed(0), 8, [16])
    masks.draw()
    (mask,) = masks.layers
    sums = torch.linspace(-1, 1, 8 * 17)[: 8 * 16].view(8, 16)
    mask.weigh(sums.numpy())
    assert torch.equal(mask.factors, torch.from_numpy(mask.kept) * (sums > 0) * 2.0)
    mask.weigh()
    assert torch.equal(mask.factors, torch.from_numpy(mask.kept) * 2.0)


def test_a_stored_optimiser_state_that_does_not_fit_is_refused(tiny_split):
    adam, sgd = Training(TINY, tiny_split), Training(replace(TINY, optimizer="sgd"), tiny_split)
    with pytest.raises(ValueError, match=r"'0.exp_avg' is missing or unknown"):
        adam.optimizer.load_state(sgd.optimizer.state())
    wider = Training(replace(TINY, hidden=(32, 24)), tiny_split)
    with pytest.raises(ValueError, match=r"'2.exp_avg' must be \(16, 32\), got \(24, 32\)"):
        adam.optimizer.load_state(wider.optimizer.state())
