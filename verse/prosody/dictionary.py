"""CMU Pronouncing Dictionary, packed: every reading of 126,052 words, looked up by spelling.

The data is Carnegie Mellon University's, under the notice in `cmudict/LICENSE`; it is decompressed
at the first look-up (0.2 s, 25 MB), not on import. `pack` makes the file.
"""

import lzma
from functools import cache
from importlib import resources

from verse.prosody.phonemes import unpacked

FILE = "cmudict.xz"


def dictionary_readings(word: str) -> tuple[tuple[str, ...], ...]:
    """Phonemes of each reading of a word in lower case, the usual first; empty if not listed."""
    codes = _entries().get(word)
    return () if codes is None else tuple(unpacked(code) for code in codes.split(" "))


def in_dictionary(word: str) -> bool:
    """Whether a word in lower case has an entry."""
    return word in _entries()


def dictionary_words() -> tuple[str, ...]:
    """Every listed word, sorted by spelling."""
    return tuple(_entries())


@cache
def _entries() -> dict[str, str]:
    raw = (resources.files("verse.prosody") / "cmudict" / FILE).read_bytes()
    lines = lzma.decompress(raw).decode("ascii").split("\n")
    return dict(line.split("\t", 1) for line in lines)
