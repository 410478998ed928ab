"""Inflections and suffixes of a known stem: -s -ed -ing -er -est -eth -ly -ness and their kin.

Finds the stem by the rules of spelling (`loved` from `love`, `stopped` from `stop`, `cried` from
`cry`) and joins the ending by the rules of sound (`cats` with S, `dogs` with Z, `roses` with IH Z).
Knows no words: a function says how a stem is read.
"""

from collections.abc import Callable, Iterator

from verse.prosody.phonemes import SIBILANTS, VOICELESS, is_vowel

Phonemes = tuple[str, ...]
Reader = Callable[[str], tuple[Phonemes, ...]]

_VOWEL_LETTERS = frozenset("aeiouy")
_STOPS = frozenset({"P", "B", "T", "D", "K", "G", "S", "Z"})
_MIN_STEM = 2
# Endings with a vowel first: they take a stem's e away, double its consonant, turn its y to i.
_VOWEL_ENDINGS: dict[str, Phonemes] = {
    "ing": ("IH0", "NG"),
    "in'": ("IH0", "N"),
    "er": ("ER0",),
    "est": ("AH0", "S", "T"),
    "eth": ("IH0", "TH"),
    "able": ("AH0", "B", "AH0", "L"),
    "ish": ("IH0", "SH"),
    "y": ("IY0",),
    "en": ("AH0", "N"),
}
# Clitics after a stem, and words cut before one.
_CLITICS: dict[str, Phonemes] = {
    "ll": ("AH0", "L"),
    "ve": ("AH0", "V"),
    "re": ("ER0",),
    "m": ("M",),
    "t": ("T",),
}
_LEANING: dict[str, Phonemes] = {"th": ("DH",), "t": ("T",), "d": ("D",)}
_NO_ENDINGS = ("ay", "ey", "oy", "uy", "eer")  # nor of a stem and -y or -er
_PLAIN_ENDINGS: dict[str, Phonemes] = {
    "ness": ("N", "AH0", "S"),
    "nesse": ("N", "AH0", "S"),
    "less": ("L", "AH0", "S"),
    "lesse": ("L", "AH0", "S"),
    "ful": ("F", "AH0", "L"),
    "full": ("F", "AH0", "L"),
    "ment": ("M", "AH0", "N", "T"),
    "some": ("S", "AH0", "M"),
    "dom": ("D", "AH0", "M"),
    "ship": ("SH", "IH2", "P"),
    "hood": ("HH", "UH2", "D"),
    "like": ("L", "AY2", "K"),
    "ward": ("W", "ER0", "D"),
    "wards": ("W", "ER0", "D", "Z"),
    "fold": ("F", "OW2", "L", "D"),
    "wise": ("W", "AY2", "Z"),
    "most": ("M", "OW2", "S", "T"),
}


def with_s(stem: Phonemes) -> Phonemes:
    """Plural, third person or possessive of a stem."""
    if stem[-1] in SIBILANTS:
        return (*stem, "IH0", "Z")
    return (*stem, "S" if stem[-1] in VOICELESS else "Z")


def with_d(stem: Phonemes) -> Phonemes:
    """Past of a stem, without a syllable of its own but after T and D."""
    if stem[-1] in {"T", "D"}:
        return (*stem, "IH0", "D")
    return (*stem, "T" if stem[-1] in VOICELESS else "D")


def ending_readings(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """Readings of a word as a known stem and an ending; empty where there is none."""
    ways = (_clitic, _marked, _plural, _past, _adverb, _vowel_ending, _plain_ending, _past_t)
    for way in ways:
        if found := way(word, read):
            return found
    return ()


def _clitic(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """Possessives and words run together: `soul's`, `lovers'`, `that'll`, `is't`, `th'eternal`."""
    stem, apostrophe, clitic = word.rpartition("'")
    if not apostrophe or not stem:
        return ()
    if stem in _LEANING:
        return tuple((*_LEANING[stem], *each) for each in read(clitic))
    if clitic == "":
        return read(stem) if word.endswith("s'") else ()
    if clitic == "s":
        return tuple(with_s(each) for each in read(stem))
    if clitic == "t" and stem.endswith("n"):
        return tuple((*each, "AH0", "N", "T") for each in read(stem[:-1]))
    sounds = _CLITICS.get(clitic)
    return () if sounds is None else tuple(_run_on(each, sounds) for each in read(stem))


def _run_on(stem: Phonemes, clitic: Phonemes) -> Phonemes:
    """A clitic's consonant alone where the stem ends on a vowel: `she'll`, but `that'll`."""
    return (*stem, *(clitic[1:] if is_vowel(stem[-1]) and clitic[0] == "AH0" else clitic))


def _marked(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """Pasts and second persons with their vowel marked as gone: `seem'd`, `stopp'd`, `know'st`."""
    if word.endswith("'d"):
        return _first(_stems(word[:-2]), read, with_d)
    if word.endswith("'st"):
        return _first(_stems(word[:-3]), read, lambda stem: (*stem, "S", "T"))
    return ()


def _past_t(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """Pasts spelled as they sound: `dropt`, `fixt`, `drest`, `ceast`."""
    if not word.endswith(("pt", "xt", "ckt", "st")):
        return ()
    base = word[:-1]
    stems = (f"{base}s", f"{base}e") if word.endswith("st") else (base, f"{base}e", f"{base}p")
    known = (each for stem in stems if len(stem) > 2 for each in read(stem))
    return tuple((*each, "T") for each in known if each[-1] in VOICELESS - {"T"})


def _plural(word: str, read: Reader) -> tuple[Phonemes, ...]:
    if not word.endswith("s") or word.endswith("ss"):
        return ()
    stems = [word[:-1]]
    if word.endswith("ies"):
        stems = [f"{word[:-3]}y", word[:-1]]
    elif word.endswith("ves"):
        stems += [f"{word[:-3]}f", f"{word[:-3]}fe"]
    elif word.endswith("es"):
        stems.insert(0 if word.endswith("oes") else 1, word[:-2])
    for stem in stems:
        if len(stem) < _MIN_STEM or stem.endswith("'"):
            continue
        if known := read(stem):
            if word.endswith("ves") and stem.endswith(("f", "fe")):
                return tuple((*each[:-1], "V", "Z") for each in known)
            return tuple(with_s(each) for each in known)
    return ()


def _past(word: str, read: Reader) -> tuple[Phonemes, ...]:
    if not word.endswith("ed"):
        return ()
    return _first(_stems(word[:-2]), read, with_d)


def _adverb(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """`gladly`, `happily`, `gently` from `gentle`, `fully` from `full`, `musically`."""
    if not word.endswith("ly") or len(word) < 5:
        return ()
    base = word[:-2]
    if base.endswith("i"):
        known = read(f"{base[:-1]}y")
        return tuple((*each[:-1], "AH0", "L", "IY0") for each in known if each[-1] == "IY0")
    if base.endswith("ical") and (known := read(base[:-2])):
        return tuple((*each, "L", "IY0") for each in known)
    stems = (base, f"{base}l") if base[-1] in _VOWEL_LETTERS | {"l"} else (f"{base}le", base)
    return _first(iter(stems), read, _with_ly)


def _with_ly(stem: Phonemes) -> Phonemes:
    if stem[-1] != "L":
        return (*stem, "L", "IY0")
    syllabic = stem[-2] == "AH0" and stem[-3] in _STOPS  # gentle, noble: its vowel goes
    return (*stem[:-2], "L", "IY0") if syllabic else (*stem, "IY0")


def _vowel_ending(word: str, read: Reader) -> tuple[Phonemes, ...]:
    for ending, sounds in _VOWEL_ENDINGS.items():
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            if word.endswith(_NO_ENDINGS):
                continue
            stems = _stems(word[: -len(ending)])
            if found := _first(stems, read, lambda stem: (*_open(stem), *sounds)):  # noqa: B023
                return found
    return ()


def _open(stem: Phonemes) -> Phonemes:
    """A stem before a vowel: the L of `trembling` needs no vowel before it."""
    return (*stem[:-2], "L") if stem[-2:] == ("AH0", "L") and stem[-3][-1] not in "012R" else stem


def _plain_ending(word: str, read: Reader) -> tuple[Phonemes, ...]:
    for ending, sounds in _PLAIN_ENDINGS.items():
        if not word.endswith(ending) or len(word) < len(ending) + _MIN_STEM:
            continue
        base = word[: -len(ending)]
        stems = [f"{base[:-1]}y", base] if base.endswith("i") else [base]
        if found := _first(iter(stems), read, lambda stem: (*stem, *sounds)):  # noqa: B023
            return found
    return ()


def _first(
    stems: Iterator[str], read: Reader, join: Callable[[Phonemes], Phonemes]
) -> tuple[Phonemes, ...]:
    for stem in stems:
        if known := read(stem):
            return tuple(join(each) for each in known)
    return ()


def _stems(base: str) -> Iterator[str]:
    """Spellings that a stem may have had before an ending with a vowel, likeliest first."""
    if len(base) < _MIN_STEM or _VOWEL_LETTERS.isdisjoint(base):
        return
    if base.endswith("i"):
        yield f"{base[:-1]}y"
    doubled = len(base) > 3 and base[-1] == base[-2] and base[-1] not in "aeious"
    if doubled and base[-1] not in "lfz":
        yield base[:-1]
    # A short vowel and one consonant would have been doubled, so `hoped` is of `hope`.
    single = base[-1] not in "aeiouwxy" and base[-2] in "aeiou" and base[-3:-2] not in set("aeiou")
    yield from ((f"{base}e", base) if single else (base, f"{base}e"))
    if doubled or base.endswith("ss"):
        yield base[:-1]
    if base.endswith("y"):
        yield f"{base[:-1]}ie"
