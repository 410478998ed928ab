"""Poem writing: the lines of a form, one after the other, as a generator of network steps.

Each line begins where the poem stands; the one that is taken is the most fluent of a few that are
drawn from all that keep the form. What a line cannot keep is tried again with more particles, and
then, unless the form is strict, given up step by step and said so. Seeded: the same request gives
the same poem. Knows nothing of who steps the network.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from model.copies.copy_report import CopyLimits
from verse.composer.diction_choice import KEYWORD, URGENT_KEYWORD, content_words, diction_of, folded
from verse.composer.line_rules import Diction
from verse.composer.line_search import Candidate
from verse.composer.line_starts import start_counts
from verse.composer.line_writer import LineTask, WordWriter, write_by_letters
from verse.composer.network_steps import Cursor, Request, Steps, read
from verse.composer.relaxation import Relaxed, relaxations, wanted_of
from verse.composer.rhyme_book import RhymeBook
from verse.composer.voice import Voice
from verse.composer.weighted_draw import derived_seed, drawn, random_number
from verse.forms import LineSpec
from verse.poem import ComposedLine, CompositionError, Poem
from verse.poem_request import PoemRequest
from verse.prosody.line_words import line_words

DRAWN = 5  # candidates, of which the most fluent is taken
# The most fluent of a few opens on "And" half as often again as people do: for this share of lines
# another is taken where there is one.
OTHER_OPENINGS = 0.5
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
        self._closing = spec.closing_lines
        self._pending = list(dict.fromkeys(folded(request.keywords)))
        for line in spec.lines:
            said = self._keywords_in(line.text or "")
            self._pending = [word for word in self._pending if word not in said]
        if voice.lexicon is not None:
            self._diction = diction_of(voice.lexicon, voice.word_list, request)
            self._book = RhymeBook(self._diction, spec)
            self._bans_opening = np.zeros(len(voice.lexicon.words), np.bool_)
            for line in spec.lines:
                if given := line.text or line.end:
                    self._book.note(line, given)

    def write(self) -> Composing:
        """Write all lines."""
        self._cursor = yield from read(self._cursor, self._ids(self._request.text_before))
        for index in range(len(self._spec.lines)):
            given, before = self._given(index), self._cursor
            if given is not None:
                line = yield from self._read(index, given)
                self._note(line)
            else:
                sets_rhyme = self._sets_rhyme(index)
                line = yield from self._written(index)
                self._note(line)
                if sets_rhyme and line.alternatives and "rhyme" not in line.relaxed:
                    line = yield from self._with_rhyming_alternatives(line, before)
                if self._voice.lexicon is not None and self._spec.lines[index].characters is None:
                    self._book.reserve(self._spec.lines[index], line.alternatives)
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
        wanted = wanted_of(self._spec.lines[index])
        for relaxed, line in self._attempts(self._spec.lines[index]):
            mute: list[Candidate] = []  # without a keyword that must come now
            for attempt in range(TRIES):
                task = self._task(index, line, relaxed, attempt)
                candidates = yield from self._candidates(task, attempt)
                spent += task.particles
                saying = [each for each in candidates if self._says_enough(self._text(each))]
                if chosen := self._chosen(index, saying):
                    return self._taken(index, chosen, relaxed, spent)
                mute = self._chosen(index, candidates) or mute
            if mute and not self._request.strict:
                return self._taken(index, mute, (*relaxed, "keywords"), spent)
            if mute:
                wanted = f"the keywords that are left, {', '.join(self._pending)}"
        reason = f"no line keeps {wanted}: {spent} were begun"
        raise CompositionError(reason, self._poem())

    def _sets_rhyme(self, index: int) -> bool:
        """Check whether other lines are to rhyme with this one, which is the first."""
        letter = self._spec.lines[index].rhyme
        others = sum(line.rhyme == letter and line.refrain is None for line in self._spec.lines)
        return letter is not None and others > 1 and not self._book.is_set(letter)

    def _with_rhyming_alternatives(self, line: ComposedLine, before: Cursor) -> Steps[ComposedLine]:
        """The line with alternatives that rhyme with it, as the lines to come will."""
        index, count = line.number - 1, self._request.alternatives
        task = replace(self._task(index, self._spec.lines[index], ("others",), 0), cursor=before)
        candidates = yield from self._candidates(task, 0)
        seed = derived_seed(self._seed, index, "others")
        places = drawn([each.weight for each in candidates], 2 * count, seed)
        others = [candidates[place] for place in places]
        alternatives = self._alternatives(index, line.text, others)
        self._lines[index] = replace(line, alternatives=alternatives)
        return self._lines[index]

    def _alternatives(self, index: int, text: str, others: Sequence[Candidate]) -> tuple[str, ...]:
        """As many other versions of a line as are asked for, none of them copied."""
        texts = dict.fromkeys(self._text(each) for each in others)
        texts.pop(text, None)
        own = (each for each in texts if not self._is_copied(index, each))
        return tuple(islice(own, self._request.alternatives))

    def _attempts(self, line: LineSpec) -> Iterator[Relaxed]:
        ways = [((), line), *([] if self._request.strict else relaxations(line))]
        # Words that it starts with may only fit when something is given up.
        return ((given_up, each) for given_up, each in ways if any(start_counts(each)))

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

    def _candidates(self, task: LineTask, attempt: int) -> Steps[list[Candidate]]:
        if self._voice.lexicon is None or task.line.characters is not None:
            return (yield from write_by_letters(self._voice.tokenizer, task))
        writer = WordWriter(
            diction=self._with_keywords(self._diction),
            book=self._book,
            bans_opening=self._bans_opening & (attempt + 1 < TRIES),
        )
        return (yield from writer.write(task))

    def _with_keywords(self, diction: Diction) -> Diction:
        """Words with a bonus for the keywords that have not come yet, the larger the later."""
        if not self._pending:
            return diction
        bonus = diction.bonus.copy()
        numbers = diction.lexicon.numbers_of(self._pending)
        is_urgent = self._num_open <= len(self._pending) + 1
        bonus[numbers] = URGENT_KEYWORD if is_urgent else KEYWORD
        return diction.with_bonus(bonus)

    @property
    def _num_open(self) -> int:
        """Lines that are still to be written."""
        left = range(len(self._lines), len(self._spec.lines))
        return sum(self._is_open(index) for index in left)

    def _is_open(self, index: int) -> bool:
        line = self._spec.lines[index]
        return line.text is None and line.refrain is None

    def _says_enough(self, text: str) -> bool:
        """Check whether there will be a line for each keyword that this one leaves unsaid."""
        left = len(self._pending) - len(self._keywords_in(text))
        if self._num_open == 1:
            return left == 0
        return left < self._num_open or len(self._keywords_in(text)) > 0

    def _chosen(self, index: int, candidates: list[Candidate]) -> list[Candidate]:
        """A few candidates drawn by weight, the most fluent first; then further ones.

        Empty where the training text has all of them word for word.
        """
        pool = candidates
        wishes = [self._has_keyword, self._repeats_nothing]
        if random_number(derived_seed(self._seed, index, "opening"), 0) < OTHER_OPENINGS:
            wishes.append(_opens_otherwise)
        for is_welcome in wishes:
            pool = [each for each in pool if is_welcome(self._text(each))] or pool
        seed = derived_seed(self._seed, index, "choice")
        count = DRAWN + 2 * self._request.alternatives
        places = drawn([each.weight for each in pool], count, seed)
        few = sorted(places[:DRAWN], key=lambda place: -pool[place].fluency)
        ordered = [pool[place] for place in (*few, *places[DRAWN:])]
        while ordered and self._is_copied(index, self._text(ordered[0])):
            ordered.pop(0)
        return ordered

    def _is_copied(self, at: int, text: str) -> bool:
        """Check whether a line, behind the one before it, makes a run too long to be chance."""
        index = self._voice.copy_index
        if index is None or self._request.allow_copies:
            return False
        before = f"{self._lines[at - 1].text}\n" if at else ""
        limits = CopyLimits()
        return any(
            limits.rejects(run) and run.end > len(before) for run in index.runs(before + text)
        )

    def _taken(
        self, index: int, candidates: list[Candidate], relaxed: tuple[str, ...], spent: int
    ) -> ComposedLine:
        """Composed line of the first of these candidates; the others are its alternatives."""
        best, *others = candidates
        self._cursor = best.cursor
        return ComposedLine(
            number=index + 1,
            text=self._text(best),
            ends_stanza=self._spec.ends_stanza[index],
            nats_per_character=-best.fluency,
            free_nats_per_character=-best.free_fluency,
            end_nats=-best.end_logprob,
            particles=spent,
            relaxed=relaxed,
            alternatives=self._alternatives(index, self._text(best), others),
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
            self._book.note(spec, line.text)
        words = line_words(line.text)[:1]
        opening = self._voice.lexicon.numbers_of(word.text.casefold() for word in words)
        self._bans_opening[opening] = True

    def _keywords_in(self, text: str) -> list[str]:
        words = {word.text.casefold() for word in line_words(text)}
        return [word for word in self._pending if word in words]

    def _has_keyword(self, text: str) -> bool:
        return bool(self._keywords_in(text))

    def _repeats_nothing(self, text: str) -> bool:
        """Check that no word that means something comes twice in a line."""
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


def _opens_otherwise(text: str) -> bool:
    return not text.casefold().startswith("and ")
