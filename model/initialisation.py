"""Initial weights: what a network's matrices are drawn from before anything is learned.

Recurrent weights are orthogonal by gate. Input weights are scaled by what they read, so that what
they add up to varies by about 1 in every layer (in the manner of LSUV, Mishkin & Matas 2016, but
by a table instead of a measurement). Hidden states begin small; where the weights above do not make
up for it, each layer passes on less of the text than the one below, and a deep stack stands for
hundreds of updates at the frequencies of single tokens.

Knows nothing of how a network runs, and what is learned.
"""

from collections.abc import Iterable

from torch import Tensor, nn

from model.config import Cell, ModelConfig

FORGET_BIAS = 1.0  # Jozefowicz, Zaremba & Sutskever 2015: remember until told otherwise
# Root mean square of hidden states before the first update, about.
HIDDEN_RMS: dict[Cell, float] = {"lstm": 1 / 3, "gru": 1 / 2, "rnn": 2 / 3}


def initialise(
    config: ModelConfig,
    embedding: nn.Embedding,
    layers: Iterable[nn.Module],
    mogrifier_weights: Iterable[Tensor],
    output: nn.Linear,
) -> None:
    """Draw the weights of a network's parts from torch's global generator, in place."""
    # Tied, the same vectors make the logits, which must start small.
    token_rms = config.embedding_size**-0.5 if config.tied else 1.0
    layer_rms = 1.0 if config.layer_norm else HIDDEN_RMS[config.cell]
    nn.init.normal_(embedding.weight, std=token_rms)
    if not config.tied:
        nn.init.xavier_uniform_(output.weight)
    nn.init.zeros_(output.bias)
    for index, layer in enumerate(layers):
        _initialise_layer(layer, config, layer_rms if index > 0 else token_rms)
    for matrix in mogrifier_weights:
        nn.init.xavier_uniform_(matrix)


def _initialise_layer(layer: nn.Module, config: ModelConfig, input_rms: float) -> None:
    for name, weight in layer.named_parameters():
        if name.startswith("weight_hh"):
            for gate in weight.data.chunk(len(weight) // config.hidden_size):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5 / input_rms)
        else:
            nn.init.zeros_(weight)
            if config.cell == "lstm" and name.startswith("bias_ih"):
                weight.data[config.hidden_size : 2 * config.hidden_size] = FORGET_BIAS
