"""Referee of pronunciations that shares nothing with `verse.prosody`: misaki's dictionaries.

misaki (Apache-2.0) has American English in a notation of its own, a character a sound, with ˈ and
ˌ before a stressed vowel. Its JSON files are read as data; it has few inflections, so endings are
joined by rule. It is no dependency: `pip install 'strophe[referee]'` on Python 3.12 or earlier,
or STROPHE_MISAKI names a folder with its `us_gold.json` and `us_silver.json`.
"""

# ruff: noqa: RUF001, RUF002 - letters of the phonetic alphabet

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

VOWELS = "AIOWYæɑəɛɜɪiuʊʌɔᵊᵻ"
_STRESSES = "ˈˌ"
_VOICELESS = "ptkfθʔ"
_SIBILANTS = "szʃʒʧʤ"
# Weak vowels, flaps and the n of `button`, which misaki writes as they are spoken fast.
_PLAIN = str.maketrans({"ɾ": "t", "ᵊ": "ə", "ᵻ": "ə", "ʔ": "t"})
_SYLLABIC = re.compile("ʔ(?=n)")
_LAST_STRESSED = re.compile(rf"[{_STRESSES}]([{VOWELS}][^{_STRESSES}]*)$")
_LAST_VOWEL = re.compile(rf"([{VOWELS}][^{VOWELS}]*)$")
_ONSET = re.compile(rf"([^{VOWELS}{_STRESSES}]*)$")
_FOLDERS = ("us_gold.json", "us_silver.json")


@dataclass(frozen=True, slots=True)
class Heard:
    """One pronunciation: number of syllables, a digit of stress for each, rhyme, its onset."""

    stresses: str
    rhyme: str
    onset: str

    @property
    def syllables(self) -> int:
        """Number of syllables."""
        return len(self.stresses)


@dataclass(slots=True)
class Referee:
    """Pronunciations by misaki: those listed, and those of a listed stem with an ending."""

    listed: dict[str, tuple[str, ...]]
    _heard: dict[str, tuple[Heard, ...]] = field(default_factory=dict)

    def readings(self, word: str) -> tuple[Heard, ...]:
        """Pronunciations of a word in lower case; empty if misaki knows neither it nor a stem."""
        if word not in self._heard:
            sounds = self.listed.get(word) or tuple(self._inflected(word))
            self._heard[word] = tuple(dict.fromkeys(map(heard, sounds)))
        return self._heard[word]

    def rhymes(self, one: str, other: str) -> bool | None:
        """Rhyme of two words: perfect in some reading, or not; None where one is not known."""
        a, b = self.readings(one), self.readings(other)
        if not a or not b:
            return None
        return any(x.rhyme == y.rhyme and x.onset != y.onset for x in a for y in b)

    def _inflected(self, word: str) -> Iterator[str]:
        for stem, ending in _stems(word):
            for sounds in self.listed.get(stem, ()):
                yield sounds + _joined(sounds[-1], ending)


def referee() -> Referee | None:
    """Referee by the data of misaki, where it is installed or STROPHE_MISAKI names its folder."""
    named = os.environ.get("STROPHE_MISAKI")
    spec = None if named else find_spec("misaki")
    if named:
        folder = Path(named)
    elif spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "data"
    else:
        return None
    listed: dict[str, tuple[str, ...]] = {}
    for name in _FOLDERS:
        entries = json.loads((folder / name).read_text(encoding="utf-8"))
        for word, said in entries.items():
            forms = said.values() if isinstance(said, dict) else [said]
            listed.setdefault(word.lower(), tuple(dict.fromkeys(filter(None, forms))))
    return Referee(listed)


def heard(sounds: str) -> Heard:
    """Stresses, rhyme and onset of misaki's sounds."""
    plain = _SYLLABIC.sub("tə", sounds).translate(_PLAIN)
    stresses = "".join(
        {"ˈ": "1", "ˌ": "2"}.get(plain[i - 1 : i], "0")
        for i, sound in enumerate(plain)
        if sound in VOWELS
    )
    found = _LAST_STRESSED.search(plain) or _LAST_VOWEL.search(plain)
    if found is None:
        return Heard(stresses, "", "")
    before = _ONSET.search(plain[: found.start()])
    rhyme = found[1][0] + found[1][1:].replace("ɪ", "ə")
    return Heard(stresses, rhyme, before[1] if before else "")


def _stems(word: str) -> Iterator[tuple[str, str]]:
    """Stems that a word may be an inflection of, and the ending: s, d or ing."""
    if word.endswith(("'s", "s'")):
        yield word[:-2] if word.endswith("'s") else word[:-1], "s" if word.endswith("'s") else ""
    if word.endswith("s"):
        yield from ((word[:-1], "s"), (word[:-2], "s"), (f"{word[:-3]}y", "s"))
    for mark, ending in (("'d", "d"), ("ed", "d"), ("ing", "ing")):
        if word.endswith(mark):
            base = word.removesuffix(mark)
            yield from ((base, ending), (f"{base}e", ending), (base[:-1], ending))
            if base.endswith("i"):
                yield f"{base[:-1]}y", ending


def _joined(last: str, ending: str) -> str:
    if ending == "ing":
        return "ɪŋ"
    if ending == "s":
        return "əz" if last in _SIBILANTS else "s" if last in _VOICELESS else "z"
    if ending == "d":
        return "əd" if last in "tdɾʔ" else "t" if last in _VOICELESS + _SIBILANTS[::2] else "d"
    return ""
