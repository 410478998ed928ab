"""Words of a corpus: counted as a slow count does, near words found, kept with the checkpoint."""

import io
import json
import math
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from training_runs import arguments, refusal

from model import checkpoint as checkpoints
from model.extra_files import WORDS
from model.word_list import MAX_ASSOCIATES
from training.__main__ import main
from training.data.corpus import MANIFEST, load_corpus
from training.data.word_associations import COMMONEST, DISCOUNT, MIN_COUNT, MIN_PAIRS, word_list_of
from training.data.word_counts import WINDOW, WordCounter


def counted(text: str, *others: str) -> dict[str, tuple[int, int, int]]:
    words = word_list_of((each, True) for each in (text, *others))
    columns = (words.counts, words.lower_counts, words.capital_counts)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return dict(zip(words.words, rows, strict=True))


def test_words_are_counted_by_case_and_the_commonest_come_first() -> None:
    line = "Sing of London, and the Sea; sing, London\n"
    found = counted(line * 4)
    assert found == {
        "london": (8, 0, 8),
        "sing": (8, 4, 0),
        "and": (4, 4, 0),
        "of": (4, 4, 0),
        "sea": (4, 0, 4),
        "the": (4, 4, 0),
    }
    assert list(found)[:2] == ["london", "sing"]


def test_a_name_is_a_capital_inside_a_line_and_not_behind_a_full_stop() -> None:
    found = counted("Peace. Peace!\nPeace and peace, Peace\n" * 4)
    assert found["peace"] == (20, 4, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'Tis o'er, 'tis heav'n\u2019s fire's\n", {"'tis", "o'er", "heav'n's", "fire's"}),
        ("'come,' he said. come! come\n", {"come", "he", "said"}),
        ("thro' th' night o'th' moon\n", {"thro'", "th'", "night", "o'th'", "moon"}),
        ("lovers' lovers lovers 1842 x2 two_words\n", {"lovers", "x", "two", "words"}),
        ("caf\u00e9 \u6c34\u6708, \u0939\u093f\u0928\u094d\u0926\u0940\n",
         {"caf\u00e9", "\u6c34", "\u6708", "\u0939\u093f\u0928\u094d\u0926\u0940"}),
    ],
)  # fmt: skip
def test_what_a_word_is(text: str, words: set[str]) -> None:
    assert counted(text * 4).keys() == words


def test_words_that_are_rare_are_left_out() -> None:
    assert counted("sea sea sea moon moon moon moon") == {"moon": (4, 4, 0)}


def test_a_text_without_words_has_an_empty_list() -> None:
    assert counted("1 2 3\n") == {}


# Near words

WORDS_OF_A_TEXT = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(45)]


def slow_associates(texts: list[list[str]], frequent: list[str]) -> dict[str, list[str]]:
    """The definition, word by word: PMI over pairs within the window, discounted."""
    pairs: Counter[frozenset[str]] = Counter()
    known = set(frequent[COMMONEST:])
    near: Counter[str] = Counter()
    for text in texts:
        for (i, a), (j, b) in combinations(enumerate(text), 2):
            if j - i <= WINDOW and {a, b} <= known:
                pairs[frozenset((a, b))] += 1
                near.update((a, b))
    total = sum(near.values())
    found = {}
    for word in frequent[COMMONEST:]:
        ranks = []
        for other in frequent[COMMONEST:]:
            count = pairs[frozenset((word, other))]
            quotient = count * total / (near[word] * near[other]) if count else 0.0
            if other != word and count >= MIN_PAIRS and quotient >= 2:
                ranks.append((-quotient * (count / (count + DISCOUNT)), frequent.index(other)))
        found[word] = [frequent[at] for _, at in sorted(ranks)[:MAX_ASSOCIATES]]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_near_words_are_those_of_a_slow_count(seed: int) -> None:
    draw, texts = random.Random(seed), []
    for _ in range(60):  # texts whose words come in clusters of five
        start = draw.randrange(0, len(WORDS_OF_A_TEXT), 5)
        cluster = WORDS_OF_A_TEXT[start : start + 5] + WORDS_OF_A_TEXT[:3]
        texts.append([draw.choice(cluster) for _ in range(40)])
    words = word_list_of((" ".join(text), True) for text in texts)
    frequent = [
        word
        for word, count in zip(words.words, words.counts.tolist(), strict=True)
        if count >= MIN_COUNT
    ]
    wanted = slow_associates(texts, frequent)
    assert {word: [w for w, _ in words.associates(word)] for word in wanted} == wanted


def test_the_nearness_of_a_word_is_its_pmi_in_half_bits() -> None:
    common = " ".join(WORDS_OF_A_TEXT[:COMMONEST])
    texts = [f"{common} {a} {b}" for a, b in (("sea", "wave"), ("fire", "ash"))] * 30
    words = word_list_of((text, True) for text in texts)
    # Four words, each half of its pairs' ends: 60 of 120 with one other.
    assert words.associates("sea") == [("wave", math.log2(4))]


def test_words_are_near_across_the_chunks_and_not_across_documents() -> None:
    texts = ["one two three", "four five six seven"]
    sequences = []
    for size in (1, 3, 1000):
        counter = WordCounter(io.BytesIO())
        for text in texts:
            for word in text.split():
                counter.add(word, opens_document=word in {"one", "four"})
        counter.words(9)
        places = {word: place for place, word in enumerate(" ".join(texts).split())}
        chunks = list(counter.sequence(places, size))
        starts = [0, *(WINDOW for _ in chunks[1:])]
        overlaps = [min(WINDOW, size * at) for at, _ in enumerate(chunks)]
        assert len(starts) == len(overlaps)
        sequences.append([n for c, o in zip(chunks, overlaps, strict=True) for n in c[o:].tolist()])
    assert sequences[0] == sequences[1] == sequences[2]
    gap = [-1] * WINDOW
    assert sequences[0] == [*gap, 0, 1, 2, *gap, 3, 4, 5, 6]


# With a run


def test_a_run_keeps_the_words_of_its_training_text_and_the_command_makes_the_same(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=3)) == 0
    folder = corpus.parent / "checkpoints" / "one"
    kept = checkpoints.load(folder)
    assert kept.word_list is not None
    assert len(kept.word_list.words) > 100
    assert kept.description.provenance["words kept"] == len(kept.word_list.words)
    assert f"| words kept | {len(kept.word_list.words)} |" in kept.card
    assert (corpus.parent / "runs/one/data" / WORDS).read_bytes() == kept.word_list.serialized

    assert main(arguments(corpus, "two", steps=3, no_word_list=True)) == 0
    bare = corpus.parent / "checkpoints" / "two"
    assert checkpoints.load(bare).word_list is None
    assert not (bare / WORDS).exists()
    capsys.readouterr()
    assert main(["words", "--checkpoint", str(bare), "--corpus", str(corpus)]) == 0
    assert "warning" not in capsys.readouterr().err
    assert (bare / WORDS).read_bytes() == kept.word_list.serialized
    again = checkpoints.load(bare)
    assert again.description.provenance["words kept"] == len(kept.word_list.words)
    assert again.card.count("| words kept |") == 1


def test_words_of_another_text_are_told_as_such(
    tiny_checkpoint: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = corpus.parent / "tiny"
    loaded = checkpoints.load(tiny_checkpoint)
    checkpoints.save(loaded, folder)
    assert main(["words", "--checkpoint", str(folder), "--corpus", str(corpus)]) == 0
    assert "not the text that it was trained on" in capsys.readouterr().err
    provenance = checkpoints.load(folder).description.provenance
    assert len(str(provenance["words.xz from corpus sha256"])) == 64


def test_a_prepared_corpus_without_words_gives_none_and_refuses_to_be_asked_for_them(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = corpus.parent / "data"
    prepare = ["prepare", "--corpus", str(corpus), "--out", str(data)]
    assert main([*prepare, "--no-word-list"]) == 0
    assert load_corpus(data).word_list is None
    manifest = json.loads((data / MANIFEST).read_text())
    del manifest["words"], manifest["options"]["word_list"]  # as an older version wrote it
    (data / MANIFEST).write_text(json.dumps(manifest))
    assert main(arguments(data, "one", steps=3)) == 0
    assert "word_list: " in refusal(capsys, arguments(data, "two", steps=3, word_list=True))
    wanted = ["words", "--checkpoint", str(corpus.parent / "checkpoints/one"), "--corpus"]
    assert "a prepared corpus, not text" in refusal(capsys, [*wanted, str(data)])


def test_a_prepared_corpus_whose_words_are_spoilt_is_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = corpus.parent / "data"
    assert main(["prepare", "--corpus", str(corpus), "--out", str(data)]) == 0
    (data / WORDS).write_bytes((data / WORDS).read_bytes()[:-3])
    assert f"{data / WORDS}: cannot be read (it is cut short" in refusal(
        capsys, arguments(data, "one", steps=3)
    )
