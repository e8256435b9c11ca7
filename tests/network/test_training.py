import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.split import TooFewImagesError
from fmnist_core.network import training
from fmnist_core.network.batches import Batches
from fmnist_core.network.evaluation import evaluate
from fmnist_core.network.fast_step import FastStep
from fmnist_core.network.schedule import one_cycle
from fmnist_core.network.training import Training, TrainingDivergedError, batch_bounds, derived_generator, train

TINY = RunConfig(hidden=(32, 16), batch_size=32, epochs=3, seed=5)
RICH = replace(
    TINY,
    dropout=0.3,
    batch_norm=True,
    schedule="one-cycle",
    weight_decay=0.05,
    label_smoothing=0.1,
    flips=True,
    training_images=300,
    label_noise=0.2,
    input_dropout=0.2,
    shift_pixels=2,
)
RICH_SGD = replace(RICH, optimizer="sgd")
CONFIGS = pytest.mark.parametrize("config", [TINY, RICH, RICH_SGD], ids=["plain", "rich", "rich sgd"])


def test_an_epoch_yields_every_figure(tiny_split):
    results = list(train(TINY, tiny_split))
    assert [result.epoch for result in results] == [1, 2, 3]
    for result in results:
        assert result.training_loss > 0
        assert 0 <= result.training_accuracy <= 1
        assert 0 <= result.evaluated_training_accuracy <= 1
        assert result.learning_rate == TINY.learning_rate
        assert result.seconds > 0


def test_it_learns(tiny_split):
    *_, last = train(replace(TINY, epochs=30), tiny_split)
    assert last.evaluated_training_accuracy > 0.9
    assert last.validation_accuracy > 0.5  # chance is 0.1


@CONFIGS
def test_the_same_seed_reproduces_the_history(tiny_split, config):
    assert list(train(config, tiny_split)) == list(train(config, tiny_split))


def test_another_seed_gives_another_history(tiny_split):
    assert list(train(TINY, tiny_split)) != list(train(replace(TINY, seed=6), tiny_split))


def test_the_global_generator_has_no_influence(tiny_split):
    torch.manual_seed(1)
    first = list(train(RICH, tiny_split))
    torch.manual_seed(2)
    assert list(train(RICH, tiny_split)) == first


@CONFIGS
@pytest.mark.parametrize("epochs_before", [0, 1, 2])
def test_a_resumed_run_ends_bit_identical(tiny_split, config, epochs_before):
    whole = Training(config, tiny_split)
    history = list(whole)
    first = Training(config, tiny_split)
    before = [first.run_epoch() for _ in range(epochs_before)]
    resumed = Training(config, tiny_split)
    if epochs_before:
        resumed.restore(first.checkpoint())
    assert before + list(resumed) == history
    for ours, theirs in zip(resumed.model.state_dict().values(), whole.model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_another_process_gives_the_same_bits(tiny_split):
    program = (
        "import torch; torch.set_num_threads(1)\n"
        "from tests.conftest import make_tiny_dataset\n"
        "from tests.network.test_training import RICH\n"
        "from fmnist_core.data.split import split\n"
        "from fmnist_core.network.training import train\n"
        "for result in train(RICH, split(make_tiny_dataset(), 'held-out', 0)):\n"
        "    print(result.training_loss.hex(), result.validation_loss.hex())\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    here = [f"{result.training_loss.hex()} {result.validation_loss.hex()}" for result in train(RICH, tiny_split)]
    assert printed.split("\n")[:-1] == here


def test_a_checkpoint_of_another_network_is_refused(tiny_split):
    with pytest.raises(ValueError, match=r"missing or unknown|must be"):
        Training(TINY, tiny_split).restore(Training(RICH, tiny_split).checkpoint())


def test_runs_that_differ_only_in_dropout_see_the_same_batches(tiny_split, monkeypatch):
    seen = {0.0: [], 0.5: []}
    gradients = FastStep.gradients
    for dropout, batches_seen in seen.items():

        def noting(self, labels, answers, batches_seen=batches_seen):
            batches_seen.append((self.images.clone(), labels.clone()))
            return gradients(self, labels, answers)

        monkeypatch.setattr(FastStep, "gradients", noting)
        list(train(replace(TINY, dropout=dropout), tiny_split))
    assert len(seen[0.0]) == TINY.epochs * len(batch_bounds(len(tiny_split.training), TINY.batch_size))
    for ours, theirs in zip(seen[0.0], seen[0.5], strict=True):
        assert all(map(torch.equal, ours, theirs))


def test_forgetting_evaluation_mode_changes_the_result(tiny_split):
    """The first classic trap: with dropout left on, validation looks worse and changes from call to call."""
    training = Training(replace(TINY, dropout=0.5, epochs=20), tiny_split)
    *_, last = training
    model, (images, labels) = training.model, Batches(tiny_split.validation).take(slice(None))
    model.train()
    with torch.no_grad():
        forgotten = [torch.nn.functional.nll_loss(model(images), labels).item() for _ in range(2)]
    assert forgotten[0] != forgotten[1]
    assert min(forgotten) > last.validation_loss
    assert evaluate(model, tiny_split.validation).loss == last.validation_loss  # evaluate() sets the mode itself
    assert model.training  # and gives it back


def test_an_evaluation_leaves_no_trace_in_training(tiny_split):
    config = replace(TINY, dropout=0.5, batch_norm=True)
    undisturbed, disturbed = Training(config, tiny_split), Training(config, tiny_split)
    for _ in range(2):
        undisturbed.run_epoch()
        disturbed.run_epoch()
        evaluate(disturbed.model, tiny_split.validation)
    assert undisturbed.run_epoch() == disturbed.run_epoch()


def test_losses_are_means_over_samples_not_over_batches(tiny_split):
    """At a vanishing learning rate the as-trained loss is that of the first weights, whatever the batches."""
    still = replace(TINY, learning_rate=1e-6, epochs=1, batch_size=48)
    assert len(tiny_split.training) % still.batch_size not in (0, 1)
    training = Training(still, tiny_split)
    expected = evaluate(training.model, tiny_split.training)
    result = training.run_epoch()
    assert result.training_loss == pytest.approx(expected.loss, rel=1e-4)


def test_label_smoothing_changes_what_is_minimised_but_not_what_is_shown(tiny_split):
    still = replace(TINY, learning_rate=1e-6, epochs=1)
    plain = Training(still, tiny_split).run_epoch()
    smoothed = Training(replace(still, label_smoothing=0.5), tiny_split).run_epoch()
    assert smoothed.training_loss == pytest.approx(plain.training_loss, rel=1e-4)
    assert list(train(replace(TINY, label_smoothing=0.1), tiny_split)) != list(train(TINY, tiny_split))


def test_label_smoothing_is_pytorchs(tiny_split):
    training = Training(replace(TINY, label_smoothing=0.2, epochs=1, batch_size=4096), tiny_split)
    order = torch.randperm(len(tiny_split.training), generator=derived_generator(TINY.seed, "order", 1))
    images, labels = Batches(tiny_split.training).take(order)
    loss = torch.nn.functional.cross_entropy(training.model.train()(images), labels, label_smoothing=0.2)
    (expected,) = torch.autograd.grad(loss, training.model.output.bias)
    training.run_epoch()
    torch.testing.assert_close(training.model.output.bias.grad, expected)


def test_one_cycle_is_pytorchs():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.006, total_steps=50, pct_start=0.2, cycle_momentum=False
    )
    for step in range(50):
        assert one_cycle(step, 50, 0.006) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        if step < 49:
            theirs.step()


@pytest.mark.parametrize("total_steps", [1, 2, 3, 4, 5, 6, 7])
def test_one_cycle_works_for_very_short_runs(total_steps):
    rates = [one_cycle(step, total_steps, 1.0) for step in range(total_steps)]
    assert all(0 < rate <= 1 for rate in rates)


def test_batches_cover_every_sample_once_and_never_end_with_one():
    for samples in (1, 2, 63, 64, 65, 128, 129, 130):
        bounds = batch_bounds(samples, 64)
        assert [position for start, stop in bounds for position in range(start, stop)] == list(range(samples))
        assert samples == 1 or all(stop - start > 1 for start, stop in bounds)


def test_batch_norm_survives_a_lone_last_sample(tiny_split):
    config = replace(TINY, batch_norm=True, epochs=1, batch_size=len(tiny_split.training) - 1)
    assert len(list(train(config, tiny_split))) == 1


def test_a_run_that_diverges_says_so(tiny_split, monkeypatch):
    monkeypatch.setattr(training, "scale_into", lambda values, images: values.fill_(float("inf")))
    with pytest.raises(TrainingDivergedError, match=r"epoch 1.*lower learning rate"):
        list(train(TINY, tiny_split))


def test_the_pulse_rises_through_the_epoch_and_may_break_it_off(tiny_split):
    shares = []
    training = Training(TINY, tiny_split, pulse=shares.append)
    training.run_epoch()
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1

    class StopError(Exception):
        pass

    def stop(share):
        raise StopError

    training.pulse = stop
    with pytest.raises(StopError):
        training.run_epoch()
    assert training.epochs_done == 1


def test_weight_decay_shrinks_weights(tiny_split):
    plain, decayed = Training(TINY, tiny_split), Training(replace(TINY, weight_decay=1.0), tiny_split)
    list(plain), list(decayed)
    assert decayed.model.output.weight.norm() < plain.model.output.weight.norm()


def test_weight_decay_pulls_alike_under_both_optimisers(tiny_split):
    """With no gradient left, only the decay moves the weights: by the same share each step."""
    for optimizer in ("adam", "sgd"):
        training = Training(replace(TINY, weight_decay=0.5, learning_rate=0.1, optimizer=optimizer), tiny_split)
        before = [parameter.detach().clone() for parameter in training.model.parameters()]
        for _ in range(3):
            for parameter in training.model.parameters():
                parameter.grad.zero_()
            training.optimizer.step()
        for parameter, first in zip(training.model.parameters(), before, strict=True):
            torch.testing.assert_close(parameter.detach(), first * (1 - 0.1 * 0.5) ** 3)


def test_sgd_is_pytorchs_with_nesterov_momentum(tiny_split):
    training = Training(replace(TINY, optimizer="sgd", learning_rate=0.05, epochs=2), tiny_split)
    model = Training(TINY, tiny_split).model
    theirs = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    every = Batches(tiny_split.training)
    for epoch in (1, 2):
        order = torch.randperm(len(every), generator=derived_generator(TINY.seed, "order", epoch))
        for start, stop in batch_bounds(len(every), TINY.batch_size):
            images, labels = every.take(order[start:stop])
            theirs.zero_grad()
            torch.nn.functional.nll_loss(model(images), labels).backward()
            theirs.step()
    list(training)
    for ours, expected in zip(training.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


def test_sgd_learns(tiny_split):
    *_, last = train(replace(TINY, epochs=30, optimizer="sgd", learning_rate=0.05), tiny_split)
    assert last.evaluated_training_accuracy > 0.9
    assert last.validation_accuracy > 0.5  # chance is 0.1


def test_fewer_images_make_fewer_steps_and_end_the_cycle_with_the_run(tiny_split):
    shares = []
    config = replace(TINY, training_images=100, schedule="one-cycle")
    training = Training(config, tiny_split, pulse=shares.append)
    results = list(training)
    steps = len(batch_bounds(100, TINY.batch_size))
    assert shares[:steps] == [0.9 * (step + 1) / steps for step in range(steps)]
    assert results[-1].learning_rate == one_cycle(3 * steps - 1, 3 * steps, TINY.learning_rate)


def test_the_evaluated_training_figures_are_those_of_what_was_trained_on(tiny_split):
    training = Training(replace(TINY, training_images=200, label_noise=0.3, epochs=1), tiny_split)
    result = training.run_epoch()
    wrong = (
        Batches(training.examples).labels
        != Batches(replace(training.examples, labels=tiny_split.training.labels)).labels
    )
    assert 0.2 < wrong.float().mean() < 0.4
    evaluated = evaluate(training.model, training.examples)
    assert (result.evaluated_training_loss, result.evaluated_training_accuracy) == (evaluated.loss, evaluated.accuracy)


def test_a_run_that_asks_for_more_images_than_there_are_is_refused(tiny_split):
    with pytest.raises(TooFewImagesError, match="at most the 500 that"):
        Training(replace(TINY, training_images=501), tiny_split)


def test_pixels_are_dropped_in_training_alone(tiny_split):
    model = Training(replace(TINY, input_dropout=0.5), tiny_split).model
    images, _ = Batches(tiny_split.training).take(slice(0, 50))
    answers = [model(images) for _ in range(2)]
    assert not torch.equal(*answers)
    assert evaluate(model, tiny_split.validation) == evaluate(model, tiny_split.validation)
    assert torch.equal(model.eval()(images), Training(TINY, tiny_split).model.eval()(images))
