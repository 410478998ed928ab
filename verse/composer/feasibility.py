"""Feasibility of a poem: what cannot be is refused before the first step of the network.

Says which field, what is wrong with it, and the nearest thing that can be. Knows nothing of how
lines are written.
"""

from unicodedata import normalize

from model.tokenizer import Tokenizer
from verse.composer.diction_choice import diction_of, folded
from verse.composer.impossible_form import ImpossibleFormError
from verse.composer.lexicon import Lexicon
from verse.composer.line_feasibility import require_character_line, require_line
from verse.composer.line_rules import Diction, opening_ids
from verse.composer.rhyme_feasibility import require_given, require_rhymes
from verse.composer.voice import Voice
from verse.forms import LineSpec, PoemSpec
from verse.poem_request import PoemRequest
from verse.prosody.line_words import line_words

SHOWN = 5  # words that are named as nearest
OF_WORDS = ("avoid", "prefer", "keywords", "subject", "modern")


def require_possible(voice: Voice, request: PoemRequest) -> None:
    """Refuse what cannot be. Raises ParameterError or ImpossibleFormError, which name the field."""
    spec = request.poem_spec()
    if voice.tokenizer.kind != "char":
        raise ImpossibleFormError("model", f"{voice.why_no_lexicon}, this one has pieces of words")
    for number, line in enumerate(spec.lines):
        _require_letters(voice.tokenizer, line, spec.field(number))
    if voice.lexicon is None:
        _require_no_prosody(voice, request, spec)
    for number, line in enumerate(spec.lines):
        if line.text is None and (voice.lexicon is None or line.characters is not None):
            require_character_line(line, spec.field(number))
    if request.strict:
        require_given(spec)
    if voice.lexicon is not None:
        _require_words(voice.lexicon, request, spec)
        _require_lines(diction_of(voice.lexicon, voice.word_list, request), request, spec)


def _require_lines(diction: Diction, request: PoemRequest, spec: PoemSpec) -> None:
    _require_keywords(diction, request)
    for number, line in enumerate(spec.lines):
        if line.text is None and line.characters is None and line.refrain is None:
            require_line(diction, line, spec.field(number), is_strict=request.strict)
    if request.strict:
        require_rhymes(diction, spec)


def _require_letters(tokenizer: Tokenizer, line: LineSpec, field: str) -> None:
    """Refuse text and letters that the model's vocabulary has not."""
    for name in ("start", "end", "tail"):
        text = getattr(line, name) or ""
        written = tokenizer.decode(tokenizer.encode_prompt(text).ids)
        if _folded_words(written) != _folded_words(text):
            raise ImpossibleFormError(
                f"{field}.{name}",
                f"{text!r} has characters that the model cannot write",
                f"it can write {written!r}" if "\ufffd" not in written else "",
            )
    if line.acrostic is not None and not opening_ids(tokenizer, line.acrostic):
        plain = normalize("NFD", line.acrostic)[0]
        raise ImpossibleFormError(
            f"{field}.acrostic",
            f"{line.acrostic!r} is a letter that the model cannot write",
            f"it can write {plain!r}" if opening_ids(tokenizer, plain) else "",
        )


def _folded_words(text: str) -> list[str]:
    return [word.text.casefold() for word in line_words(text)]


def _require_no_prosody(voice: Voice, request: PoemRequest, spec: PoemSpec) -> None:
    if not voice.tokenizer.knows("\n"):
        raise ImpossibleFormError("model", "it cannot end a line")
    for number, line in enumerate(spec.lines, 1):
        if line.needs_prosody or line.tail or line.end:
            raise ImpossibleFormError(
                spec.field(number - 1) if request.form is None else "form",
                f"rhymes, syllables and metre need a model of English: {voice.why_no_lexicon}",
                "lines by `characters` and acrostics can be had of any model",
            )
    for name in OF_WORDS:
        if getattr(request, name):
            raise ImpossibleFormError(
                name, f"words need a model of English: {voice.why_no_lexicon}"
            )


def _require_words(lexicon: Lexicon, request: PoemRequest, spec: PoemSpec) -> None:
    if any(line.characters is not None and line.text is None for line in spec.lines):
        for name in OF_WORDS:
            if getattr(request, name):
                raise ImpossibleFormError(
                    name,
                    "lines by characters are written letter by letter, without words",
                    "ask for syllables",
                )
    unknown = [word for word in folded(request.keywords) if word not in lexicon.index]
    if unknown:
        raise ImpossibleFormError(
            "keywords",
            f"{unknown[0]!r} is no word that this model writes in lines",
            _alike(lexicon, unknown[0]),
        )


def _require_keywords(diction: Diction, request: PoemRequest) -> None:
    for word in folded(request.keywords):
        if diction.banned[diction.lexicon.index[word]]:
            raise ImpossibleFormError("keywords", f"{word!r} is archaic, and modern leaves it out")


def _alike(lexicon: Lexicon, word: str) -> str:
    """Words of the lexicon that begin as a word does, as something to choose instead."""
    for length in range(len(word) - 1, 1, -1):
        found = [each for each in lexicon.words if each.startswith(word[:length])][:SHOWN]
        if found:
            return f"it has {', '.join(found)}"
    return ""
