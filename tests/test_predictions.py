import numpy as np
import pytest

from fmnist_core.predictions import pack, unpack


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
