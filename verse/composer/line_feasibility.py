"""Feasibility of one line: words and letters that are given for it and do not fit it.

Under best effort a line need only be possible with all given up that can be. Knows nothing of
other lines and of how lines are written.
"""

from model.count_in_words import counted
from verse.composer.character_lines import counted_letters
from verse.composer.impossible_form import ImpossibleFormError
from verse.composer.line_rules import (
    Diction,
    before_tail,
    ending_patterns,
    opening_ids,
    opening_patterns,
    phrase_ends,
    syllable_counts,
    templates_of,
    usual_syllables,
)
from verse.composer.line_starts import start_counts
from verse.composer.relaxation import most_relaxed
from verse.composer.word_trie import children
from verse.forms import MAX_LINE_CHARACTERS, LineSpec, range_of, shown_range
from verse.prosody.line_words import line_words
from verse.prosody.readings import readings


def require_line(diction: Diction, line: LineSpec, field: str, *, is_strict: bool) -> None:
    """Refuse given words and letters that do not fit the line that they stand in."""
    line = line if is_strict else most_relaxed(line)
    for name in ("start", "end", "tail"):
        given = getattr(line, name)
        if given is not None and not line_words(given):
            raise ImpossibleFormError(f"{field}.{name}", f"{given!r} holds no word")
    _require_tail(line, f"{field}.tail")
    _require_start(line, f"{field}.start")
    _require_end(line, f"{field}.end")
    if line.acrostic is not None and line.start is None:
        _require_opening(diction, line, line.acrostic, f"{field}.acrostic")
    fitting = ending_patterns(diction.lexicon, line)
    if line.end is None and not (diction.patterns & fitting).any():
        raise ImpossibleFormError(field, "this model has no word that fits the line's end")


def require_character_line(line: LineSpec, field: str) -> None:
    """Refuse words in a line by letters that cannot be had there: it knows where none ends."""
    for name in ("end", "tail"):
        if getattr(line, name) is not None:
            raise ImpossibleFormError(
                f"{field}.{name}",
                "a line by characters ends as it comes",
                "ask for syllables, or lock it as `text`",
            )
    if line.start is None:
        return
    counts = range_of(line.characters) or (1, MAX_LINE_CHARACTERS)
    if counted_letters(line.start) >= counts[1]:
        raise ImpossibleFormError(f"{field}.start", "fills the whole line", "lock it as `text`")
    _require_short(line.start, f"{field}.start")


def _require_short(start: str, field: str) -> None:
    if len(start) > MAX_LINE_CHARACTERS // 2:
        most = MAX_LINE_CHARACTERS // 2
        raise ImpossibleFormError(field, f"at most {most} characters, got {len(start)}")


def _require_tail(line: LineSpec, field: str) -> None:
    if line.tail is None:
        return
    taken = usual_syllables(line.tail)
    if any(len(places) <= taken for places, _ in templates_of(line)):
        raise ImpossibleFormError(field, f"{line.tail!r} leaves no room in the line")
    if line.syllable_range is not None and not before_tail(line):
        raise _does_not_fit(line, line.tail, field)


def _require_start(line: LineSpec, field: str) -> None:
    if line.start is None:
        return
    _require_short(line.start, field)
    if any(start_counts(line)):
        return
    if any(
        count >= len(places)
        for places, _ in before_tail(line)
        for count in syllable_counts(line.start, places)
    ):
        raise ImpossibleFormError(field, "fills the whole line", "lock it as `text`")
    raise _does_not_fit(line, line.start, field)


def _require_end(line: LineSpec, field: str) -> None:
    if line.end is None:
        return
    ends = phrase_ends(line, line.end)
    if not ends.any():
        raise _does_not_fit(line, line.end, field)
    has_room = any(
        ends[row, count:].any() for row, counts in enumerate(start_counts(line)) for count in counts
    )
    if not has_room:
        raise ImpossibleFormError(
            field, f"{line.start!r} and {line.end!r} do not fit one line", "leave out one of them"
        )


def _require_opening(diction: Diction, line: LineSpec, letter: str, field: str) -> None:
    """Refuse a letter with which no word begins that fits the line's beginning."""
    lexicon, bits = diction.lexicon, diction.bits
    fitting = opening_patterns(lexicon, line)
    begins = {
        lexicon.tokenizer.token_text(int(lexicon.trie.token[node]))
        for node in children(lexicon.trie, lexicon.trie.start_root)
        if bits.below[node] & fitting
    }
    wanted = {
        lexicon.tokenizer.token_text(token) for token in opening_ids(lexicon.tokenizer, letter)
    }
    if line.end is not None and line.end[:1] in wanted and phrase_ends(line, line.end)[:, 0].any():
        return
    if not begins & wanted:
        letters = "".join(sorted({each.upper() for each in begins if each.isalpha()}))
        raise ImpossibleFormError(
            field, f"no word that fits here begins with {letter!r}", f"there are {letters}"
        )


def _does_not_fit(line: LineSpec, text: str, field: str) -> ImpossibleFormError:
    """Error for words that do not fit their line, with what is wrong with them."""
    unknown = [word.text for word in line_words(text) if not readings(word.text)]
    if unknown:
        return ImpossibleFormError(field, f"nothing is known of how {unknown[0]!r} sounds")
    longest = max(len(places) for places, _ in templates_of(line))
    counts = sorted(syllable_counts(text, "." * (longest + usual_syllables(text))))
    wanted = line.syllable_range
    if wanted is not None and counts and counts[0] > wanted[1]:
        have = " or ".join(map(str, counts))
        return ImpossibleFormError(
            field,
            f"{text!r} has {have} syllables, the line {shown_range(wanted)}",
            f"ask for more than {counted(counts[0], 'syllable')}",
        )
    return ImpossibleFormError(
        field,
        f"the stresses of {text!r} do not fall on the metre {' or '.join(line.templates)}",
        "give syllables instead of a metre",
    )
