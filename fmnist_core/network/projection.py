"""Where a network puts the images: maps of its last hidden layer in two dimensions.

scikit-learn is imported where it is used: it takes a second and 80 MB, and most who come here never see a map.
"""

import numpy as np
import numpy.typing as npt

NEIGHBOURS = 30  # t-SNE's perplexity: about how many neighbours each image tries to keep
_COMPONENTS = 50

Floats = npt.NDArray[np.float32]


def plane(features: Floats) -> Floats:
    """The plane on which features (n, d) spread most, as points (n, 2): their first two principal components.

    The same features always give the same points, signs included. Raises ValueError as `neighbourhood` does.
    """
    _check(features)
    return _principal_components(features, 2)


def neighbourhood(features: Floats, seed: int = 0) -> Floats:
    """A map, (n, 2), on which images that are neighbours in features (n, d) stay neighbours: t-SNE.

    Van der Maaten and Hinton, 2008. Distances between groups, and the groups' sizes, mean nothing. It starts from the
    principal components, so that the same features and seed give the same map. Raises ValueError for fewer than
    three images, for fewer than two features and for values that are not finite.
    """
    from sklearn.manifold import TSNE

    _check(features)
    components = _principal_components(features, min(_COMPONENTS, *features.shape))
    if not components.any():
        return components[:, :2]  # all images alike, as after a training that failed: one point
    count = len(features)
    tsne = TSNE(perplexity=min(NEIGHBOURS, (count - 1) / 3), init="pca", random_state=seed)
    points: Floats = tsne.fit_transform(components).astype(np.float32)
    return points


def _check(features: Floats) -> None:
    if features.ndim != 2 or features.shape[0] < 3 or features.shape[1] < 2:
        raise ValueError(f"features must be at least 3 images by 2 values, got shape {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite numbers; these hold others, so the network's training has failed")


def _principal_components(features: Floats, count: int) -> Floats:
    """The first `count` principal components of each row, (n, count), in falling order of spread."""
    from sklearn.decomposition import PCA

    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), count), np.float32)  # without spread its shares would be 0/0
    # This solver draws no random numbers and fixes the signs; in double precision it loses nothing that matters.
    pca = PCA(count, svd_solver="covariance_eigh")
    components: Floats = pca.fit_transform(features.astype(np.float64)).astype(np.float32)
    return components
