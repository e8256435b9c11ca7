import pytest
import torch
from torch import Generator

from fmnist_core.config import RunConfig, count_parameters
from fmnist_core.network.model import MLP, Dropout, InputDropout, model_from_bytes, model_to_bytes


def images(count=16):
    return torch.rand(count, 784, generator=Generator().manual_seed(0)) * 2 - 1


def test_the_articles_network_has_the_articles_size():
    config = RunConfig()
    assert count_parameters(config) == 242_762
    assert sum(parameter.numel() for parameter in MLP(config).parameters()) == 242_762


def test_parameters_are_counted_with_batch_norm():
    config = RunConfig(hidden=(512, 128), batch_norm=True)
    assert sum(parameter.numel() for parameter in MLP(config).parameters()) == count_parameters(config)


def test_output_is_log_probabilities():
    answers = MLP(RunConfig()).eval()(images())
    assert answers.shape == (16, 10)
    torch.testing.assert_close(answers.exp().sum(dim=1), torch.ones(16))


def test_images_may_come_as_squares():
    model = MLP(RunConfig()).eval()
    assert torch.equal(model(images()), model(images().view(-1, 28, 28)))


def test_the_answer_is_made_from_the_logits_and_they_from_the_last_hidden_layer():
    model = MLP(RunConfig(hidden=(32, 16), batch_norm=True, dropout=0.2)).eval()
    hidden, logits = model.last_hidden(images()), model.logits(images())
    assert hidden.shape == (16, 16)
    assert (hidden >= 0).all()
    assert torch.equal(logits, model.output(hidden))
    assert torch.equal(model(images()), torch.log_softmax(logits, dim=1))


def test_dropout_does_not_change_the_first_weights():
    plain, dropping = MLP(RunConfig(seed=3)), MLP(RunConfig(seed=3, dropout=0.5))
    for ours, theirs in zip(plain.parameters(), dropping.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_first_weights_have_pytorchs_default_distribution():
    weight = MLP(RunConfig()).hidden[0][0].weight
    bound = 1 / 784**0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)


def test_dropout_zeroes_the_right_share_and_keeps_the_mean():
    layer = Dropout(0.3, Generator().manual_seed(0)).train()
    dropped = layer(torch.ones(1000, 100))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)


def test_dropout_is_off_in_evaluation_mode():
    layer = Dropout(0.9, Generator()).eval()
    assert torch.equal(layer(torch.ones(5, 5)), torch.ones(5, 5))


def test_dropout_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    MLP(RunConfig(dropout=0.5)).train()(images())
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_never_touches_the_output_layer():
    """With every hidden unit's work replaced by a constant, dropout before the output would still show."""
    model = MLP(RunConfig(hidden=(32,), dropout=0.9)).train()
    seen = []
    model.output.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    answers = model(images())
    (hidden, output) = seen[0]
    assert (hidden == 0).float().mean() > 0.8  # dropout acts on what enters the output layer
    assert torch.equal(output, torch.nn.functional.linear(hidden, model.output.weight, model.output.bias))
    assert torch.equal(answers, torch.log_softmax(output, dim=1))  # and on nothing that leaves it


def test_there_is_one_dropout_after_each_hidden_layer():
    model = MLP(RunConfig(hidden=(32, 16, 8), dropout=0.2, batch_norm=True))
    for block in model.hidden:
        assert [type(layer).__name__ for layer in block] == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]


def test_weights_survive_the_way_through_bytes():
    config = RunConfig(hidden=(32, 16), batch_norm=True)
    model = MLP(config).train()
    model(images())  # moves the running statistics of batch normalisation
    assert torch.equal(model_from_bytes(config, model_to_bytes(model))(images()), model.eval()(images()))


def test_weights_that_do_not_fit_are_refused():
    content = model_to_bytes(MLP(RunConfig(hidden=(32,))))
    with pytest.raises(ValueError, match=r"must be \(16, 784\) float32, got \(32, 784\) float32"):
        model_from_bytes(RunConfig(hidden=(16,)), content)
    with pytest.raises(ValueError, match="missing or unknown"):
        model_from_bytes(RunConfig(hidden=(32, 16)), content)
    with pytest.raises(ValueError, match="safetensors"):
        model_from_bytes(RunConfig(hidden=(32,)), b"not weights")


def test_weights_that_are_not_finite_are_refused():
    model = MLP(RunConfig(hidden=(32,)))
    with torch.no_grad():
        model.output.bias[3] = float("nan")
    with pytest.raises(ValueError, match=r"output\.bias.*not finite"):
        model_from_bytes(RunConfig(hidden=(32,)), model_to_bytes(model))


def test_a_dropped_pixel_becomes_background_and_brightness_keeps_its_mean():
    layer = InputDropout(0.4, Generator().manual_seed(0)).train()
    black, grey = torch.full((500, 784), -1.0), torch.full((500, 784), 0.2)
    assert torch.equal(layer(black), black)  # background stays background
    dropped = layer(grey)
    assert (dropped == -1).float().mean().item() == pytest.approx(0.4, abs=0.01)
    torch.testing.assert_close(dropped[dropped != -1].unique(), torch.tensor([1.2 / 0.6 - 1]))
    assert dropped.mean().item() == pytest.approx(0.2, abs=0.02)
    assert torch.equal(grey, torch.full((500, 784), 0.2))  # the given images are left alone
    assert layer.eval()(grey) is grey


def test_input_dropout_changes_no_stored_tensor():
    plain, dropping = MLP(RunConfig(seed=3)), MLP(RunConfig(seed=3, input_dropout=0.5))
    assert plain.state_dict().keys() == dropping.state_dict().keys()
    for ours, theirs in zip(plain.parameters(), dropping.parameters(), strict=True):
        assert torch.equal(ours, theirs)
