"""scikit-learn's MLPClassifier. It knows neither dropout nor batch normalisation nor a rate that changes with Adam."""

from collections.abc import Iterator

from sklearn.neural_network import MLPClassifier

from benchmarks.contenders.pixels import rows
from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import CLASSES, Dataset


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Test accuracy after each epoch."""
    assert not config.dropout, config
    assert not config.batch_norm, config
    assert config.schedule == "constant", config
    classifier = MLPClassifier(
        config.hidden,
        alpha=0.0,
        batch_size=config.batch_size,
        learning_rate_init=config.learning_rate,
        random_state=config.seed,
    )
    images, test_images, classes = rows(data.train_images), rows(data.test_images), [*range(len(CLASSES))]
    while True:
        classifier.partial_fit(images, data.train_labels, classes=classes)
        yield float(classifier.score(test_images, data.test_labels))
