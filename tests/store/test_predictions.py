import numpy as np
import pytest

from fmnist_core.store.predictions import pack, replay, unpack


def test_probabilities_come_back_as_a_page_words_them():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(10, 0.3), 500).astype(np.float32)
    back = unpack(pack(probabilities))
    assert back.dtype == np.float32
    assert np.abs(back - probabilities).max() <= 0.0005 + 1e-7
    assert pack(back) == pack(probabilities)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_certainty_stays_certainty(value):
    probabilities = np.full((3, 10), value, np.float32)
    assert (unpack(pack(probabilities)) == value).all()


def test_confident_predictions_take_little_room():
    certain = np.zeros((10_000, 10), np.float32)
    certain[np.arange(10_000), np.arange(10_000) % 10] = 1
    assert len(pack(certain)) < 10_000


def test_a_replay_tells_each_epochs_answer_for_one_image():
    rng = np.random.default_rng(0)
    epochs = {epoch: rng.dirichlet(np.full(10, 0.3), 50).astype(np.float32) for epoch in (1, 2, 5)}
    told = replay({epoch: pack(answers) for epoch, answers in epochs.items()})
    assert told.epochs == (1, 2, 5)
    answers = told.of(17)
    assert list(answers) == [1, 2, 5]
    for epoch, row in answers.items():
        assert row == pytest.approx(epochs[epoch][17], abs=0.00051)


def test_without_predictions_there_is_no_replay():
    assert replay({}) is None
