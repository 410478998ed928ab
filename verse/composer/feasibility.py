"""Feasibility of a poem: what cannot be is refused before the first step of the network.

Says which field, what is wrong with it, and the nearest thing that can be. Knows nothing of how
lines are written.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from model.errors import ParameterError
from verse.composer.diction_choice import diction_of, folded
from verse.composer.lexicon import Lexicon
from verse.composer.line_rules import (
    before_tail,
    phrase_ends,
    syllable_counts,
    templates_of,
)
from verse.composer.line_starts import start_counts
from verse.composer.rhyme_book import RhymeBook
from verse.composer.voice import Voice
from verse.forms import MAX_LINE_CHARACTERS, LineSpec, PoemSpec, shown_range
from verse.poem_request import PoemRequest
from verse.prosody.line_words import line_words
from verse.prosody.readings import readings

SHOWN = 5  # words that are named as nearest


class ImpossibleFormError(ParameterError):
    """Form that no line can keep; `nearest` says what can be had instead, empty if nothing."""

    def __init__(self, field: str, problem: str, nearest: str = "") -> None:
        super().__init__(field, f"{problem}; {nearest}" if nearest else problem)
        self.nearest = nearest


def require_possible(voice: Voice, request: PoemRequest) -> None:
    """Refuse what cannot be. Raises ParameterError or ImpossibleFormError, which name the field."""
    spec = request.poem_spec()
    for number, line in enumerate(spec.lines, 1):
        _require_letters(voice, line, spec.field(number - 1))
    if voice.lexicon is None:
        _require_no_prosody(voice, request, spec)
        return
    _require_words(voice.lexicon, request)
    for number, line in enumerate(spec.lines, 1):
        if line.characters is None:
            _require_line(line, spec.field(number - 1), request.strict)
    _require_rhymes(voice, voice.lexicon, request, spec)


def _require_letters(voice: Voice, line: LineSpec, field: str) -> None:
    """Refuse text and letters that the model's vocabulary has not."""
    for name in ("start", "end", "tail", "acrostic"):
        text = getattr(line, name) or ""
        unknown = voice.tokenizer.encode_prompt(text).num_unknown
        if unknown:
            raise ImpossibleFormError(
                f"{field}.{name}", f"{text!r} has {unknown} characters that the model cannot write"
            )


def _require_no_prosody(voice: Voice, request: PoemRequest, spec: PoemSpec) -> None:
    if not all(voice.tokenizer.knows(char) for char in "\n"):
        raise ImpossibleFormError("model", "it cannot end a line")
    for number, line in enumerate(spec.lines, 1):
        if line.needs_prosody or line.tail or line.end:
            raise ImpossibleFormError(
                spec.field(number - 1) if request.form is None else "form",
                f"rhymes, syllables and metre need a model of English: {voice.why_no_lexicon}",
                "lines by `characters` and acrostics can be had of any model",
            )
    for name in ("avoid", "prefer", "keywords", "subject"):
        if getattr(request, name):
            raise ImpossibleFormError(
                name, f"words need a model of English: {voice.why_no_lexicon}"
            )


def _require_words(lexicon: Lexicon, request: PoemRequest) -> None:
    unknown = [word for word in folded(request.keywords) if word not in lexicon.index]
    if unknown:
        raise ImpossibleFormError(
            "keywords",
            f"{unknown[0]!r} is no word that this model writes in lines",
            _alike(lexicon, unknown[0]),
        )


def _alike(lexicon: Lexicon, word: str) -> str:
    """Words of the lexicon that begin as a word does, as something to choose instead."""
    for length in range(len(word) - 1, 1, -1):
        found = [each for each in lexicon.words if each.startswith(word[:length])][:SHOWN]
        if found:
            return f"it has {', '.join(found)}"
    return ""


def _require_line(line: LineSpec, field: str, is_strict: bool) -> None:
    """Refuse given words that do not fit the line that they stand in."""
    if line.text is not None:
        if is_strict and line.syllable_range is not None:
            _require_locked(line, line.text, field)
        return
    if line.start is not None:
        if not line_words(line.start):
            raise ImpossibleFormError(f"{field}.start", f"{line.start!r} holds no word")
        if len(line.start) > MAX_LINE_CHARACTERS // 2:
            raise ImpossibleFormError(f"{field}.start", "is too long to go on from")
        if not start_counts(line):
            raise _does_not_fit(line, line.start, f"{field}.start")
        if all(
            count >= len(places) for count in start_counts(line) for places, _ in before_tail(line)
        ):
            raise ImpossibleFormError(f"{field}.start", "fills the whole line", "lock it as `text`")
    if line.end is not None and not phrase_ends(line, line.end).any():
        raise _does_not_fit(line, line.end, f"{field}.end")
    if any(not places for places, _ in before_tail(line)):
        raise ImpossibleFormError(f"{field}.tail", f"{line.tail!r} leaves no room in the line")


def _require_locked(line: LineSpec, text: str, field: str) -> None:
    for places, least in templates_of(line):
        if any(count >= least for count in syllable_counts(text, places)):
            return
    raise _does_not_fit(line, text, f"{field}.text")


def _does_not_fit(line: LineSpec, text: str, field: str) -> ImpossibleFormError:
    """Error for words that do not fit their line, with what is wrong with them."""
    unknown = [word.text for word in line_words(text) if not readings(word.text)]
    if unknown:
        return ImpossibleFormError(field, f"nothing is known of how {unknown[0]!r} sounds")
    longest = max(len(places) for places, _ in templates_of(line))
    counts = sorted(syllable_counts(text, "." * (longest + 20)))
    have = " or ".join(map(str, counts))
    wanted = line.syllable_range
    if wanted and not any(wanted[0] <= count <= wanted[1] for count in counts):
        return ImpossibleFormError(
            field,
            f"{text!r} has {have} syllables, the line {shown_range(wanted)}",
            f"ask for {counts[0]} syllables, or leave out strict" if counts else "",
        )
    return ImpossibleFormError(
        field,
        f"the stresses of {text!r} do not fall on the metre {' or '.join(line.templates)}",
        "give syllables instead of a metre",
    )


def _require_rhymes(voice: Voice, lexicon: Lexicon, request: PoemRequest, spec: PoemSpec) -> None:
    """Refuse letters that the given words set to rhymes which do not agree or have no words."""
    diction = diction_of(lexicon, voice.word_list, request)
    book = RhymeBook(diction, [line.rhyme for line in spec.lines if line.refrain is None])
    given: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for letter, word, field in _given_ends(spec):
        rhymes = frozenset(each.rhyme for each in readings(word))
        if not rhymes and request.strict:
            raise ImpossibleFormError(field, f"nothing is known of how {word!r} sounds")
        for other, theirs in given[letter]:
            if not rhymes & theirs and request.strict:
                raise ImpossibleFormError(
                    field, f"{word!r} does not rhyme with {other!r}", "give them two letters"
                )
        given[letter].append((word, rhymes))
        book.note(letter, word)
    if request.strict:
        _require_partners(lexicon, book, spec, given)


def _given_ends(spec: PoemSpec) -> Iterator[tuple[str, str, str]]:
    """Letter, last word and field of the rhymed lines whose end is given."""
    for number, line in enumerate(spec.lines, 1):
        for name in ("text", "end"):
            words = line_words(getattr(line, name) or "")
            if line.rhyme is not None and words:
                yield line.rhyme, words[-1].text, f"{spec.field(number - 1)}.{name}"


def _require_partners(
    lexicon: Lexicon,
    book: RhymeBook,
    spec: PoemSpec,
    given: "dict[str, list[tuple[str, frozenset[str]]]]",
) -> None:
    open_lines = Counter(
        line.rhyme
        for line in spec.lines
        if line.rhyme and line.refrain is None and not (line.text or line.end)
    )
    for number, line in enumerate(spec.lines, 1):
        if line.rhyme not in given or line.text or line.end or line.refrain is not None:
            continue
        partners = {each.onset for each in book.partners(line.rhyme, line)}
        if len(partners) < open_lines[line.rhyme]:
            word = given[line.rhyme][0][0]
            raise ImpossibleFormError(
                f"{spec.field(number - 1)}.rhyme",
                f"{line.rhyme} must rhyme with {word!r}, for which this model has "
                f"{len(partners)} words here and the form needs {open_lines[line.rhyme]}",
                _nearest(lexicon, word),
            )


def _nearest(lexicon: Lexicon, word: str) -> str:
    """Rhymes that a word nearly has: those that end on its last sounds."""
    near = lexicon.near_rhymes(word)[:SHOWN]
    return f"nearest in sound: {', '.join(near)}" if near else ""
