"""Letter signature of a text: two bits a letter, a hash of it and the two letters behind it.

Only letters count, in small letters: whatever stands between them (spaces, line ends, marks,
digits, apostrophes) may differ. Two texts with the same letters have the same signatures, and
from a signature no text can be read: three letters become one of four values. Knows nothing of
documents.
"""

import numpy as np

# Fewer letters share hashes more often, more cost a run its last ones: of 300 excerpts of verse
# the longest run is told truest with three.
GRAM = 3  # letters that a hash is of
PER_BYTE = 4  # hashes in a byte, the first in its lowest bits

Codes = np.ndarray[tuple[int], np.dtype[np.uint64]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]

_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
_LAST_FACTOR = np.uint64(0xFF51AFD7ED558CCD)


def letters_of(text: str) -> tuple[Codes, Places]:
    """Code points of a text's letters in small letters, and their places in the text."""
    if not text:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    distinct = sorted(set(text))
    known = np.array([ord(character) for character in distinct], np.uint32)
    small = np.array([_small(character) for character in distinct], np.uint64)
    found = small[np.searchsorted(known, codes)]
    places = np.flatnonzero(found)
    return found[places], places


def _small(character: str) -> int:
    """Code point of the small letter, 0 for what is no letter."""
    # One character by itself: what it becomes must not hang on its neighbours.
    return ord(character.lower()[0]) if character.isalpha() else 0


def hashes_of(letters: Codes) -> Bytes:
    """Hash of each letter with those behind it, 0 to 3, but of the last GRAM - 1."""
    count = max(len(letters) - GRAM + 1, 0)
    mixed = np.zeros(count, np.uint64)
    for offset, factor in enumerate(_FACTORS):
        mixed += letters[offset : offset + count] * np.uint64(factor)
    mixed ^= mixed >> np.uint64(29)
    mixed *= _LAST_FACTOR
    return (mixed >> np.uint64(62)).astype(np.uint8)


def packed(hashes: Bytes) -> bytes:
    """Pack hashes into bytes, four in each; their number is a multiple of four."""
    four = hashes.reshape(-1, PER_BYTE)
    return (four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6).tobytes()
