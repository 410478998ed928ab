"""The word list: read as it was packed; every damage is refused with a reason."""

import json
import lzma
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import checkpoint as checkpoints
from model.checkpoint import CONFIG
from model.description import Facts
from model.errors import CheckpointError
from model.extra_files import WORDS
from model.word_list import BITS_PER_LEVEL, MAX_ASSOCIATES, WordList, pack

COUNTS = st.integers(0, 2**32 - 1)
LETTERS = st.text("ab'\u00e9\u6c34", min_size=1, max_size=6)


@st.composite
def contents(draw: st.DrawFn) -> tuple[list[str], list[list[int]], list[list[tuple[int, int]]]]:
    words = draw(st.lists(LETTERS, unique=True, max_size=9))
    counts = [draw(st.lists(COUNTS, min_size=len(words), max_size=len(words))) for _ in range(3)]
    associated = draw(st.integers(0, len(words)))
    pairs = st.tuples(st.integers(0, max(associated - 1, 0)), st.integers(0, 63))
    lists = st.lists(pairs, max_size=MAX_ASSOCIATES if associated else 0)
    return words, counts, draw(st.lists(lists, min_size=associated, max_size=associated))


@given(content=contents())
def test_what_was_packed_is_read(
    content: tuple[list[str], list[list[int]], list[list[tuple[int, int]]]],
) -> None:
    words, counts, associates = content
    read = WordList(pack(words, counts, associates).serialized)
    assert read.words == words
    columns = (read.counts, read.lower_counts, read.capital_counts)
    assert [column.tolist() for column in columns] == counts
    for word, pairs in zip(words, associates, strict=False):
        assert read.associates(word) == [(words[at], BITS_PER_LEVEL * n) for at, n in pairs]
    for word in [*words[len(associates) :], "not there"]:
        assert read.associates(word) == []


def packed(body: bytes) -> bytes:
    return lzma.compress(body, preset=0)


def head(**fields: object) -> bytes:
    return json.dumps(
        {"format": 1, "words": 1, "associated": 1, "associates": 1, **fields}
    ).encode()


BODY = b"sea\n" + bytes(12) + b"\x01" + b"\x00\x00" + b"\x02"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut short"),
        (b"PK" * 20, "cannot be unpacked"),
        (packed(head() + b"\n" + BODY)[:-9], "cut short"),
        (packed(head() + b"\n" + BODY) + b"x", "behind its end"),
        (packed(bytes(1 << 26)), "far too long"),
        (packed(b"sea\n" + BODY), "first line"),
        (packed(head(format=2) + b"\n" + BODY), "format"),
        (packed(head(words=-1) + b"\n" + BODY), "words"),
        (packed(head(words=2) + b"\n" + BODY), "2, as its first line says"),
        (packed(head() + b"\n" + b"\xff" + BODY), "not UTF-8"),
        (packed(head() + b"\n"), "words are not 1"),
        (packed(head() + b"\n" + BODY.replace(b"\x01", b"\x02")), "associates do not fit"),
        (packed(head() + b"\n" + BODY[:-3] + b"\x09\x00\x02"), "associates do not fit"),
        (
            packed(head(associated=2) + b"\nsea\n" + bytes(12) + b"\x01\x00" + bytes(3)),
            "do not fit",
        ),
    ],
)
def test_what_is_no_word_list_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    assert WordList(packed(head() + b"\n" + BODY)).words == ["sea"]
    with pytest.raises(CheckpointError, match=reason) as caught:
        WordList(content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


# In a checkpoint's folder


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Copy of a checkpoint's folder, with a plot, that was given a word list."""
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))
    (folder / "loss.png").write_bytes(b"plot")
    words = pack(["sea"], [[3], [2], [1]], [])
    facts: Facts = {"words kept": 1, "gone": None}
    checkpoints.add_file(folder, WORDS, words.serialized, facts=facts, card="# With words\n")
    return folder


def test_a_word_list_can_be_added_and_everything_else_stays(
    folder: Path, tiny_checkpoint: Path
) -> None:
    before, after = checkpoints.load(tiny_checkpoint), checkpoints.load(folder)
    assert before.word_list is None
    assert after.word_list is not None
    assert after.word_list.words == ["sea"]
    assert after.card == "# With words\n"
    assert after.description.provenance == {**before.description.provenance, "words kept": 1}
    for name in ("model.safetensors", "tokenizer.model"):
        assert (folder / name).read_bytes() == (tiny_checkpoint / name).read_bytes()
    assert (folder / "loss.png").read_bytes() == b"plot"
    assert after.digest != before.digest


def test_the_digest_is_of_the_words_too(folder: Path) -> None:
    before = checkpoints.load(folder)
    words = pack(["moon"], [[3], [2], [1]], [])
    checkpoints.add_file(folder, WORDS, words.serialized, facts={}, card=before.card)
    assert checkpoints.load(folder).digest != before.digest


def test_a_checkpoint_that_is_saved_again_keeps_its_words(folder: Path, tmp_path: Path) -> None:
    loaded = checkpoints.load(folder)
    checkpoints.save(loaded, tmp_path / "again")
    again = checkpoints.load(tmp_path / "again")
    assert again.digest == loaded.digest
    assert again.word_list is not None


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load(folder)
    return str(caught.value)


def test_words_that_config_json_names_must_be_there(folder: Path) -> None:
    (folder / WORDS).unlink()
    assert f"{WORDS}: No such file" in refused(folder)


def test_words_of_another_checkpoint_are_refused(folder: Path) -> None:
    (folder / WORDS).write_bytes(pack(["moon"], [[3], [2], [1]], []).serialized)
    assert f"{folder / WORDS}: damaged, or of another checkpoint" in refused(folder)


def test_words_that_config_json_does_not_name_are_not_read(folder: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "extra_files": {}}))
    (folder / WORDS).write_bytes(b"anything")
    assert checkpoints.load(folder).word_list is None


def test_a_file_of_another_format_is_refused_though_it_is_described(folder: Path) -> None:
    card = checkpoints.load(folder).card
    checkpoints.add_file(folder, WORDS, b"anything" * 9, facts={}, card=card)
    assert f"{folder / WORDS}: it cannot be unpacked" in refused(folder)
