"""Completion of lines by a word that must be their last: a rhyme, or the word that was asked for.

Several prefixes of the line and all words of the class are scored together, letter by letter, level
by level of the trie, so that the pair of prefix and word is chosen that the model likes best, not
the word for a line that was written without it. Knows nothing of poems.

Shapes: R rows of a level, V vocabulary, T templates, S syllables, M nodes, W words.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from verse.composer.kernels.arrays import NONE, Bits, Floats, Places
from verse.composer.kernels.completion_levels import expand, expect, score
from verse.composer.kernels.particle_columns import LineRules
from verse.composer.kernels.trie_walks import lift
from verse.composer.line_search import Candidate, Prefix
from verse.composer.network_steps import Cursor, Logits, State, Steps, joined, rows_of, step
from verse.composer.weighted_draw import derived_seed, drawn

BEAM = 64  # rows of a level
PREFIXES = 16
ENTRIES = 8  # pairs of prefix and word whose line end is looked at
OF_ONE_PREFIX = 2


@dataclass(frozen=True, slots=True)
class LastWords:
    """Words that may be the line's last, as arrays."""

    ends: Bits  # (M,) patterns of the word that ends at a node
    below: Bits  # (M,) and of those below it
    patterns: Bits  # (T, S + 1) that fit at the line's end, by syllables before


@dataclass(frozen=True, slots=True)
class _Entry:
    """A prefix with a last word, before the line's end."""

    prefix: Prefix
    ids: tuple[int, ...]  # of the word, and of what must follow it
    word: int
    weight: float
    logprob: float  # of `ids`
    expected: float  # of as many letters that the model would have written on its own
    state: State  # one row, after `ids`
    logits: NDArray[np.float32]  # (V,) of what follows


@dataclass(slots=True)
class _Level:
    """Rows of one level of the trie, an entry of each column a row."""

    prefix: Places  # number
    fitting: Bits  # patterns that fit behind the prefix
    node: Places
    weight: Floats
    logprob: Floats
    expected: Floats
    ids: list[tuple[int, ...]]
    state: State


def last_words(rules: LineRules, word_patterns: Bits, patterns: Bits) -> LastWords:
    """Last words with `word_patterns` (W,), where `patterns` (T, S + 1) fit the line's end."""
    ends = np.where(rules.word >= 0, word_patterns[rules.word], np.uint64(0))
    below = ends.copy()
    lift(rules.first_child, rules.next_sibling, below)
    return LastWords(ends, below, patterns)


def complete(
    prefixes: Sequence[Prefix],
    rules: LineRules,
    words: LastWords | None,
    seed: int,
    *,
    tail: Sequence[int] = (),
    most: int = ENTRIES,
) -> Steps[list[Candidate]]:
    """Finish prefixes with one of the last words and the ids of `tail`; at most `most` candidates.

    With None for the words they end with the tail alone. A tail that ends on a mark has no other.
    """
    if words is None and len(rules.openings) > 0 and tail[0] not in rules.openings:
        prefixes = [each for each in prefixes if each.ids]
    chosen = drawn([each.weight for each in prefixes], PREFIXES, derived_seed(seed, "prefixes"))
    kept = [prefixes[place] for place in chosen]
    if not kept:
        return []
    choice = derived_seed(seed, "words")
    if words is None:
        entries = yield from _told(tail, (yield from _bare(kept)), rules.temperature)
        entries = _spread(entries, most, choice)
    else:
        found = _spread((yield from _entries(kept, rules, words)), most, choice)
        entries = yield from _told(tail, found, rules.temperature)
    if len(tail) > 0 and tail[-1] in rules.marks:
        rules = rules._replace(marks=rules.marks[:0], closes=rules.closes[:0], must_close=False)
    return (yield from _ended(entries, rules, derived_seed(seed, "ends")))


def _told(tail: Sequence[int], entries: list[_Entry], temperature: float) -> Steps[list[_Entry]]:
    """Entries followed by the ids of `tail`, and weighted by how well these follow."""
    for token in tail if entries else ():
        weights = [logprobs_of(each.logits, [token], temperature)[0] for each in entries]
        entries = yield from _followed(entries, [token] * len(entries), temperature)
        entries = [
            replace(each, weight=each.weight + weight)
            for each, weight in zip(entries, weights, strict=True)
        ]
    return entries


def _spread(entries: Sequence[_Entry], most: int, seed: int) -> list[_Entry]:
    """At most `most` entries drawn by weight, not too many of them with one prefix."""
    taken: Counter[tuple[int, ...]] = Counter()
    kept: list[_Entry] = []
    for place in drawn([each.weight for each in entries], 4 * most, seed):
        entry = entries[place]
        taken[entry.prefix.ids] += 1
        if taken[entry.prefix.ids] <= OF_ONE_PREFIX and len(kept) < most:
            kept.append(entry)
    return kept


def _bare(prefixes: Sequence[Prefix]) -> Steps[list[_Entry]]:
    """Entries of prefixes alone."""
    state = joined([each.cursor.state for each in prefixes])
    logits = yield from step([each.cursor.last for each in prefixes], state)
    return [
        _Entry(
            prefix=prefix,
            ids=(),
            word=NONE,
            weight=prefix.weight,
            logprob=0.0,
            expected=0.0,
            state=rows_of(state, [row]),
            logits=logits[row].copy(),
        )
        for row, prefix in enumerate(prefixes)
    ]


def _entries(prefixes: Sequence[Prefix], rules: LineRules, words: LastWords) -> Steps[list[_Entry]]:
    """Pairs of a prefix and a word, as far as the beam goes."""
    level = _Level(
        prefix=np.arange(len(prefixes)),
        fitting=np.array([_fitting(each, words) for each in prefixes], np.uint64),
        node=np.array([each.node for each in prefixes], np.int64),
        weight=np.array([each.weight for each in prefixes], np.float64),
        logprob=np.zeros(len(prefixes), np.float64),
        expected=np.zeros(len(prefixes), np.float64),
        ids=[()] * len(prefixes),
        state=joined([each.cursor.state for each in prefixes]),
    )
    last = [each.cursor.last for each in prefixes]
    entries: list[_Entry] = []
    while len(last) > 0:
        logits = yield from step(last, level.state)
        for row in np.flatnonzero(words.ends[level.node] & level.fitting).tolist():
            prefix, word = prefixes[level.prefix[row]], int(rules.word[level.node[row]])
            if _may_follow(prefix, word, rules):
                entries.append(_entry(prefix, word, level, row, logits))
        level = _next_level(level, logits, rules, words)
        last = [each[-1] for each in level.ids]
    return entries


def _fitting(prefix: Prefix, words: LastWords) -> int:
    """Patterns that a last word may have after this prefix, by any count of its syllables."""
    fitting = 0
    for place, patterns in enumerate(words.patterns[prefix.template].tolist()):
        if prefix.syllables >> place & 1:
            fitting |= patterns
    return fitting


def _may_follow(prefix: Prefix, word: int, rules: LineRules) -> bool:
    is_opening = prefix.last_word < 0
    return word != prefix.last_word and not (is_opening and bool(rules.bans_opening[word]))


def _entry(prefix: Prefix, word: int, level: _Level, row: int, logits: Logits) -> _Entry:
    return _Entry(
        prefix=prefix,
        ids=level.ids[row],
        word=word,
        weight=float(level.weight[row]),
        logprob=float(level.logprob[row]),
        expected=float(level.expected[row]),
        state=rows_of(level.state, [row]),
        logits=logits[row].copy(),
    )


def _next_level(level: _Level, logits: Logits, rules: LineRules, words: LastWords) -> _Level:
    """Rows one letter on: the heaviest, as many as the beam has room for."""
    room = len(logits) * logits.shape[1]
    rows, nodes = np.zeros(room, np.int64), np.zeros(room, np.int64)
    weights, logprobs = np.zeros(room, np.float64), np.zeros(room, np.float64)
    trie = (rules.token, rules.first_child, rules.next_sibling)
    columns = (level.node, level.fitting, level.weight, level.logprob)
    outputs = (rows, nodes, weights, logprobs)
    openings = rules.openings if all(len(ids) == 0 for ids in level.ids) else rules.openings[:0]
    is_start = np.array([rules.start_root == node for node in level.node], np.bool_)
    count = expand(
        *(logits, *trie, words.below, *columns, is_start, openings, rules.temperature, *outputs)
    )
    best = np.argsort(-weights[:count], kind="stable")[:BEAM]
    kept = rows[best]
    return _Level(
        prefix=level.prefix[kept],
        fitting=level.fitting[kept],
        node=nodes[best],
        weight=weights[best],
        logprob=logprobs[best],
        expected=(level.expected + expected_of(logits, rules.temperature))[kept],
        ids=[
            (*level.ids[row], int(rules.token[node]))
            for row, node in zip(kept.tolist(), nodes[best].tolist(), strict=True)
        ],
        state=rows_of(level.state, kept),
    )


def logprobs_of(logits: NDArray[np.float32], ids: Sequence[int], temperature: float) -> list[float]:
    """Log probabilities of some ids by logits (V,), divided by the temperature."""
    values = np.zeros(len(ids), np.float64)
    score(logits, np.array(ids, np.int64), temperature, values)
    return values.tolist()


def expected_of(logits: Logits, temperature: float) -> Floats:
    """Mean log probabilities (R,) of what the model would draw by logits (R, V)."""
    values = np.zeros(len(logits), np.float64)
    expect(logits, temperature, values)
    return values


def _followed(
    entries: Sequence[_Entry], ids: Sequence[int], temperature: float
) -> Steps[list[_Entry]]:
    """Entries with one more id each, whatever its probability."""
    before = expected_of(np.stack([each.logits for each in entries]), temperature).tolist()
    state = joined([each.state for each in entries])
    logits = yield from step(ids, state)
    return [
        replace(
            entry,
            ids=(*entry.ids, token),
            logprob=entry.logprob + logprobs_of(entry.logits, [token], 1.0)[0],
            expected=entry.expected + before[row],
            state=rows_of(state, [row]),
            logits=logits[row].copy(),
        )
        for row, (entry, token) in enumerate(zip(entries, ids, strict=True))
    ]


def _ended(entries: Sequence[_Entry], rules: LineRules, seed: int) -> Steps[list[Candidate]]:
    """Candidates of entries, each with a mark or none, drawn for it, and the line end."""
    marks = [
        int(mark)
        for mark, closes in zip(rules.marks, rules.closes, strict=True)
        if closes or not rules.must_close
    ]
    options = marks if rules.must_close else [rules.newline, *marks]
    weighted = []
    for row, entry in enumerate(entries):
        weights = logprobs_of(entry.logits, options, rules.temperature)
        chosen = drawn(weights, 1, derived_seed(seed, row))[0]
        weighted.append((replace(entry, weight=entry.weight + max(weights)), options[chosen]))
    plain = [entry for entry, option in weighted if option == rules.newline]
    marked = [(entry, option) for entry, option in weighted if option != rules.newline]
    if marked:
        ids = [option for _, option in marked]
        plain += yield from _followed([entry for entry, _ in marked], ids, rules.temperature)
    return [_candidate(entry, rules) for entry in plain]


def _candidate(entry: _Entry, rules: LineRules) -> Candidate:
    prefix, newline = entry.prefix, rules.newline
    end_logprob = entry.logprob + logprobs_of(entry.logits, [newline], 1.0)[0]
    end_expected = entry.expected + float(expected_of(entry.logits[None], rules.temperature)[0])
    return Candidate(
        ids=(*prefix.ids, *entry.ids, newline),
        num_given=prefix.num_given,
        weight=entry.weight,
        logprob=prefix.logprob + end_logprob,
        expected=prefix.expected + end_expected,
        end_logprob=end_logprob,
        last_word=entry.word,
        cursor=Cursor(entry.state, newline),
    )
