"""Presets of forms: haiku, couplets, quatrains, ballad, limerick, sonnets, villanelle, songs.

Each is a PoemSpec as anyone could send it. Metres are given where the form has one; `acrostic` and
`ghazal` are made for a word. Knows nothing of how a poem is written or checked.
"""

from collections.abc import Callable

from model.errors import ParameterError
from verse.forms import LineSpec, PoemSpec

PENTAMETER, TETRAMETER, TRIMETER = "x/" * 5, "x/" * 4, "x/" * 3
LIMERICK_LONG = ("x/xx/xx/", "xx/xx/xx/")
LIMERICK_SHORT = ("x/xx/", "xx/xx/")
MAX_ACROSTIC = 40
DEFAULT_TAIL = "tonight"


def _lines(scheme: str, metre: str) -> tuple[LineSpec, ...]:
    return tuple(LineSpec(rhyme=letter, metre=metre) for letter in scheme)


def _poem(name: str, *stanzas: tuple[LineSpec, ...]) -> PoemSpec:
    return PoemSpec(name=name, stanzas=stanzas)


def _haiku() -> PoemSpec:
    return _poem("haiku", tuple(LineSpec(syllables=count) for count in (5, 7, 5)))


def _limerick() -> PoemSpec:
    long = LineSpec(rhyme="A", metre=LIMERICK_LONG)
    short = LineSpec(rhyme="B", metre=LIMERICK_SHORT)
    return _poem("limerick", (long, long, short, short, long))


def _common_metre() -> PoemSpec:
    """Two stanzas of 8, 6, 8, 6 syllables, rhymed ABAB, as hymns are."""
    return _poem("common-metre", _alternating("ABAB"), _alternating("CDCD"))


def _ballad() -> PoemSpec:
    """Three stanzas of 8, 6, 8, 6 syllables, of which the short lines rhyme."""
    return _poem("ballad", *(_alternating(f" {letter} {letter}") for letter in "ABC"))


def _alternating(scheme: str) -> tuple[LineSpec, ...]:
    metres = (TETRAMETER, TRIMETER) * 2
    return tuple(
        LineSpec(metre=metre) if letter == " " else LineSpec(rhyme=letter, metre=metre)
        for letter, metre in zip(scheme, metres, strict=True)
    )


def _villanelle() -> PoemSpec:
    """Nineteen lines on two rhymes: the first and third come back by turns, and close together."""
    a, b = LineSpec(rhyme="A", metre=PENTAMETER), LineSpec(rhyme="B", metre=PENTAMETER)
    first, third = LineSpec(refrain=1, rhyme="A"), LineSpec(refrain=3, rhyme="A")
    tercets = [(a, b, first if place % 2 == 0 else third) for place in range(4)]
    return _poem("villanelle", (a, b, a), *tercets, (a, b, first, third))


def _triolet() -> PoemSpec:
    """Eight lines ABaAabAB, capitals being the first two again."""
    a, b = LineSpec(rhyme="A", metre=TETRAMETER), LineSpec(rhyme="B", metre=TETRAMETER)
    first, second = LineSpec(refrain=1, rhyme="A"), LineSpec(refrain=2, rhyme="B")
    return _poem("triolet", (a, b, a, first, a, b, first, second))


def _ghazal(tail: str) -> PoemSpec:
    """Five couplets whose second lines, and the first line, end on a rhyme and the same words."""
    closing = LineSpec(rhyme="A", tail=tail, syllables=(9, 12))
    opening = LineSpec(syllables=(9, 12))
    return _poem("ghazal", (closing, closing), *[(opening, closing)] * 4)


def _song() -> PoemSpec:
    """Verse, chorus, verse, chorus, bridge, chorus; the chorus is the same each time."""
    chorus = _alternating("CDCD")
    again = tuple(
        LineSpec(refrain=5 + place, rhyme=line.rhyme) for place, line in enumerate(chorus)
    )
    verses = [_lines(scheme, TETRAMETER) for scheme in ("AABB", "EEFF")]
    return _poem("song", verses[0], chorus, verses[1], again, _lines("GG", PENTAMETER), again)


def _acrostic(word: str) -> PoemSpec:
    """A line for each letter of a word, in rhymed couplets of eight syllables; the odd one free."""
    letters = [char for char in word if char.isalpha()]
    if not letters or len(letters) > MAX_ACROSTIC:
        raise ParameterError("word", f"1 to {MAX_ACROSTIC} letters, got {len(letters)}")
    return _poem(
        "acrostic",
        tuple(
            LineSpec(acrostic=letter, metre=TETRAMETER)
            if place == len(letters) - 1 and place % 2 == 0
            else LineSpec(acrostic=letter, rhyme=chr(ord("A") + place // 2), metre=TETRAMETER)
            for place, letter in enumerate(letters)
        ),
    )


PRESETS: dict[str, Callable[[], PoemSpec]] = {
    "haiku": _haiku,
    "couplets": lambda: _poem("couplets", _lines("AABB", PENTAMETER)),
    "quatrain-abab": lambda: _poem("quatrain-abab", _lines("ABAB", PENTAMETER)),
    "quatrain-aabb": lambda: _poem("quatrain-aabb", _lines("AABB", TETRAMETER)),
    "quatrain-abba": lambda: _poem("quatrain-abba", _lines("ABBA", TETRAMETER)),
    "common-metre": _common_metre,
    "ballad": _ballad,
    "limerick": _limerick,
    "sonnet": lambda: _poem("sonnet", _lines("ABABCDCDEFEFGG", PENTAMETER)),
    "sonnet-petrarchan": lambda: _poem(
        "sonnet-petrarchan", _lines("ABBAABBA", PENTAMETER), _lines("CDECDE", PENTAMETER)
    ),
    "villanelle": _villanelle,
    "triolet": _triolet,
    "song": _song,
}
WORD_PRESETS: dict[str, Callable[[str], PoemSpec]] = {"acrostic": _acrostic, "ghazal": _ghazal}
FORM_NAMES = (*PRESETS, *WORD_PRESETS)
DESCRIPTIONS = {
    "haiku": "three lines of 5, 7 and 5 syllables",
    "couplets": "four lines of iambic pentameter, rhymed in pairs",
    "quatrain-abab": "four lines of iambic pentameter, rhymed by turns",
    "quatrain-aabb": "four lines of iambic tetrameter, rhymed in pairs",
    "quatrain-abba": "four lines of iambic tetrameter, one rhyme embracing the other",
    "common-metre": "two stanzas of 8, 6, 8 and 6 syllables, rhymed by turns, as hymns are",
    "ballad": "three stanzas of 8, 6, 8 and 6 syllables, of which the short lines rhyme",
    "limerick": "five bounding lines, the third and fourth short: AABBA",
    "sonnet": "fourteen lines of iambic pentameter as Shakespeare rhymed them: three quatrains "
    "and a couplet",
    "sonnet-petrarchan": "fourteen lines of iambic pentameter: an octave on two rhymes and a "
    "sestet on three",
    "villanelle": "nineteen lines on two rhymes; the first and third come back by turns",
    "triolet": "eight lines on two rhymes; the first comes three times, the second twice",
    "song": "verse, chorus, verse, chorus, bridge, chorus",
    "acrostic": "a line for each letter of a word, in rhymed couplets of eight syllables",
    "ghazal": "five couplets whose second lines, and the first, end on a rhyme and the same words",
}


def preset(name: str, word: str | None = None) -> PoemSpec:
    """Form of a name: one of FORM_NAMES.

    `word` is what an acrostic spells, or the words that a ghazal's lines end with. Raises
    ParameterError for an unknown name, and for a word that is missing or has no use.
    """
    if name in PRESETS:
        if word is not None:
            raise ParameterError("word", f"only for {' and '.join(WORD_PRESETS)}, not for {name}")
        return PRESETS[name]()
    if name not in WORD_PRESETS:
        raise ParameterError("form", f"one of {', '.join(FORM_NAMES)}, got {name[:60]!r}")
    if word is None and name == "acrostic":
        raise ParameterError("word", "an acrostic needs the word that its lines spell")
    return WORD_PRESETS[name](DEFAULT_TAIL if word is None else word)
