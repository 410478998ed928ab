"""Scansion of a line: whether its stresses keep a metre by two rules, and its marks.

A metre is a string of x (weak place) and / (strong place). By the lenient rule the main stress of
a word of several syllables falls on a strong place. By the strict rule so do words of one syllable
that are no function words. Both allow what verse does everywhere: a foot turned round at the
line's start or after a mark of punctuation, a weak syllable beyond the last beat, and a word such
as `moonlight` with its beat on either stressed syllable.
"""

from collections.abc import Iterator

from verse.checks.spoken_line import LEVELS, SpokenLine, SpokenWord
from verse.prosody.pronunciation import Pronunciation
from verse.report import Basis

# Places filled, and whether the next is the weak half of a foot that was turned.
_State = tuple[int, bool]


def metre_basis(line: SpokenLine, template: str, *, is_strict: bool) -> Basis | None:
    """Find what the surest combination of readings that keeps a metre rests on; None: none does."""
    for level, basis in enumerate(LEVELS):
        if any(_path(line, form, level, is_strict) for form in _forms(template)):
            return basis
    return None


def fitting_marks(line: SpokenLine, templates: tuple[str, ...]) -> tuple[str, ...]:
    r"""Marks of each word: / stressed, \\ half stressed, x weak; ? a word that is not known.

    Of the readings, those that keep a metre where some do; else the usual ones.
    """
    chosen = _chosen(line, templates)
    if chosen is None:
        chosen = tuple(word.readings[0] if word.readings else None for word in line.words)
    return tuple(_marks(word, reading) for word, reading in zip(line.words, chosen, strict=True))


def _chosen(
    line: SpokenLine, templates: tuple[str, ...]
) -> tuple[Pronunciation | None, ...] | None:
    for is_strict in (True, False):
        for form in (form for template in templates for form in _forms(template)):
            if path := _path(line, form, len(LEVELS) - 1, is_strict):
                return path
    return None


def _forms(template: str) -> tuple[str, ...]:
    """A metre as it is, and with a weak syllable beyond its last beat."""
    return (template, f"{template}x") if template.endswith("/") else (template,)


def _path(
    line: SpokenLine, template: str, level: int, is_strict: bool
) -> tuple[Pronunciation, ...] | None:
    """Readings that fill a template exactly, the usual ones first; None where none do."""
    ways: dict[_State, tuple[Pronunciation, ...]] = {(0, False): ()}
    for word in line.words:
        reached: dict[_State, tuple[Pronunciation, ...]] = {}
        for state, before in ways.items():
            for reading in word.at_level(level):
                for after in _after(word, reading, template, state, is_strict):
                    reached.setdefault(after, (*before, reading))
        ways = reached
    return ways.get((len(template), False)) if line.words else None


def _after(
    word: SpokenWord, reading: Pronunciation, template: str, state: _State, is_strict: bool
) -> Iterator[_State]:
    """States that a reading leads to: as the metre goes on, or turning a foot after a pause."""
    place, is_turning = state
    length = len(reading.stresses)
    rest = f"x{template[place + 1 :]}" if is_turning else template[place:]
    if _keeps(word, reading, rest[:length], is_strict):
        yield place + length, is_turning and length == 0
    may_turn = word.is_after_pause and not is_turning and length and rest.startswith("x/")
    if may_turn and _keeps(word, reading, f"/x{rest[2:]}"[:length], is_strict):
        yield place + length, length == 1


def _keeps(word: SpokenWord, reading: Pronunciation, places: str, is_strict: bool) -> bool:
    stresses = reading.stresses
    if len(stresses) > len(places):
        return False
    if len(stresses) == 1:
        return places == "/" or not is_strict or word.is_function_word
    return all(
        place == "/" or _yields(stresses, places, at)
        for at, (place, stress) in enumerate(zip(places, stresses, strict=True))
        if stress == "1"
    )


def _yields(stresses: str, places: str, at: int) -> bool:
    """Check whether a stress may give way to another beside it: `sometime`, `moonlight`."""
    beside = (each for each in (at - 1, at + 1) if 0 <= each < len(stresses))
    return any(stresses[each] != "0" and places[each] == "/" for each in beside)


def _marks(word: SpokenWord, reading: Pronunciation | None) -> str:
    if reading is None:
        return "?"
    if len(reading.stresses) == 1:
        return "x" if word.is_function_word else "/"
    return reading.stresses.translate({ord("0"): "x", ord("1"): "/", ord("2"): "\\"})
