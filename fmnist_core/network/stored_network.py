"""Stored networks, looked at with numpy: what the torch network in model.py says, without the weight of torch.

Training and its figures are torch's. This is for pages, which only look: the probabilities agree to a millionth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.data.dataset import CLASSES, Labels, Pixels
from fmnist_core.network.confidence import binned_calibration_error
from fmnist_core.network.figures import CHUNK, Evaluation

Floats = npt.NDArray[np.float32]

VARIANCE_FLOOR = 1e-5  # what torch adds to a variance before it divides by its root


@dataclass(frozen=True, eq=False)
class _Normalisation:
    """Batch normalisation (Ioffe and Szegedy, 2015) of a layer's units; all arrays are float32 (units,)."""

    weight: Floats
    bias: Floats
    mean: Floats  # running statistics, learnt in training
    variance: Floats

    @property
    def slope(self) -> Floats:
        """What each unit is multiplied with when the network is used."""
        slope: Floats = self.weight / np.sqrt(self.variance + np.float32(VARIANCE_FLOOR))
        return slope

    def __call__(self, units: Floats, *, of_the_batch: bool) -> Floats:
        """Normalise units (n, width) by the running statistics, or by those of the batch as in training."""
        if of_the_batch:
            mean, variance = units.mean(axis=0), units.var(axis=0)
            slope = self.weight / np.sqrt(variance + np.float32(VARIANCE_FLOOR))
            normalised: Floats = (units - mean) * slope + self.bias
        else:
            normalised = units * self.slope + (self.bias - self.mean * self.slope)
        return normalised


@dataclass(frozen=True, eq=False)
class _Linear:
    weight: Floats  # (outputs, inputs)
    bias: Floats  # (outputs,)

    def __call__(self, inputs: Floats) -> Floats:
        outputs: Floats = inputs @ self.weight.T
        outputs += self.bias
        return outputs


class StoredNetwork:
    """A trained multilayer perceptron, as its run stored it. It never changes, so that sessions may share one.

    Images are uint8 (n, 28, 28) throughout. Dropout is off, and batch normalisation uses what it learnt, wherever
    nothing else is said.
    """

    def __init__(self, config: RunConfig, content: bytes) -> None:
        """Read a safetensors file. Raises ValueError when it is none, or does not fit `config`."""
        tensors = _read(config, content)
        self.config = config
        self._hidden: list[tuple[_Linear, _Normalisation | None]] = []
        for layer in range(len(config.hidden)):
            linear = _Linear(tensors[f"hidden.{layer}.0.weight"], tensors[f"hidden.{layer}.0.bias"])
            norm = f"hidden.{layer}.1"
            self._hidden.append(
                (
                    linear,
                    _Normalisation(
                        tensors[f"{norm}.weight"],
                        tensors[f"{norm}.bias"],
                        tensors[f"{norm}.running_mean"],
                        tensors[f"{norm}.running_var"],
                    )
                    if config.batch_norm
                    else None,
                )
            )
        self._output = _Linear(tensors["output.weight"], tensors["output.bias"])

    def probabilities(self, images: Pixels) -> Floats:
        """Class probabilities (n, 10), rows summing to 1."""
        return np.concatenate([np.exp(log_softmax(self._output(self._last(chunk)))) for chunk in _chunks(images)])

    def log_probabilities(self, images: Pixels) -> Floats:
        """Their logarithms (n, 10), exact also where a probability is next to nothing."""
        return log_softmax(self.logits(images))

    def thinned(
        self, images: Pixels, kept: Sequence[npt.NDArray[np.bool_]], kept_pixels: npt.NDArray[np.bool_]
    ) -> tuple[tuple[Floats, ...], Floats]:
        """Each hidden layer's units (n, width) and the log-probabilities (n, 10) of networks that kept these units.

        `kept` (n, width) says for each image and layer which units were not dropped, `kept_pixels` (n, 784) which
        pixels; what is kept is scaled up, as in training. Batch normalisation uses what it learnt.
        """
        keep, keep_pixels = np.float32(1 - self.config.dropout), np.float32(1 - self.config.input_dropout)
        units = normalise(images) + np.float32(1)
        units *= kept_pixels / keep_pixels
        units -= 1
        layers = []
        for (linear, norm), mask in zip(self._hidden, kept, strict=True):
            units = np.maximum(self._before_relu(units, linear, norm), np.float32(0))
            units *= mask / keep
            layers.append(units)
        return tuple(layers), log_softmax(self._output(units))

    def logits(self, images: Pixels) -> Floats:
        """The output layer's values (n, 10), from which the softmax makes probabilities."""
        return np.concatenate([self._output(self._last(chunk)) for chunk in _chunks(images)])

    def last_hidden(self, images: Pixels) -> Floats:
        """What enters the output layer: the last hidden layer's units (n, width)."""
        return np.concatenate([self._last(chunk) for chunk in _chunks(images)])

    def first_layer_weights(self) -> Floats:
        """The first hidden layer's weights as pictures, (units, 28, 28): what makes a unit grow, or shrink.

        They are the plain weights; per brightness from black to white each would be twice as large.
        """
        return self._hidden[0][0].weight.reshape(-1, 28, 28)

    def dropout_passes(self, image: Pixels, passes: int = 50, seed: int = 0) -> Floats:
        """Probabilities (passes, 10) of one image (28, 28), each row under dropout masks of its own.

        Monte Carlo dropout (Gal and Ghahramani, 2016): dropout stays on, that of pixels too, all else is as in use. The
        masks depend on `seed` alone. A network without any dropout gives the same answer each time.
        """
        _check(image)
        if passes < 1:
            raise ValueError(f"passes must be at least 1, got {passes}")
        if not self.config.dropout and not self.config.input_dropout:
            # A batch of copies would not do: the last bits of a product can depend on the place in the batch.
            return np.repeat(self.probabilities(image[np.newaxis]), passes, axis=0)
        copies = np.repeat(normalise(image[np.newaxis]), passes, axis=0)
        return np.exp(log_softmax(self._output(self._last(copies, masks=np.random.default_rng(seed)))))

    def relevance(self, image: Pixels, label: int) -> Floats:
        """How much each pixel of one image (28, 28) speaks for class `label`, (28, 28); negative is against it.

        Gradient times input: the slope of the class's logit along the pixel's brightness (Simonyan et al., 2014), times
        that brightness (Shrikumar et al., 2016), from 0 for black to 1 for white: a black pixel always counts 0. The
        logit and not the probability, because the softmax saturates: of a sure answer every slope is close to 0.
        """
        _check(image)
        if not 0 <= label < len(CLASSES):
            raise ValueError(f"label must be from 0 to {len(CLASSES) - 1}, got {label}")
        units, alive = normalise(image[np.newaxis]), []
        for linear, norm in self._hidden:
            units = self._before_relu(units, linear, norm)
            alive.append(units[0] > 0)
            units = np.maximum(units, 0)
        # Back through the layers by the chain rule: a unit that the ReLU cut off passes nothing on.
        slopes = self._output.weight[label]
        for (linear, norm), passing in zip(reversed(self._hidden), reversed(alive), strict=True):
            slopes = np.where(passing, slopes, np.float32(0))
            if norm is not None:
                slopes = slopes * norm.slope
            slopes = slopes @ linear.weight
        # From black to white the input goes from -1 to 1, so its slope is half that along the brightness.
        shares: Floats = 2 * slopes.reshape(28, 28) * image / np.float32(255)
        return shares

    def evaluate_with_training_mode_left_on(self, images: Pixels, labels: Labels) -> Evaluation:
        """What an evaluation would say that forgot `model.eval()`: dropout on, batch normalisation by each batch.

        For showing the mistake. The masks are the same at each call. Raises ValueError where there is nothing to
        average over.
        """
        if len(images) == 0 or len(images) != len(labels):
            raise ValueError(
                f"an evaluation needs as many labels as images and at least one, got {len(images)}, {len(labels)}"
            )
        masks = np.random.default_rng(0)
        answers = [
            log_softmax(self._output(self._last(chunk, masks=masks, of_the_batch=True))) for chunk in _chunks(images)
        ]
        return evaluate_log_probabilities(np.concatenate(answers), labels)

    def _last(self, units: Floats, *, masks: np.random.Generator | None = None, of_the_batch: bool = False) -> Floats:
        """The last hidden layer for inputs (n, 784); with `masks` dropout is on, and draws from them."""
        keep, keep_pixels = np.float32(1 - self.config.dropout), np.float32(1 - self.config.input_dropout)
        if masks is not None and self.config.input_dropout:
            # Brightness from black is what is dropped and scaled up, as in `model.InputDropout`.
            units = units + 1
            units *= (masks.random(units.shape, dtype=np.float32) < keep_pixels) / keep_pixels
            units -= 1
        for linear, norm in self._hidden:
            units = self._before_relu(units, linear, norm, of_the_batch=of_the_batch)
            np.maximum(units, 0, out=units)
            if masks is not None and self.config.dropout:
                units *= (masks.random(units.shape, dtype=np.float32) < keep) / keep
        return units

    @staticmethod
    def _before_relu(
        units: Floats, linear: _Linear, norm: _Normalisation | None, *, of_the_batch: bool = False
    ) -> Floats:
        return linear(units) if norm is None else norm(linear(units), of_the_batch=of_the_batch)


def _read(config: RunConfig, content: bytes) -> dict[str, Floats]:
    """The network's tensors by name, not to be written to. Raises the errors of `model.load_state`."""
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise ValueError(f"weights must be a safetensors file; this content is not: {error}") from error
    except KeyError as error:
        raise ValueError(f"weights must be of a type that numpy knows, got {error}") from error
    expected = _shapes(config)
    if missing := sorted(expected.keys() ^ tensors.keys()):
        raise ValueError(f"weights must have exactly the network's tensors; {missing[0]!r} is missing or unknown")
    for name, shape in expected.items():
        given, dtype = tensors[name], np.dtype(np.int64 if name.endswith("num_batches_tracked") else np.float32)
        if given.shape != shape or given.dtype != dtype:
            raise ValueError(f"weight {name!r} must be {shape} {dtype}, got {given.shape} {given.dtype}")
        if not np.isfinite(given).all():
            raise ValueError(f"weight {name!r} holds a value that is not finite")
        given.flags.writeable = False
    return tensors


def _shapes(config: RunConfig) -> dict[str, tuple[int, ...]]:
    """Each tensor of the network by the name that torch gives it, in torch's order."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (inputs, outputs) in enumerate(pairwise((INPUTS, *config.hidden))):
        shapes |= {f"hidden.{layer}.0.weight": (outputs, inputs), f"hidden.{layer}.0.bias": (outputs,)}
        if config.batch_norm:
            units = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"hidden.{layer}.1.{name}": (outputs,) for name in units}
            shapes[f"hidden.{layer}.1.num_batches_tracked"] = ()
    return shapes | {"output.weight": (OUTPUTS, config.hidden[-1]), "output.bias": (OUTPUTS,)}


def normalise(images: Pixels) -> Floats:
    """Bytes (n, 28, 28) to float32 (n, 784) from -1 for black to 1 for white."""
    inputs = images.reshape(-1, INPUTS).astype(np.float32)
    inputs /= np.float32(127.5)
    inputs -= np.float32(1)
    return inputs


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities (n, 10) of logits (n, 10)."""
    shifted = logits - logits.max(axis=1, keepdims=True)  # no exponential can overflow then
    answers: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return answers


def evaluate_log_probabilities(log_probabilities: Floats, labels: Labels) -> Evaluation:
    """Loss, accuracy and calibration error of log-probabilities (n, 10) for labels (n,)."""
    exact = log_probabilities.astype(np.float64)
    correct = exact.argmax(axis=1) == labels
    return Evaluation(
        loss=float(-exact[np.arange(len(labels)), labels].mean()),
        accuracy=float(correct.mean()),
        calibration_error=binned_calibration_error(np.exp(exact.max(axis=1)), correct),
    )


def strongest_first(weights: Floats) -> npt.NDArray[np.int64]:
    """The order of units, (units,), that puts the largest weights (units, 28, 28) first, by root mean square."""
    return np.argsort(-np.square(weights).mean(axis=(1, 2)), kind="stable")


def _chunks(images: Pixels) -> Iterator[Floats]:
    """The images scaled, some at a time: a float copy of a data set would be four times as large as it is."""
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(f"images must be uint8 (n, 28, 28), got {images.dtype} {images.shape}")
    for start in range(0, max(len(images), 1), CHUNK):
        yield normalise(images[start : start + CHUNK])


def _check(image: Pixels) -> None:
    if image.dtype != np.uint8 or image.shape != (28, 28):
        raise ValueError(f"the image must be uint8 of shape (28, 28), got {image.dtype} {image.shape}")
