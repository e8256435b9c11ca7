"""Which runs can be trained as one program, told without torch: the dispatcher asks."""

from collections.abc import Hashable

from fmnist_core.config import RunConfig


def shape_of(config: RunConfig) -> Hashable:
    """Equal for runs that `StackedTraining` can train together, on the same data and with as many epochs done.

    What differs between such runs are numbers: the dropout, the learning rate, the seed. Not the layers, nor how many
    steps there are, nor what a step consists of.
    """
    layers = (config.hidden, config.batch_norm)
    steps = (config.protocol, config.training_images, config.batch_size, config.epochs)
    return (*layers, *steps, config.optimizer)
