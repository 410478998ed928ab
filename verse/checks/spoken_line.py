"""Line of verse with all readings of its words: how many syllables it may have, and how surely.

Every combination of readings may be meant, and `the`, `to` and `many` may run into a vowel. A level
says which readings may be used: those of the dictionary alone, also those by rule, also guesses;
what fits at a lower level is known better.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from verse.prosody.function_words import is_function_word
from verse.prosody.line_words import line_words
from verse.prosody.phonemes import is_vowel
from verse.prosody.pronunciation import Pronunciation, Source
from verse.prosody.readings import readings
from verse.report import Basis

# Words whose last vowel verse may run into the next word's first, and its least syllables.
_RUNNING_ON = {"the": 1, "to": 2, "many": 1}
_PAUSE = re.compile("[,;:.!?()\u2013\u2014]|--")
LEVELS: tuple[Source, ...] = ("dictionary", "rule", "guess")


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """Word of a line and all that is known of how it is said; no readings if nothing is."""

    text: str
    readings: tuple[Pronunciation, ...]
    is_after_pause: bool = False
    "Whether the word begins the line or stands after a mark of punctuation."

    @property
    def is_function_word(self) -> bool:
        """Check whether verse may leave the word unstressed."""
        return is_function_word(self.text)

    @property
    def basis(self) -> Basis:
        """Best source of a reading of the word, or unknown."""
        found = {reading.source for reading in self.readings}
        return next((level for level in LEVELS if level in found), "unknown")

    def at_level(self, level: int) -> tuple[Pronunciation, ...]:
        """Readings whose source is among the first levels, up to this index."""
        return tuple(each for each in self.readings if each.source in LEVELS[: level + 1])


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """Line of verse as text and as words with their readings."""

    text: str
    words: tuple[SpokenWord, ...]

    @property
    def basis(self) -> Basis:
        """Basis of the least known word of the line; unknown for a line without words."""
        order: tuple[Basis, ...] = ("unknown", "guess", "rule", "dictionary")
        found = {word.basis for word in self.words}
        return next((basis for basis in order if basis in found), "unknown")

    def syllable_counts(self, level: int) -> frozenset[int]:
        """Numbers of syllables that the line has in some combination of readings of a level."""
        counts = frozenset({0})
        for word in self.words:
            lengths = {len(reading.stresses) for reading in word.at_level(level)}
            counts = frozenset(count + length for count in counts for length in lengths)
        return counts if self.words else frozenset()


@lru_cache(maxsize=1 << 12)
def spoken_line(text: str) -> SpokenLine:
    """Line of text with the readings of its words."""
    found = line_words(text)
    known = [readings(word.text) for word in found]
    pauses = [0, *(word.end for word in found)]
    words = tuple(
        SpokenWord(
            word.text,
            (*known[i], *_run_on(word.text.lower(), known[i], known[i + 1 : i + 2])),
            i == 0 or _PAUSE.search(text[pauses[i] : word.start]) is not None,
        )
        for i, word in enumerate(found)
    )
    return SpokenLine(text, words)


def _run_on(
    word: str, known: Sequence[Pronunciation], following: Sequence[Sequence[Pronunciation]]
) -> tuple[Pronunciation, ...]:
    """Reading of a word that runs into a vowel after it: `th'eternal`, `t'excite`, `many a`."""
    least = _RUNNING_ON.get(word)
    after = [each for known_after in following for each in known_after if each.stresses]
    if least is None or not any(
        is_vowel(each.phonemes[0]) and len(each.stresses) >= least for each in after
    ):
        return ()
    return (Pronunciation(_without_last_vowel(known[0].phonemes), "rule"),)


def _without_last_vowel(phonemes: tuple[str, ...]) -> tuple[str, ...]:
    return (*phonemes[:-1], "Y") if phonemes[-1] == "IY0" and len(phonemes) > 2 else phonemes[:-1]
