"""Poem writing: the lines of a form, one after the other, as a generator of network steps.

Each line begins where the poem stands; the one that is taken is the most fluent of a few that are
drawn from all that keep the form. What a line cannot keep is tried again with more particles, and
then, unless the form is strict, given up step by step and said so. Seeded: the same request gives
the same poem. Knows nothing of who steps the network.
"""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np

from model.copies.copy_report import CopyLimits
from verse.composer.diction_choice import KEYWORD, URGENT_KEYWORD, content_words, diction_of, folded
from verse.composer.line_rules import Diction
from verse.composer.line_search import Candidate
from verse.composer.line_writer import LineTask, WordWriter, write_by_letters
from verse.composer.network_steps import Request, Steps, read
from verse.composer.rhyme_book import RhymeBook
from verse.composer.voice import Voice
from verse.composer.weighted_draw import derived_seed, drawn
from verse.forms import LineSpec, PoemSpec
from verse.poem import ComposedLine, CompositionError, Poem
from verse.poem_request import PoemRequest
from verse.prosody.line_words import line_words

DRAWN = 5  # candidates, of which the most fluent is taken
TRIES = 3  # of a line, each with twice the particles of the one before

Composing = Generator[Request | ComposedLine, Any, Poem]


def compose(voice: Voice, request: PoemRequest, seed: int) -> Composing:
    """Write a poem: yields network steps, to be sent their answers, and lines as they come.

    What needs no network is made at once. The form must have been looked at by
    `verse.composer.feasibility`. Raises CompositionError, with the lines so far, where a strict
    form cannot be kept.
    """
    return _PoemWriter(voice, request, seed).write()


class _PoemWriter:
    """State of one poem as it is written."""

    def __init__(self, voice: Voice, request: PoemRequest, seed: int) -> None:
        self._voice, self._request, self._seed = voice, request, seed
        self._spec = spec = request.poem_spec()
        self._lines: list[ComposedLine] = []
        self._cursor = voice.opening
        self._closing = closing_lines(spec)
        self._pending = list(dict.fromkeys(folded(request.keywords)))
        if voice.lexicon is not None:
            self._diction = diction_of(voice.lexicon, voice.word_list, request)
            letters = [line.rhyme for line in spec.lines if line.refrain is None]
            self._book = RhymeBook(self._diction, letters)
            self._bans_opening = np.zeros(len(voice.lexicon.words), np.bool_)
            for line in spec.lines:
                if given := line.text or line.end:
                    self._book.note(line.rhyme, given)

    def write(self) -> Composing:
        """Write all lines."""
        self._cursor = yield from read(self._cursor, self._ids(opening_text(self._request)))
        for index in range(len(self._spec.lines)):
            given = self._given(index)
            line = (
                (yield from self._written(index))
                if given is None
                else (yield from self._read(index, given))
            )
            self._note(line)
            yield line
            if line.ends_stanza and index + 1 < len(self._spec.lines):
                self._cursor = yield from read(self._cursor, self._ids("\n"))
        return self._poem()

    def _given(self, index: int) -> str | None:
        """Text of a line that is not to be written: locked, or an earlier one again."""
        line = self._spec.lines[index]
        return line.text if line.refrain is None else self._lines[line.refrain - 1].text

    def _read(self, index: int, text: str) -> Steps[ComposedLine]:
        self._cursor = yield from read(self._cursor, self._ids(text + "\n"))
        return ComposedLine(
            number=index + 1, text=text, ends_stanza=self._spec.ends_stanza[index], is_given=True
        )

    def _written(self, index: int) -> Steps[ComposedLine]:
        """Write a line, giving up what it cannot keep where that is allowed."""
        spent = 0
        for relaxed, line in self._attempts(self._spec.lines[index]):
            for attempt in range(TRIES):
                task = self._task(index, line, relaxed, attempt)
                candidates = yield from self._candidates(task)
                spent += task.particles
                if chosen := self._chosen(index, candidates):
                    return self._taken(index, chosen, relaxed, spent)
        reason = f"no line keeps {_wanted(self._spec.lines[index])}: {spent} were begun"
        raise CompositionError(reason, self._poem())

    def _attempts(self, line: LineSpec) -> "Iterator[tuple[tuple[str, ...], LineSpec]]":
        yield (), line
        if not self._request.strict:
            yield from _relaxations(line)

    def _task(self, index: int, line: LineSpec, relaxed: Sequence[str], attempt: int) -> LineTask:
        return LineTask(
            line=line,
            cursor=self._cursor,
            must_close=index in self._closing,
            temperature=self._request.temperature,
            particles=self._request.particles << attempt,
            candidates=DRAWN + self._request.alternatives,
            seed=derived_seed(self._seed, index, *relaxed, attempt),
        )

    def _candidates(self, task: LineTask) -> Steps[list[Candidate]]:
        if self._voice.lexicon is None or task.line.characters is not None:
            return (yield from write_by_letters(self._voice.tokenizer, task))
        writer = WordWriter(
            diction=self._with_keywords(self._diction),
            book=self._book,
            bans_opening=self._bans_opening,
        )
        return (yield from writer.write(task))

    def _with_keywords(self, diction: Diction) -> Diction:
        """Words with a bonus for the keywords that have not come yet, the larger the later."""
        if not self._pending:
            return diction
        left = sum(self._given(i) is None for i in range(len(self._lines), len(self._spec.lines)))
        bonus = diction.bonus.copy()
        numbers = diction.lexicon.numbers_of(self._pending)
        bonus[numbers] = KEYWORD if left > len(self._pending) + 1 else URGENT_KEYWORD
        return diction.with_bonus(bonus)

    def _chosen(self, index: int, candidates: list[Candidate]) -> list[Candidate]:
        """A few candidates drawn by weight, the most fluent first; then further ones.

        Empty where the training text has all of them word for word.
        """
        pool = candidates
        for is_welcome in (self._has_keyword, self._repeats_nothing):
            pool = [each for each in pool if is_welcome(self._text(each))] or pool
        seed = derived_seed(self._seed, index, "choice")
        count = DRAWN + 2 * self._request.alternatives
        places = drawn([each.weight for each in pool], count, seed)
        few = sorted(places[:DRAWN], key=lambda place: -fluency(pool[place]))
        ordered = [pool[place] for place in (*few, *places[DRAWN:])]
        while ordered and self._is_copied(self._text(ordered[0])):
            ordered.pop(0)
        return ordered

    def _is_copied(self, text: str) -> bool:
        """Whether a line, behind the one before it, makes a run that is too long to be chance."""
        index = self._voice.copy_index
        if index is None or self._request.allow_copies:
            return False
        before = f"{self._lines[-1].text}\n" if self._lines else ""
        limits = CopyLimits()
        return any(
            limits.rejects(run) and run.end > len(before) for run in index.runs(before + text)
        )

    def _taken(
        self, index: int, candidates: list[Candidate], relaxed: tuple[str, ...], spent: int
    ) -> ComposedLine:
        """Composed line of the first of these candidates; the others are its alternatives."""
        best, *others = candidates
        texts = dict.fromkeys(self._text(each) for each in others)
        texts.pop(self._text(best), None)
        self._cursor = best.cursor
        return ComposedLine(
            number=index + 1,
            text=self._text(best),
            ends_stanza=self._spec.ends_stanza[index],
            nats_per_character=-fluency(best),
            free_nats_per_character=-best.expected / len(best.ids),
            end_nats=-best.end_logprob,
            particles=spent,
            relaxed=relaxed,
            alternatives=tuple(texts)[: self._request.alternatives],
        )

    def _note(self, line: ComposedLine) -> None:
        """Remember a line: its words are said, its rhyme is set."""
        self._lines.append(line)
        said = self._keywords_in(line.text)
        self._pending = [word for word in self._pending if word not in said]
        if self._voice.lexicon is None:
            return
        spec = self._spec.lines[line.number - 1]
        if spec.text is None and spec.end is None and spec.refrain is None:
            text = line.text if spec.tail is None else line.text.rsplit(spec.tail, 1)[0]
            self._book.note(spec.rhyme, text)
        words = line_words(line.text)[:1]
        opening = self._voice.lexicon.numbers_of(word.text.casefold() for word in words)
        self._bans_opening[opening] = True

    def _keywords_in(self, text: str) -> list[str]:
        words = {word.text.casefold() for word in line_words(text)}
        return [word for word in self._pending if word in words]

    def _has_keyword(self, text: str) -> bool:
        return bool(self._keywords_in(text))

    def _repeats_nothing(self, text: str) -> bool:
        """Whether no word that means something comes twice in a line."""
        words = content_words(text)
        return len(words) == len(set(words))

    def _text(self, candidate: Candidate) -> str:
        return self._voice.tokenizer.decode(candidate.ids).rstrip("\n")

    def _ids(self, text: str) -> list[int]:
        return self._voice.tokenizer.encode_prompt(text).ids[1:]

    def _poem(self) -> Poem:
        return Poem(
            lines=tuple(self._lines),
            title=self._request.title,
            seed=self._seed,
            missing_keywords=tuple(self._pending),
        )


def fluency(candidate: Candidate) -> float:
    """Mean log probability of a character, in nats."""
    return candidate.logprob / len(candidate.ids)


def opening_text(request: PoemRequest) -> str:
    """What the network reads before the first line."""
    title = f"{request.title}\n\n" if request.title else ""
    lines = request.opening.strip("\n")
    return title + (f"{lines}\n" if lines else "") or "\n\n"


def closing_lines(spec: PoemSpec) -> frozenset[int]:
    """Indices of the lines with which stanzas end, or of those that they repeat there."""
    ends = [index for index, ends in enumerate(spec.ends_stanza) if ends]
    return frozenset(spec.source(index) for index in ends)


def _relaxations(line: LineSpec) -> "Iterator[tuple[tuple[str, ...], LineSpec]]":
    """The same line without its metre, with more or fewer syllables, without rhyme, and free."""
    given_up: tuple[str, ...] = ()
    counts = line.syllable_range
    if line.metre is not None:
        given_up, line = (
            (*given_up, "metre"),
            line.model_copy(update={"metre": None, "syllables": counts}),
        )
        yield given_up, line
    if counts is not None:
        wider = (max(1, counts[0] - 2), counts[1] + 2)
        given_up, line = (*given_up, "syllables"), line.model_copy(update={"syllables": wider})
        yield given_up, line
    if line.rhyme is not None:
        given_up, line = (*given_up, "rhyme"), line.model_copy(update={"rhyme": None})
        yield given_up, line


def _wanted(line: LineSpec) -> str:
    """What a line was to keep, in words."""
    fields = line.model_dump(exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in fields.items()) or "its form"
