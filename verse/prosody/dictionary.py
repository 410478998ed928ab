"""CMU Pronouncing Dictionary, packed: every reading of 126,052 words, looked up by spelling.

The data is Carnegie Mellon University's, under the notice in `cmudict/LICENSE`; it is decompressed
at the first look-up (0.2 s, 25 MB), not on import. `pack` makes the file.
"""

import lzma
import re
from functools import cache
from importlib import resources

from verse.prosody.phonemes import is_vowel, unpacked

# Endings that are weak whatever the dictionary says, alone and with -s or -d.
_WEAK_END = re.compile(r"([^aeiou]y('s)?|ies|ied|[^aeiou]ow(s|ed)?|[tlrd]ues?|ness|[^h]ing|ous)$")
_WEAK_VOWELS = {"IY2": "IY0", "OW2": "OW0", "UW2": "UW0", "IH2": "IH0", "EH2": "AH0", "AH2": "AH0"}
FILE = "cmudict.xz"


def dictionary_readings(word: str) -> tuple[tuple[str, ...], ...]:
    """Phonemes of each reading of a word in lower case, the usual first; empty if not listed.

    As CMUdict has them, but for half stresses that it puts on the ends of some words and not of
    their like: `shadow` and `company` end as weakly here as `hollow` and `harmony`.
    """
    codes = _entries().get(word)
    if codes is None:
        return ()
    listed = tuple(unpacked(code) for code in codes.split(" "))
    if _WEAK_END.search(word):
        return tuple(dict.fromkeys(_weakened(phonemes) for phonemes in listed))
    return listed


def _weakened(phonemes: tuple[str, ...]) -> tuple[str, ...]:
    """A reading whose last syllable is weak if it was half stressed beside a stress, or on IY."""
    at = max(i for i, phoneme in enumerate(phonemes) if is_vowel(phoneme))
    before = [phoneme for phoneme in phonemes[:at] if is_vowel(phoneme)]
    is_after_stress = bool(before) and before[-1].endswith("1")
    weak = _WEAK_VOWELS.get(phonemes[at])
    if weak is None or (weak in {"OW0", "UW0"} and not is_after_stress):
        return phonemes
    return (*phonemes[:at], weak, *phonemes[at + 1 :])


def dictionary_words() -> tuple[str, ...]:
    """Every listed word, sorted by spelling."""
    return tuple(_entries())


@cache
def _entries() -> dict[str, str]:
    raw = (resources.files("verse.prosody") / "cmudict" / FILE).read_bytes()
    lines = lzma.decompress(raw).decode("ascii").split("\n")
    return dict(line.split("\t", 1) for line in lines)
