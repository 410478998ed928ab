"""Choice between token vectors and one-hot ids as the first layer's input of a training step.

Knows nothing of how either is computed: that is `model/one_hot_input.py`.
"""

from torch import Tensor

from model.config import ModelConfig
from model.one_hot_input import one_hot_width
from training.optimization.regularization import Regularization

# Where the arithmetic falls by less, so little of it is left in time that it is not worth the
# rounding of another order of sums (benchmarks/README.md).
LEAST_GAIN = 1.25


def reads_one_hot(shape: ModelConfig, noise: Regularization, tokens: Tensor) -> bool:
    """Check whether a window of tokens (B, T) is read faster one-hot.

    It is with a vocabulary that is much smaller than the embedding, on a CPU, unless something
    changes single token vectors on their way: dropout of the input, or a Mogrifier.
    """
    if tokens.device.type != "cpu" or noise.inputs > 0 or shape.mogrifier_rounds > 0:
        return False
    width, count = one_hot_width(shape.vocab_size), tokens.numel()
    # Products by each row of the input and recurrent weights.
    plain = count * (shape.embedding_size + shape.hidden_size)
    one_hot = count * (width + shape.hidden_size) + width * shape.embedding_size
    return plain > LEAST_GAIN * one_hot
