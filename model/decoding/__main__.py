"""Compiling all decode kernels ahead, into their folder: `python -m model.decoding`.

For installers and images, so that the first start is as fast as any. What a kernel is compiled for
hangs on the kind of arrays, not on their sizes, so a network of a few weights does for all.
"""

from model.config import ModelConfig
from model.decoding.decoder import decoder_of
from model.network import Network


def main() -> None:
    """Compile all kernels that are not in their folder yet, by using each of them once."""
    shape = ModelConfig(vocab_size=4, embedding_size=8, hidden_size=8, num_layers=2)
    decoder_of(Network(shape).initialise().eval(), "int8")


if __name__ == "__main__":
    main()
