"""Line writer: candidates for one line of a poem, by the search that its rules ask for.

A line that begins a rhyme, or has none, comes to its end by itself; one whose last word is asked
for is completed; one that counts letters knows of no words. Knows nothing of other lines.
"""

from dataclasses import dataclass

from model.tokenizer import Tokenizer
from verse.composer.character_lines import (
    character_rules,
    counted_letters,
    search_characters,
    spaced,
)
from verse.composer.completion import ENTRIES, complete, last_words
from verse.composer.kernels.arrays import Bits, Flags, Floats
from verse.composer.kernels.particle_columns import LineRules
from verse.composer.line_rules import Diction, phrase_ends, rules_of, word_ends
from verse.composer.line_search import Candidate, Start, search_line
from verse.composer.line_starts import first_particles, start_ids
from verse.composer.network_steps import Cursor, Steps, read
from verse.composer.rhyme_book import RhymeBook
from verse.forms import LineSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTask:
    """Task of writing one line: its form, and what it is written by."""

    line: LineSpec
    cursor: Cursor  # where the poem stands
    must_close: bool
    temperature: float
    particles: int
    candidates: int  # wanted
    seed: int


def write_by_letters(tokenizer: Tokenizer, task: LineTask) -> Steps[list[Candidate]]:
    """Candidates for a line that counts letters, or is of no language that is known here."""
    rules = character_rules(
        tokenizer, task.line, must_close=task.must_close, temperature=task.temperature
    )
    start = "" if task.line.start is None else spaced(task.line.start)
    ids = tuple(tokenizer.encode_prompt(start).ids[1:])
    begun = (ids, counted_letters(start))
    return (yield from search_characters(task.cursor, begun, rules, task.particles, task.seed))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWriter:
    """Writer of lines in words, for one place of a poem."""

    diction: Diction
    book: RhymeBook
    bans_opening: Flags  # (W,) words with which other lines begin

    def write(self, task: LineTask) -> Steps[list[Candidate]]:
        """Candidates for a line; none where no particle came to its end."""
        line, letter = task.line, task.line.rhyme
        if line.end is not None:
            ends = phrase_ends(line, line.end)
            return (yield from self._completed(task, ends, None, line.end))
        if letter is not None and self.book.is_set(letter):
            patterns = self.book.partner_patterns(letter, line)
            ends = word_ends(self.diction.lexicon, line, patterns)
            return (yield from self._completed(task, ends, patterns, line.tail))
        if line.tail is not None:
            patterns = self.book.opener_patterns(letter, line)
            ends = word_ends(self.diction.lexicon, line, patterns)
            return (yield from self._completed(task, ends, patterns, line.tail))
        weights = self.book.last_weights(letter, line)
        rules = self._rules(task, weights)
        start = yield from self._start(task)
        found = yield from search_line(start, rules, task.particles, task.seed)
        return found.candidates

    def _completed(
        self, task: LineTask, ends: Bits, patterns: Bits | None, tail: str | None
    ) -> Steps[list[Candidate]]:
        """Candidates that end with one of the words that have `patterns` (W,), and `tail`."""
        rules = self._rules(task, None, ends)
        start = yield from self._start(task)
        found = yield from search_line(start, rules, task.particles, task.seed, ends)
        words = None if patterns is None else last_words(rules, patterns, ends)
        text = tail or ""
        if tail and patterns is not None:
            text = f" {tail}"
        ids = self.diction.lexicon.tokenizer.encode_prompt(text).ids[1:]
        most = max(ENTRIES, 2 * task.candidates)
        return (yield from complete(found.prefixes, rules, words, task.seed, tail=ids, most=most))

    def _rules(
        self, task: LineTask, weights: Floats | None, may_end: Bits | None = None
    ) -> LineRules:
        return rules_of(
            self.diction,
            task.line,
            last_weight=weights,
            may_end=may_end,
            bans_opening=self.bans_opening,
            must_close=task.must_close,
            temperature=task.temperature,
        )

    def _start(self, task: LineTask) -> Steps[Start]:
        """Find where the line's own words begin: behind those that are given."""
        lexicon, given = self.diction.lexicon, task.line.start
        ids = [] if given is None else start_ids(lexicon, given)
        cursor = yield from read(task.cursor, ids)
        return Start(cursor, first_particles(lexicon, task.line))
