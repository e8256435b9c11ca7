"""The table of what pairs share, held against what training really draws."""

from collections import defaultdict
from dataclasses import dataclass, field, fields, replace

import pytest
import torch
import torch.nn.functional as F

from fmnist_core.comparison.pairs import DRAWS, drawn_by, shared_by_pairs
from fmnist_core.config import INPUTS, RunConfig
from fmnist_core.data.split import split
from fmnist_core.network import training
from fmnist_core.network.batches import Batches
from fmnist_core.network.fast_step import Masks
from fmnist_core.network.training import Training

# Everything that chance can decide is switched on, so that a pair has all of it to share.
BASE = RunConfig(
    hidden=(32, 16),
    dropout=0.3,
    batch_norm=True,
    batch_size=32,
    epochs=2,
    weight_decay=0.05,
    label_smoothing=0.1,
    flips=True,
    seed=5,
    training_images=300,
    label_noise=0.2,
    input_dropout=0.2,
    shift_pixels=2,
)
PARTNERS = {
    "hidden": (24, 16),
    "dropout": 0.5,
    "batch_norm": False,
    "learning_rate": 0.01,
    "schedule": "one-cycle",
    "batch_size": 48,
    "epochs": 3,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "flips": False,
    "training_images": 200,
    "label_noise": 0.4,
    "input_dropout": 0.5,
    "shift_pixels": 3,
    "optimizer": "sgd",
}
OFF = {
    "dropout": 0.0,
    "flips": False,
    "training_images": None,
    "label_noise": 0.0,
    "input_dropout": 0.0,
    "shift_pixels": 0,
}
FACTORS = sorted({each.name for each in fields(RunConfig)} - {"seed", "protocol"})


@dataclass
class Drawn:
    """What one run drew: `epochs` holds tensors by draw and epoch, one row for each image in its order."""

    held_out: set[int]
    images: set[int]
    labels: dict[int, int]  # of the training images, as trained on
    true_labels: dict[int, int]
    weights: list[torch.Tensor]
    epochs: dict[str, list[torch.Tensor]] = field(default_factory=dict)


def moves(before, after):
    """How far each image (n, 784) was moved, (n, 2)."""
    found = torch.full((len(before), 2), 99)
    padded = F.pad(before.view(-1, 28, 28), (3,) * 4)
    for down in range(7):
        for right in range(7):
            moved = padded[:, down : down + 28, right : right + 28].flatten(1)
            found[(moved == after).all(dim=1)] = torch.tensor([down, right])
    assert (found < 99).all()
    return found


def drawn(config, data):
    """Train, and note what was drawn from what came of it."""
    parts = split(data, config.protocol, config.seed)
    run = Training(config, parts)
    indices = run.examples.indices.tolist()
    result = Drawn(
        held_out=set(parts.validation.indices.tolist()),
        images=set(indices),
        labels=dict(zip(indices, run.examples.labels[indices].tolist(), strict=True)),
        true_labels=dict(zip(indices, data.train_labels[indices].tolist(), strict=True)),
        weights=[
            parameter.detach().clone()
            for module in run.model.modules()
            if isinstance(module, torch.nn.Linear)
            for parameter in module.parameters()
        ],
    )
    seen = defaultdict(list)
    take, draw, flip, shift = Batches.take_bytes, Masks.draw, training.flip_half, training.shift_each
    scale_into = training.scale_into

    def noting_take(self, places, images):
        if self is run.batches:
            seen["order of images"].append(places.clone())
        return take(self, places, images)

    def noting_scale(values, images):
        seen["batches"].append(torch.full((len(images),), len(images)))
        return scale_into(values, images)

    def noting_draw(self):
        draw(self)
        for mask in self.layers:
            width = mask.kept.shape[1]
            layer = "dropped pixels" if width == INPUTS else f"dropout masks {width}"
            seen[layer].append(torch.from_numpy(~mask.kept))

    def noting_flip(images, generator):
        flipped = flip(images, generator)
        seen["flips"].append((flipped != images).any(dim=1))
        return flipped

    def noting_shift(images, furthest, generator):
        shifted = shift(images, furthest, generator)
        seen["shifts"].append(moves(images, shifted))
        return shifted

    epochs = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batches, "take_bytes", noting_take)
        patch.setattr(training, "scale_into", noting_scale)
        patch.setattr(Masks, "draw", noting_draw)
        patch.setattr(training, "flip_half", noting_flip)
        patch.setattr(training, "shift_each", noting_shift)
        for _ in run:
            layers = [seen.pop(name) for name in sorted(seen) if name.startswith("dropout masks")]
            if layers:
                epochs["dropout masks"].append(torch.cat([torch.cat(masks) for masks in layers], dim=1))
            for name, tensors in seen.items():
                epochs[name].append(torch.cat(tensors))
            seen.clear()
    result.epochs = dict(epochs)
    return result


def relation(draw, low, high):
    """Whether what two runs drew is the "same", or low's "nested" in high's, or "apart"."""
    if draw == "held-out images":
        return "same" if low.held_out == high.held_out else "apart"
    if draw == "training images":
        return "same" if low.images == high.images else "nested" if low.images < high.images else "apart"
    if draw == "wrong labels":
        both = low.images & high.images
        if all(low.labels[image] == high.labels[image] for image in both):
            return "same"
        wrong = [image for image in both if low.labels[image] != low.true_labels[image]]
        return "nested" if all(low.labels[image] == high.labels[image] for image in wrong) else "apart"
    if draw == "first weights":
        equal = all(
            ours.shape == theirs.shape and torch.equal(ours, theirs)
            for ours, theirs in zip(low.weights, high.weights, strict=True)
        )
        return "same" if equal else "apart"
    ours, theirs = low.epochs.get(draw, []), high.epochs.get(draw, [])
    pairs = list(zip(ours, theirs, strict=False))  # a longer run's further epochs have no partner
    if not pairs or any(one.shape != other.shape for one, other in pairs):
        return "apart"
    if all(torch.equal(one, other) for one, other in pairs):
        return "same"
    is_mask = draw in ("dropout masks", "dropped pixels")
    return "nested" if is_mask and all((other | ~one).all() for one, other in pairs) else "apart"


@pytest.fixture(scope="module")
def base_drawn(tiny_dataset):
    return drawn(BASE, tiny_dataset)


def test_no_setting_is_forgotten():
    assert sorted(PARTNERS) == FACTORS
    for name in FACTORS:
        sharing = shared_by_pairs(name)
        assert sorted([*sharing.same, *sharing.nested, *sharing.apart]) == sorted(DRAWS)
        assert sharing.sentence or sharing.same == DRAWS


@pytest.mark.parametrize("name", FACTORS)
def test_pairs_share_what_the_table_says(name, tiny_dataset, base_drawn):
    partner = replace(BASE, **{name: PARTNERS[name]})
    assert partner != BASE
    runs = (base_drawn, drawn(partner, tiny_dataset))
    low, high = runs if name != "training_images" else runs[::-1]
    found = {draw: relation(draw, low, high) for draw in DRAWS}
    sharing = shared_by_pairs(name)
    expected = {
        **dict.fromkeys(sharing.same, "same"),
        **dict.fromkeys(sharing.nested, "nested"),
        **dict.fromkeys(sharing.apart, "apart"),
    }
    assert found == expected


@pytest.mark.parametrize("name", OFF)
def test_switching_something_off_moves_nothing_else(name, tiny_dataset, base_drawn):
    """It then draws no numbers, which others must not take up."""
    without = drawn(replace(BASE, **{name: OFF[name]}), tiny_dataset)
    same = shared_by_pairs(name).same
    assert {draw: relation(draw, without, base_drawn) for draw in same} == dict.fromkeys(same, "same")


def test_another_seed_shares_nothing(tiny_dataset, base_drawn):
    """What the test above finds to be the same is not the same of itself."""
    other = drawn(replace(BASE, seed=6), tiny_dataset)
    found = {draw: relation(draw, base_drawn, other) for draw in DRAWS}
    assert found == dict.fromkeys(DRAWS, "apart") | {"batches": "same"}  # their sizes, which no chance decides


def test_a_run_draws_only_what_its_settings_ask_for(tiny_dataset, base_drawn):
    plain = RunConfig(hidden=(16,), epochs=1)
    assert drawn_by(plain) == ("held-out images", "first weights", "order of images", "batches")
    assert set(drawn(plain, tiny_dataset).epochs) == {"order of images", "batches"}
    assert drawn_by(BASE) == DRAWS
    in_epochs = [draw for draw in drawn_by(BASE) if draw in base_drawn.epochs]
    assert in_epochs == [*DRAWS[4:]]
    assert drawn_by(plain, replace(plain, protocol="article", flips=True)) == (
        *("held-out images", "first weights", "order of images", "batches", "flips"),
    )


def test_what_runs_do_not_draw_is_not_told():
    sharing = shared_by_pairs("batch_size", drawn_by(RunConfig()))
    assert sharing.same == ("held-out images", "first weights", "order of images")
    assert sharing.apart == ("batches",)


@pytest.mark.parametrize("name", ["seed", "protocol", "momentum"])
def test_a_setting_in_which_pairs_cannot_differ_is_refused(name):
    with pytest.raises(ValueError, match=f"one of hidden, dropout, .*, got '{name}'"):
        shared_by_pairs(name)
