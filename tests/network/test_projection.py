"""Maps of the last hidden layer: what they keep, and that they are the same each time."""

import numpy as np
import pytest

from fmnist_core.network.projection import neighbourhood, plane


def clusters(count: int = 20, width: int = 64) -> np.ndarray:
    """Three groups of `count` images each, far apart."""
    rng = np.random.default_rng(0)
    centres = np.repeat(10 * np.eye(3, width), count, axis=0)
    return (centres + 0.1 * rng.standard_normal(centres.shape)).astype(np.float32)


def nearest(points: np.ndarray) -> np.ndarray:
    """The position of each point's nearest neighbour."""
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)


def test_the_plane_is_where_features_spread_most():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((200, 8)).astype(np.float32) * np.array([1, 9, 1, 1, 5, 1, 1, 1], np.float32)
    points = plane(features)
    assert points.dtype == np.float32
    for axis, column in ((0, 1), (1, 4)):
        centred = features[:, column] - features[:, column].mean()
        assert abs(np.corrcoef(points[:, axis], centred)[0, 1]) > 0.99


def test_the_plane_has_no_other_sign_next_time():
    features = clusters()
    points = plane(features)
    assert (plane(features) == points).all()
    order = np.random.default_rng(1).permutation(len(features))
    np.testing.assert_allclose(plane(features[order]), points[order], atol=1e-3)


@pytest.mark.parametrize("width", [8, 64])
def test_neighbours_stay_neighbours(width):
    points = neighbourhood(clusters(width=width))
    assert points.shape == (60, 2)
    assert (nearest(points) // 20 == np.arange(60) // 20).all()


def test_the_same_seed_gives_the_same_map():
    assert (neighbourhood(clusters(5), seed=1) == neighbourhood(clusters(5), seed=1)).all()


@pytest.mark.parametrize("count", [3, 4, 10])
def test_few_images_have_a_map(count):
    points = neighbourhood(np.random.default_rng(0).random((count, 8), dtype=np.float32))
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


def test_images_that_are_all_alike_are_one_point():
    """As for a network whose hidden units have all died."""
    for view in (plane, neighbourhood):
        assert (view(np.ones((30, 8), np.float32)) == np.zeros((30, 2))).all()


@pytest.mark.parametrize("view", [plane, neighbourhood])
def test_what_has_no_map_is_refused(view):
    with pytest.raises(ValueError, match=r"at least 3 images by 2 values, got shape \(2, 8\)"):
        view(np.ones((2, 8), np.float32))
    with pytest.raises(ValueError, match="must be finite"):
        view(np.full((5, 8), np.nan, np.float32))
