"""Words made of two words, or of a prefix and a word: `sea-girt`, `starlit`, `unwept`.

The second part's primary stress becomes secondary, as CMUdict marks compounds.
"""

from verse.prosody.word_endings import Phonemes, Reader

# What ends English compounds: of two parts that are words by chance, neither is one of these.
_HEADS = """
beam bed bell berry bird bloom blown blossom blow board boat bone book born borne bough bound
bower breaker bright brook brow cloth cloud coat craft crest crown day deep dream drop edge eyed
fall fire fish flake flame flower foam folk foot ground guard haired head heart hearted hill hold
house keeper kind lamp land leaf light lit lock long love maid maiden maker mate moon mouth night
piece place rise road rock room rose sail scape shadow shell shine shore sick side sided sight
skin sky song spring stone storm stream stricken strong swept thing thorn tide time tree wake walk
wall water wave way weed wheel white wide wife wind wing winged woman wood work worm worn worth
worthy year
"""
_HEAD_WORDS = frozenset(_HEADS.split())
_MIN_FIRST = 3
_BEFORE_CONSONANTS = frozenset({"be", "en", "in", "im"})
_PREFIXES: dict[str, Phonemes] = {
    "un": ("AH0", "N"),
    "re": ("R", "IY0"),
    "mis": ("M", "IH0", "S"),
    "dis": ("D", "IH0", "S"),
    "be": ("B", "IH0"),
    "en": ("EH0", "N"),
    "in": ("IH0", "N"),
    "im": ("IH0", "M"),
    "over": ("OW2", "V", "ER0"),
    "under": ("AH2", "N", "D", "ER0"),
    "out": ("AW2", "T"),
    "up": ("AH2", "P"),
    "fore": ("F", "AO2", "R"),
    "mid": ("M", "IH2", "D"),
    "a-": ("AH0",),
}


def compound_readings(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """Readings of a word by its parts; empty where they are not all known."""
    if "-" in word and (known := read(word.replace("-", ""))):
        return known
    for prefix, sounds in _PREFIXES.items():
        rest = word.removeprefix(prefix)
        if rest == word or len(rest) < 3 or (rest[0] in "aeiou" and prefix in _BEFORE_CONSONANTS):
            continue
        if rest[0] != "-" and (known := read(rest)):
            return tuple((*sounds, *each) for each in known)
    if "-" in word:
        return _joined([part for part in word.split("-") if part], read)
    for cut in range(_MIN_FIRST, len(word) - 2):
        if word[cut:] in {"man", "men"}:
            return tuple((*first, "M", "AH0", "N") for first in read(word[:cut]))
        if word[cut:] in _HEAD_WORDS and (found := _joined([word[:cut], word[cut:]], read)):
            return found
    return ()


def _joined(parts: list[str], read: Reader) -> tuple[Phonemes, ...]:
    """All readings of the first part with all of the second; the usual one of those after."""
    if len(parts) < 2:
        return read(parts[0]) if parts else ()
    first, *others = (read(part) for part in parts)
    if not first or not all(others):
        return ()
    second = [_secondary(each) for each in others[0]]
    rest = tuple(phoneme for known in others[1:] for phoneme in _secondary(known[0]))
    return tuple((*one, *two, *rest) for one in first for two in second)


def _secondary(phonemes: Phonemes) -> Phonemes:
    return tuple(p.replace("1", "2") for p in phonemes)
