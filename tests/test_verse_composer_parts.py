"""Parts of the composer: patterns, trie, draws and rhymes against brute force."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from golden_requests import ROOT
from hypothesis import given
from hypothesis import strategies as st
from verse_voices import Poet, anthology_words, poet

from model.checkpoint import LoadedCheckpoint
from verse.composer.diction_choice import diction_of
from verse.composer.kernels.draws import NEVER, resample
from verse.composer.line_rules import prune
from verse.composer.rhyme_book import RhymeBook
from verse.composer.stress_patterns import PatternSet, fits
from verse.composer.weighted_draw import derived_seed, drawn, random_number
from verse.composer.word_trie import bits_of, children, trie_of
from verse.forms import MAX_SYLLABLES, LineSpec, PoemSpec

PATTERNS = st.lists(st.text("x/.", min_size=1, max_size=4), unique=True, max_size=8)
PLAIN = "from test_verse_composer_parts import few_numbers; print(few_numbers())"


@pytest.fixture(scope="module")
def singer(tiny: LoadedCheckpoint, anthology: str) -> Poet:
    return poet(tiny, anthology_words(anthology))


@given(patterns=PATTERNS, template=st.text("x/.", min_size=1, max_size=8), data=st.data())
def test_patterns_that_fit_a_line_are_those_of_brute_force(
    patterns: list[str], template: str, data: st.DataObject
) -> None:
    least = data.draw(st.integers(1, len(template)))
    numbered = PatternSet(patterns)
    going, ending = numbered.fitting(template, least)
    for start in range(MAX_SYLLABLES + 1):
        there = [p for p in patterns if start + len(p) <= len(template)]
        fitting = [p for p in there if fits(p, template[start : start + len(p)])]
        on = [p for p in fitting if start + len(p) < len(template)]
        end = [p for p in fitting if start + len(p) >= least]
        assert (going[start], ending[start]) == (numbered.bits(on), numbered.bits(end))


@given(patterns=PATTERNS, template=st.text("x/.", min_size=1, max_size=6), data=st.data())
def test_no_pattern_is_taken_behind_which_no_line_ends(
    patterns: list[str], template: str, data: st.DataObject
) -> None:
    last = data.draw(st.sets(st.sampled_from(patterns))) if patterns else set()
    numbered = PatternSet(patterns)
    going, ending = (each[None] for each in numbered.fitting(template, len(template)))
    ending &= np.uint64(numbered.bits(last))

    def ends(rest: str) -> bool:
        return any(
            fits(p, rest[: len(p)]) and ((p in last and p_is_rest(p, rest)) or ends(rest[len(p) :]))
            for p in patterns
            if len(p) <= len(rest)
        )

    def p_is_rest(p: str, rest: str) -> bool:
        return len(p) == len(rest)

    before = going.copy()
    prune(going, ending, numbered.lengths)
    for start in range(len(template)):
        for pattern in patterns:
            bit = np.uint64(numbered.bits([pattern]))
            rest = template[start + len(pattern) :]
            assert bool(going[0, start] & bit) == bool(before[0, start] & bit and ends(rest))


FORMS = st.lists(
    st.lists(st.integers(2, 4), min_size=1, max_size=4).map(tuple), unique=True, max_size=8
)


@given(middle=FORMS, start=FORMS, data=st.data())
def test_bits_of_a_trie_are_those_of_its_words(
    middle: list[tuple[int, ...]], start: list[tuple[int, ...]], data: st.DataObject
) -> None:
    size = max(len(middle), len(start), 1)
    patterns = data.draw(st.lists(st.integers(0, 7), min_size=size, max_size=size))
    bonus = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    trie = trie_of(*([(ids, n) for n, ids in enumerate(forms)] for forms in (middle, start)))
    bits = bits_of(trie, np.array(patterns, np.uint64), np.array(bonus, np.float64))

    def check(node: int, forms: list[tuple[int, ...]], letters: tuple[int, ...]) -> int:
        below = [n for n, ids in enumerate(forms) if ids[: len(letters)] == letters]
        alive = [n for n in below if patterns[n]]
        assert bits.below[node] == np.bitwise_or.reduce([patterns[n] for n in below] or [0])
        assert bits.bonus[node] == max((bonus[n] for n in alive), default=0)
        words = [n for n in below if forms[n] == letters]
        assert trie.word[node] == (words[0] if words else -1)
        return 1 + sum(
            check(child, forms, (*letters, int(trie.token[child])))
            for child in children(trie, node)
        )

    nodes = check(0, middle, ()) + check(trie.start_root, start, ())
    assert nodes == len(trie.token)


WEIGHTS = st.lists(st.floats(-30, 5), min_size=1, max_size=12)


@given(weights=WEIGHTS, number=st.floats(0, 1, exclude_max=True))
def test_resampling_keeps_expected_counts(weights: list[float], number: float) -> None:
    rows = np.zeros(len(weights), np.int64)
    shares = np.exp(np.array(weights) - max(weights))
    weight = resample(np.array(weights), number, rows)
    if weight == NEVER:
        assert shares.sum() ** 2 >= 0.5 * len(weights) * (shares**2).sum() * (1 - 1e-9)
        return
    expected = shares / shares.sum() * len(weights)
    counts = np.bincount(rows, minlength=len(weights))
    assert (np.abs(counts - expected) < 1 + 1e-6).all()
    assert weight == pytest.approx(np.log(np.exp(np.array(weights)).mean()), abs=1e-6)


@given(weights=WEIGHTS, count=st.integers(0, 15), seed=st.integers(0, 2**63 - 1))
def test_draws_give_distinct_places(weights: list[float], count: int, seed: int) -> None:
    places = drawn(weights, count, seed)
    assert len(set(places)) == len(places) == min(count, len(weights))
    assert drawn(weights, count, seed) == places


def test_draws_are_by_weight() -> None:
    first = [drawn([0.0, np.log(3.0), NEVER], 3, seed)[0] for seed in range(2000)]
    assert first.count(1) / 2000 == pytest.approx(0.75, abs=0.04)
    assert drawn([0.0, NEVER, 0.0], 3, 0) != [1]
    assert len(drawn([0.0, NEVER, 0.0], 3, 0)) == 2


def few_numbers() -> list[Any]:
    """Numbers of every kernel of draws."""
    rows = np.zeros(4, np.int64)
    weight = resample(np.array([0.0, -7.0, -5.5, -9.0]), 0.3, rows)
    seeds = [derived_seed(2**64 - 1, "line", 3), derived_seed(0)]
    places = [drawn([0.1, -2.0, 0.7, NEVER, 0.0], 4, seed) for seed in seeds]
    return [float(weight), rows.tolist(), places, [float(random_number(seed, 7)) for seed in seeds]]


def test_draws_compiled_and_as_plain_python_are_the_same() -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    plain = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN],
        env={**os.environ, "PYTHONPATH": path, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert plain.strip() == str(few_numbers())


# Rhymes

A, B = LineSpec(rhyme="A"), LineSpec(rhyme="B")


def book_of(singer: Poet, *lines: LineSpec) -> RhymeBook:
    lexicon = singer.voice.lexicon
    assert lexicon is not None
    diction = diction_of(lexicon, None, singer.request(form="haiku"))
    return RhymeBook(diction, PoemSpec(stanzas=(lines,)))


def partners(book: RhymeBook, letter: str, line: LineSpec) -> set[str]:
    return {book.lexicon.words[each.word] for each in book.partners(letter, line)}


def test_partners_rhyme_and_are_neither_the_word_nor_its_sound(singer: Poet) -> None:
    book = book_of(singer, A, A, B)
    book.note(A, "I see the light,")
    assert {"night", "bright"} <= partners(book, "A", A)
    assert not {"light", "delight"} & partners(book, "A", A)
    book.note(A, "of night")
    assert not {"night", "knight", "light"} & partners(book, "A", A)


def test_no_rhyme_serves_two_letters_and_no_word_ends_two_lines(singer: Poet) -> None:
    book = book_of(singer, A, A, B, B, LineSpec())
    book.note(A, "the light")
    lexicon = book.lexicon
    for line in (B, LineSpec()):
        weights = book.last_weights(line.rhyme, line)
        assert weights.max() == 1.0
        assert weights[lexicon.numbers_of(["night", "bright", "light"])].max() == 0.0


def test_all_readings_of_a_given_word_count(singer: Poet) -> None:
    book = book_of(singer, A, A)
    book.note(A, "the wind")
    assert {"kind", "find"} <= partners(book, "A", A)
    book.note(A, "mankind")
    assert "thinned" not in partners(book, "A", A)


def test_a_word_that_can_be_stressed_is_at_the_lines_end(singer: Poet) -> None:
    book = book_of(singer, A, A)
    book.note(A, "while you can")
    assert "man" in partners(book, "A", A)
    assert "done" not in partners(book, "A", A)


def test_the_word_before_the_tail_bears_the_rhyme(singer: Poet) -> None:
    tailed = LineSpec(rhyme="A", tail="my heart\u2019s own")
    book = book_of(singer, tailed, tailed)
    book.note(tailed, "I see the light, my heart's own!")
    assert "night" in partners(book, "A", tailed)
