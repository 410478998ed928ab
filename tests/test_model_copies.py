"""The copy index: planted runs are found whole and where they are; damage is refused."""

import json
import lzma
import random
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import checkpoint as checkpoints
from model.copies.copy_index import MIN_LETTERS, CopiedRun, CopyIndex
from model.copies.copy_report import CopyLimits, copy_report
from model.copies.letter_signature import GRAM, hashes_of, letters_of
from model.copies.signature_search import SEED
from model.errors import CheckpointError
from model.extra_files import COPIES
from training.data.copy_indexing import copy_index_of
from training.data.document_store import StoredText

ROOT = Path(__file__).parent.parent


def made_up(seed: int, lines: int) -> str:
    """A text of random words, some line for line; two of different seeds share no long run."""
    chosen = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chosen.choices(letters, k=chosen.randint(1, 9))) for _ in range(8 * lines)]
    return "\n".join(" ".join(words[at : at + 8]) for at in range(0, len(words), 8))


DOCUMENTS = [f"TITLE {number}\n\n{made_up(number, 12)}" for number in range(20)]


@pytest.fixture(scope="module")
def index() -> CopyIndex:
    return copy_index_of(
        StoredText(text, True, "corpora/poems.txt" if number < 12 else "songs.txt", number + 1)
        for number, text in enumerate(DOCUMENTS)
    )


def told(run: CopiedRun | None) -> CopiedRun:
    assert run is not None
    return run


@settings(max_examples=150)
@given(data=st.data())
def test_a_planted_run_is_found_whole_wherever_it_stands(
    index: CopyIndex, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(DOCUMENTS) - 1))
    document = DOCUMENTS[number]
    _, places = letters_of(document)
    length = data.draw(st.integers(MIN_LETTERS, 120))
    first = data.draw(st.integers(0, len(places) - length))
    start, end = int(places[first]), int(places[first + length - 1]) + 1
    before = data.draw(st.integers(0, 50))
    text = f"{made_up(1000, 1)[:before]} {document[start:end]} {made_up(1001, 1)}"
    run = told(index.longest_run(text))
    assert text[run.start : run.end].find(document[start:end]) in range(8)  # a few letters more
    assert run.end - run.start <= end - start + 16
    assert run.document == number + 1
    assert run.file == ("poems.txt" if number < 12 else "songs.txt")
    assert run.title == f"TITLE {number}"
    line = document[:start].count("\n") + 1
    assert line - 2 <= run.line <= line  # a letter more may be of the line before, or the title's


@pytest.mark.parametrize("before", "abcdefghijklmnopqrstuvwxyz")
def test_a_documents_first_words_are_told_of_it_whatever_stands_before_them(
    index: CopyIndex, before: str
) -> None:
    """By one letter in four the run seems to begin in the document before."""
    for number, document in enumerate(DOCUMENTS):
        _, places = letters_of(document)
        text = f"{before} {document[: int(places[MIN_LETTERS]) + 1]} {made_up(1001, 1)}"
        run = told(index.longest_run(text))
        assert (run.document, run.line) == (number + 1, 1)


@given(length=st.integers(0, SEED + GRAM - 2), first=st.integers(0, 300))
def test_a_run_too_short_to_promise_is_not_made_longer_than_it_is(
    index: CopyIndex, length: int, first: int
) -> None:
    letters = "".join(map(chr, letters_of(DOCUMENTS[0])[0].tolist()))
    assert index.longest_run(letters[first : first + length]) is None


def hash_match(query: np.ndarray, signature: np.ndarray) -> int:
    """The longest run of hashes of `query` that stands in `signature`, by dynamic programming."""
    longest = 0
    ending = np.zeros(len(signature) + 1, np.int64)
    for value in query:
        ending[1:] = np.where(signature == value, ending[:-1] + 1, 0)
        longest = max(longest, int(ending.max()))
    return longest


@settings(max_examples=60)
@given(data=st.data())
def test_the_longest_run_of_a_tiny_corpus_is_that_of_a_slow_search(data: st.DataObject) -> None:
    words = st.lists(st.sampled_from(["ab", "ba", "cab", "a", "bac"]), min_size=1, max_size=60)
    document, text = (" ".join(data.draw(words)) for _ in range(2))
    found = copy_index_of([StoredText(document, True, "a", 1)]).longest_run(text)
    letters = np.concatenate([letters_of(document)[0], np.zeros(GRAM - 1, np.uint64)])
    hashes = hashes_of(letters)
    padded = np.concatenate([hashes, np.zeros(-len(hashes) % 4, np.uint8)])
    longest = hash_match(hashes_of(letters_of(text)[0]), padded) + GRAM - 1
    if longest >= MIN_LETTERS:
        run = told(found)
        assert len(letters_of(text[run.start : run.end])[0]) == longest
        assert run.characters == len(" ".join(text[run.start : run.end].split()))
    else:
        assert found is None


def test_what_stands_between_letters_and_their_case_do_not_matter(index: CopyIndex) -> None:
    words = DOCUMENTS[3].split("\n")[4].split()
    changed = ";\n".join(word.upper() for word in words) + "!"
    run = told(index.longest_run(changed))
    assert (run.document, run.line, run.words) == (4, 5, len(words))
    assert changed[run.start : run.end] == changed[:-1]
    assert run.characters == len(" ".join(words))


def test_whole_words_alone_are_counted() -> None:
    index = copy_index_of(
        [StoredText("the heav'n\u2019s over wide and silent water", True, "a", 1)]
    )
    assert told(index.longest_run("the heav'n\u2019s over wide and silent water")).words == 7
    assert told(index.longest_run("zeav'n\u2019s over wide and silent watz")).words == 4


def test_pieces_of_a_document_are_one_document() -> None:
    text = made_up(5, 9)
    whole = copy_index_of([StoredText(text, True, "a", 1), StoredText("other", True, "a", 2)])
    cuts = [0, 3, 4, 50, 51, 52, len(text)]
    pieces = [StoredText(text[a:b], a == 0, "a", 1) for a, b in pairwise(cuts)]
    assert (
        copy_index_of([*pieces, StoredText("other", True, "a", 2)]).serialized == whole.serialized
    )


def test_a_document_without_a_blank_second_line_has_no_title_kept() -> None:
    line = "a line that is no title and goes on for long"
    index = copy_index_of([StoredText(f"{line}\nnext", True, "a", 1)])
    assert told(index.longest_run(line)).title is None


def test_an_index_of_nothing_finds_nothing() -> None:
    index = copy_index_of([])
    assert CopyIndex(index.serialized).longest_run("any text at all, however long it is") is None
    assert copy_index_of([StoredText("12", True, "a", 1)]).longest_run("x" * 40) is None


@pytest.mark.parametrize("text", ["", "a", "\u6c34" * 3, "1234 5678", "\ud800" * 40])
def test_texts_too_short_or_strange_have_no_runs(index: CopyIndex, text: str) -> None:
    assert index.runs(text) == []


def test_runs_do_not_overlap_and_the_longest_comes_first(index: CopyIndex) -> None:
    lines = [DOCUMENTS[number].split("\n")[5] for number in (9, 2, 17)]
    text = "\n".join(lines)
    runs = index.runs(text, min_characters=25)
    assert [run.characters for run in runs] == sorted(
        (run.characters for run in runs), reverse=True
    )
    assert {run.document for run in runs} == {10, 3, 18}
    spans = sorted((run.start, run.end) for run in runs)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


# What is made of it


@pytest.mark.parametrize(
    ("words", "limits", "verdict"),
    [
        (0, {}, "clear"),
        (7, {"reject_characters": 0}, "flagged"),
        (8, {}, "rejected"),
        (8, {"reject_characters": 0}, "rejected"),
        (8, {"reject_characters": 0, "reject_words": 0}, "flagged"),
        (8, {"reject_characters": 0, "reject_words": 0, "flag_characters": 0}, "clear"),
    ],
)
def test_the_verdict_hangs_on_limits_that_can_be_switched_off(
    index: CopyIndex, words: int, limits: dict[str, int], verdict: str
) -> None:
    line = next(line for line in DOCUMENTS[1].split("\n")[2:] if len(line) > 45)
    text = f"zzz {' '.join(line.split()[:words])}. zzz"
    report = copy_report(index, text, CopyLimits.checked(limits))
    assert report.verdict == verdict
    assert len(report.flagged) == (verdict != "clear")


# The file


def test_the_same_text_has_the_same_file(index: CopyIndex) -> None:
    again = copy_index_of(
        StoredText(text, True, "corpora/poems.txt" if number < 12 else "songs.txt", number + 1)
        for number, text in enumerate(DOCUMENTS)
    )
    assert again.serialized == index.serialized
    assert len(index.serialized) < sum(map(len, DOCUMENTS)) / 4 + 2000


def head(**fields: object) -> bytes:
    sizes = {"letters": 4, "documents": 1, "lines": 1, "tables": 0, "signature": 1}
    return json.dumps({"format": 1, **sizes, **fields}).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "first line"),
        (b"PK\n", "first line"),
        (head(format=2) + b"\0", "format"),
        (head(letters=-1) + b"\0", "letters"),
        (head(), "bytes, its head says"),
        (head() + b"\0\0", "bytes, its head says"),
    ],
)
def test_what_is_no_copy_index_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    assert CopyIndex(head() + b"\0").documents == 1
    with pytest.raises(CheckpointError, match=reason):
        CopyIndex(content)


@pytest.mark.parametrize(
    "tables", [b"", b"not packed", lzma.compress(b"[]\n"), lzma.compress(bytes(99))]
)
def test_tables_that_do_not_fit_are_refused_when_they_are_needed(
    index: CopyIndex, tables: bytes
) -> None:
    line, _, rest = index.serialized.partition(b"\n")
    fields = json.loads(line)
    signature = rest[fields["tables"] :]
    spoilt = CopyIndex(head(**{**fields, "tables": len(tables)}) + tables + signature)
    with pytest.raises(CheckpointError, match="tables cannot be read"):
        spoilt.longest_run(DOCUMENTS[0])


def test_a_checkpoint_takes_its_index_with_it(
    index: CopyIndex, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))
    checkpoints.add_file(folder, COPIES, index.serialized, facts={}, card="")
    loaded = checkpoints.load(folder)
    assert loaded.copy_index is not None
    checkpoints.save(loaded, tmp_path / "again")
    assert (tmp_path / "again" / COPIES).read_bytes() == index.serialized
    (folder / COPIES).write_bytes(index.serialized[:-1] + b"\xff")
    with pytest.raises(CheckpointError, match=r"copies\.bin: damaged, or of another checkpoint"):
        checkpoints.load(folder)
    (folder / COPIES).write_bytes(index.serialized + b"\xff")
    with pytest.raises(CheckpointError, match=r"copies\.bin: has .* bytes, at most"):
        checkpoints.load(folder)
