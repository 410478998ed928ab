"""Pronunciation of one word: its phonemes, and the stresses and rhyme that follow from them.

Says where it comes from, so that no check passes a guess off as knowledge.
"""

from dataclasses import dataclass
from typing import Literal

from verse.prosody.phonemes import is_vowel, onset_before

Source = Literal["dictionary", "rule", "guess"]
# Vowels that English hardly tells apart before R.
_BEFORE_R = {"IY": "IH", "UW": "UH", "OW": "AO", "EY": "EH", "AE": "EH"}


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """One way to say a word: ARPAbet phonemes, vowels with CMUdict's stress digits."""

    phonemes: tuple[str, ...]
    source: Source

    @property
    def stresses(self) -> str:
        """One digit a syllable: 1 primary stress, 2 secondary, 0 none; "010" for `beginning`."""
        return "".join(phoneme[-1] for phoneme in self.phonemes if is_vowel(phoneme))

    @property
    def rhyme(self) -> str:
        """Phonemes from the last stressed vowel on, without digits: "AY T" for `delight`.

        The last syllable's where none is stressed. Unstressed IH counts as AH, and vowels that
        are one before R as one: CMUdict chooses as it falls (`roses` and `noses`, `here` and
        `dear`).
        """
        vowel = self._rhyming_vowel()
        if vowel is None:
            return ""
        tail = [_reduced(phoneme) for phoneme in self.phonemes[vowel + 1 :]]
        head = self.phonemes[vowel][:-1]
        return " ".join((_BEFORE_R.get(head, head) if tail[:1] == ["R"] else head, *tail))

    @property
    def onset(self) -> str:
        """Consonants before the rhyme: words with one rhyme and one onset sound the same there."""
        vowel = self._rhyming_vowel()
        onset = () if vowel is None else onset_before(self.phonemes, vowel)
        return " ".join(onset).removeprefix("HH ") if "W" in onset else " ".join(onset)

    def _rhyming_vowel(self) -> int | None:
        vowels = [i for i, phoneme in enumerate(self.phonemes) if is_vowel(phoneme)]
        stressed = [i for i in vowels if self.phonemes[i][-1] != "0"]
        return stressed[-1] if stressed else (vowels[-1] if vowels else None)


def _reduced(phoneme: str) -> str:
    return "AH" if phoneme in {"IH0", "AH0"} else phoneme.rstrip("012")
