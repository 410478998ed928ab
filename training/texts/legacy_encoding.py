"""Detection of a legacy encoding, from before Unicode, by the letters that the bytes would be.

Each candidate decodes the text. A letter is worth the more, the commoner it is in a language that
the encoding was made for, and less than nothing where it cannot stand: an accented capital inside
a word, a letter of another script beside it. Verse is short, and on a few lines this errs less
often than charset-normalizer, which is asked where no candidate fits. All weights are integers,
so every machine finds the same. Knows nothing of files.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from model.extras import needs_extra
from training.texts import letter_frequencies as letters

MIN_POINTS = 4  # a letter, on average, of 10
MISPLACED = -15
MIN_ENGLISH_SHARE = 0.15  # of words; verse in another language has few that look the same
_ENGLISH_WORDS = frozenset(
    b"the and of to in that with his my is for thou she from but not all their which her".split()
)
_WORD = re.compile(rb"(?<![a-z\x80-\xff])[a-z]+(?![a-z\x80-\xff])")
_OPENING, _CLOSING = "“„‘‚«‹¿¡", "”“’‘»›"
_BETWEEN_LETTERS = "–—…\u00a0"
_SIGNS = "–—…·°§©®€£½¼¾\u00a0"
Triple = tuple[str, str, str]  # what stands before a character, it, and what behind
_NOT_ASCII = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class _SingleByte:
    """Encoding of an alphabet, a byte a letter; `sign_points`: of a sign such as a degree."""

    name: str
    codec: str
    alphabets: tuple[str, ...]
    is_latin: bool = False
    sign_points: int = MIN_POINTS - 1  # alone they tell nothing

    def points(self, text: str) -> int:
        """Add up the points of the characters that are not ASCII, in the likeliest language."""
        triples = _triples(text)
        return max(
            sum(self._points(triple, ranks) * count for triple, count in triples.items())
            for ranks in map(_ranks, self.alphabets)
        )

    def _points(self, triple: Triple, ranks: dict[str, int]) -> int:
        before, char, behind = triple
        small = char.lower()
        if small not in ranks:
            return self._points_of_sign(before, char, behind)
        if before.isdigit() or behind.isdigit():
            return MISPLACED
        if not self.is_latin and (_is_ascii_letter(before) or _is_ascii_letter(behind)):
            return MISPLACED
        is_small = char == small
        if not is_small and (before.islower() or (before.isupper() and behind.islower())):
            return MISPLACED
        if is_small and before.isupper() and behind.isupper():
            return MISPLACED
        return ranks[small]

    def _points_of_sign(self, before: str, char: str, behind: str) -> int:
        if char == "’" and before.isalpha():
            return 10
        if char in _OPENING and not before.isalnum() and not behind.isspace():
            return 8
        if char in _CLOSING and not before.isspace() and not behind.isalnum():
            return 8
        is_inside = before.islower() and behind.islower() and char not in _BETWEEN_LETTERS
        return self.sign_points if char in _SIGNS and not is_inside else MISPLACED


def _is_ascii_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _ranks(alphabet: str) -> dict[str, int]:
    return {letter: 10 - 8 * place // len(alphabet) for place, letter in enumerate(alphabet)}


def _triples(text: str) -> Counter[Triple]:
    padded = f"\n{text}\n"
    found = (match.start() for match in _NOT_ASCII.finditer(padded))
    return Counter((padded[at - 1], padded[at], padded[at + 1]) for at in found)


@dataclass(frozen=True, slots=True)
class _MultiByte:
    name: str
    codec: str
    points_of: Callable[[str, bytes], int]

    def points(self, text: str) -> int:
        """Add up the points of the characters that are not ASCII."""
        triples = _triples(text)
        return sum(self._points(triple) * count for triple, count in triples.items())

    def _points(self, triple: Triple) -> int:
        before, char, behind = triple
        points = self.points_of(char, char.encode(self.codec))
        is_amid_latin = _is_ascii_letter(before) or _is_ascii_letter(behind)
        return points if points < 0 or not is_amid_latin else MISPLACED


def _is_wide_punctuation(char: str) -> bool:
    return "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e" or char in "“”‘’…—·"


def _hanzi(last_common_lead: int) -> Callable[[str, bytes], int]:
    def points(char: str, raw: bytes) -> int:
        if char in letters.HANZI:
            return 10
        if _is_wide_punctuation(char):
            return 8
        if not "\u4e00" <= char <= "\u9fff":
            return -8
        return 6 if len(raw) == 2 and raw[0] <= last_common_lead else -2

    return points


def _gb(char: str, raw: bytes) -> int:
    points = _hanzi(0xD7)(char, raw)
    if not "\u4e00" <= char <= "\u9fff" or points == 10:
        return points
    is_gb2312 = len(raw) == 2 and raw[0] >= 0xB0 and raw[1] >= 0xA1
    return points if is_gb2312 else 2  # traditional characters are not in the old set


def _japanese(first_common_lead: int, last_common_lead: int) -> Callable[[str, bytes], int]:
    def points(char: str, raw: bytes) -> int:
        if "\u3041" <= char <= "\u309f":
            return 10
        if "\u30a0" <= char <= "\u30ff" or _is_wide_punctuation(char):
            return 8
        is_common = first_common_lead <= raw[0] <= last_common_lead
        return 6 if is_common and "\u4e00" <= char <= "\u9fff" else -6

    return points


def _korean(char: str, raw: bytes) -> int:
    if char in letters.HANGUL:
        return 10
    if _is_wide_punctuation(char):
        return 8
    is_ks = raw[0] >= 0xB0 and raw[1] >= 0xA1
    return 5 if is_ks and "\uac00" <= char <= "\ud7a3" else -6


_Candidates = Sequence[_SingleByte | _MultiByte]

# Where two decode a text alike, or equally well, the first.
_CANDIDATES: _Candidates = (
    _SingleByte("windows-1252", "cp1252", letters.WESTERN, is_latin=True, sign_points=MIN_POINTS),
    _SingleByte("iso-8859-15", "iso8859-15", letters.WESTERN, is_latin=True),
    _SingleByte("windows-1250", "cp1250", letters.CENTRAL, is_latin=True),
    _SingleByte("iso-8859-2", "iso8859-2", letters.CENTRAL, is_latin=True),
    _SingleByte("windows-1254", "cp1254", letters.TURKISH, is_latin=True),
    _SingleByte("windows-1257", "cp1257", letters.BALTIC, is_latin=True),
    _SingleByte("windows-1251", "cp1251", letters.CYRILLIC),
    _SingleByte("koi8-r", "koi8-r", letters.CYRILLIC[:1]),
    _SingleByte("koi8-u", "koi8-u", letters.CYRILLIC[1:]),
    _SingleByte("cp866", "cp866", letters.CYRILLIC[:1]),
    _SingleByte("iso-8859-5", "iso8859-5", letters.CYRILLIC),
    _SingleByte("windows-1253", "cp1253", letters.GREEK),
    _SingleByte("iso-8859-7", "iso8859-7", letters.GREEK),
    _SingleByte("cp737", "cp737", letters.GREEK),
    _SingleByte("windows-1255", "cp1255", letters.HEBREW),
    _SingleByte("windows-1256", "cp1256", letters.ARABIC),
    _SingleByte("iso-8859-6", "iso8859-6", letters.ARABIC),
    _SingleByte("windows-874", "cp874", letters.THAI),
    _SingleByte("macintosh", "mac-roman", letters.WESTERN, is_latin=True),
    _SingleByte("mac-cyrillic", "mac-cyrillic", letters.CYRILLIC),
    _SingleByte("cp850", "cp850", letters.WESTERN, is_latin=True),
    _SingleByte("cp852", "cp852", letters.CENTRAL, is_latin=True),
    _MultiByte("gb18030", "gb18030", _gb),
    _MultiByte("big5", "big5hkscs", _hanzi(0xC6)),
    _MultiByte("shift_jis", "cp932", _japanese(0x88, 0x97)),
    _MultiByte("euc-jp", "euc-jp", _japanese(0xB0, 0xCF)),
    _MultiByte("euc-kr", "cp949", _korean),
)
# Of an English text: in Latin encodings only the letters of its loans and old spellings.
_ENGLISH_CANDIDATES: _Candidates = [
    replace(candidate, alphabets=(letters.ENGLISH,))
    if isinstance(candidate, _SingleByte) and candidate.is_latin
    else candidate
    for candidate in _CANDIDATES
]
# Tenths of a point that rarer encodings have less, so that between equals the commoner is taken.
_RARITY = {
    **dict.fromkeys(("macintosh", "iso-8859-5", "iso-8859-2", "windows-1257"), 5),
    **dict.fromkeys(("mac-cyrillic", "cp737", "cp850", "cp852", "cp866"), 15),
}
LEGACY_CODECS = {candidate.name: candidate.codec for candidate in _CANDIDATES}


def legacy_encodings(sample: bytes, *, is_english: bool = False) -> list[str]:
    """Find the encodings that bytes may be in, likeliest first. The last byte may be amid a letter.

    Of an English text's letters those of its loans and old spellings are looked for first. Raises
    MissingExtraError where charset-normalizer is to be asked and not installed.
    """
    for candidates in (_ENGLISH_CANDIDATES, _CANDIDATES) if is_english else (_CANDIDATES,):
        ranked = _scores(sample, candidates)
        if found := [name for points, name in ranked if points >= 10 * MIN_POINTS]:
            return found
    return _by_charset_normalizer(sample)


def shows_english(head: bytes) -> bool:
    """Check whether a text is English: enough of its words in ASCII are common ones of English."""
    words = _WORD.findall(head.lower())
    common = sum(word in _ENGLISH_WORDS for word in words)
    return common > 0 and common >= MIN_ENGLISH_SHARE * len(words)


def _by_charset_normalizer(sample: bytes) -> list[str]:
    with needs_extra("texts"):
        from charset_normalizer import from_bytes  # noqa: PLC0415 # of an extra

    best = from_bytes(sample).best()
    return (
        [best.encoding] if best is not None and best.chaos < 0.05 and best.coherence > 0.5 else []
    )


def _scores(sample: bytes, candidates: _Candidates) -> list[tuple[int, str]]:
    """Rank encodings by ten times the mean points of a character that is not ASCII, best first."""
    found = []
    for candidate in candidates:
        try:
            text = codecs.getincrementaldecoder(candidate.codec)().decode(sample)
        except UnicodeDecodeError:
            continue
        count = len(_NOT_ASCII.findall(text))
        if count > 0:
            points = 10 * candidate.points(text) // count
            found.append((points - _RARITY.get(candidate.name, 0), candidate.name))
    return sorted(found, key=lambda scored: -scored[0])  # of equals the first candidate
