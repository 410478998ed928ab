"""Document reader: files become documents, whatever wraps them."""

import gzip
import io
import lzma
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard_frames

from training.data.corpus_options import CorpusOptions
from training.data.document_reader import (
    CorpusReader,
    may_combine,
    read_texts,
)
from training.data.train_valid_split import SplitKind
from training.texts.unpacking import CHUNK_BYTES
from training.training_errors import CorpusError

POEMS = ["One\n\na line\nanother", "Two\n\nthe sea, the sea", "Three"]
TEXT = "\n\n\n".join(POEMS)


def documents(path: Path, separator: str = "\n\n\n") -> list[str]:
    return list(read_texts([str(path)], CorpusOptions(document_separator=separator)))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "poems.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_rows_of_a_table_count_as_characters_read(tmp_path: Path) -> None:
    (tmp_path / "poems.csv").write_text('poem\n"low\nwater"\n"high\nwater"\n')
    reader = CorpusReader(CorpusOptions())
    texts = [document.text for document in reader.read(str(tmp_path / "poems.csv"))]
    assert reader.report.characters == sum(map(len, texts)) == len("low\nwater" + "high\nwater")


def test_two_blank_lines_part_documents(corpus: Path) -> None:
    assert documents(corpus) == POEMS


def test_more_blank_lines_part_them_too_and_leave_no_empty_document(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("\n\n" + "\n\n\n\n\n\n".join(POEMS) + "\n\n\n\n", encoding="utf-8")
    assert documents(path) == POEMS


def test_another_separator_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("\n%%\n".join(POEMS), encoding="utf-8")
    assert documents(path, "\n%%\n") == POEMS


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard_frames.compress),
    ],
)
def test_compressed_files_read_like_plain_ones(
    tmp_path: Path, suffix: str, compress: "type[bytes]"
) -> None:
    path = tmp_path / f"poems.txt{suffix}"
    path.write_bytes(compress(TEXT.encode()))
    assert documents(path) == POEMS


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_damaged_compressed_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"poems.txt{suffix}"
    path.write_bytes(b"this is not compressed at all")
    with pytest.raises(CorpusError, match=f"poems.txt{suffix}: cannot be read"):
        documents(path)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard_frames.compress),
    ],
)
def test_a_truncated_compressed_file_is_named(
    tmp_path: Path, suffix: str, compress: "type[bytes]"
) -> None:
    path = tmp_path / f"poems{suffix}"
    path.write_bytes(compress(TEXT.encode() * 500)[:-20])
    with pytest.raises(CorpusError, match="cannot be read"):
        documents(path)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard_frames.compress),
    ],
)
def test_a_compressed_file_of_several_members_is_read_to_its_end(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"poems{suffix}"
    path.write_bytes(compress(POEMS[0].encode()) + compress(b"\n\n\n") + compress(b"Two"))
    assert documents(path) == [POEMS[0], "Two"]


def test_a_byte_order_mark_is_dropped_and_line_ends_become_lf(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert documents(path) == POEMS


@pytest.mark.parametrize("border", ["\n\n\n", "\n \n\t\n", "\r\n\u00a0\r\n\r\n", "\n\u200b\n \n"])
def test_blank_lines_that_hold_something_part_documents(tmp_path: Path, border: str) -> None:
    path = tmp_path / "poems.txt"
    path.write_text(border.join(["One\n \n  two", "three ", "\u200b", "four"]), newline="")
    assert documents(path) == ["One\n\n  two", "three ", "four"]


def test_a_separator_that_is_named_is_taken_to_the_letter(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("a\n \nb\n\nc")
    assert documents(path, "\n \n") == ["a", "b\n\nc"]


@pytest.mark.parametrize(("split", "border"), [("documents", "\n\n\n"), ("contiguous", "")])
def test_byte_order_marks_of_joined_files_are_no_characters(
    tmp_path: Path, split: SplitKind, border: str
) -> None:
    path = tmp_path / "poems.txt"
    mark = b"\xef\xbb\xbf"
    path.write_bytes(mark + (b"\n\n\n" + mark).join(poem.encode() for poem in POEMS) + mark)
    assert border.join(read_texts([str(path)], CorpusOptions(split=split))) == TEXT


def test_text_becomes_nfc(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("cafe\u0301", encoding="utf-8")
    assert documents(path) == ["caf\u00e9"]


@pytest.mark.parametrize("at", [0, 5, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 7])
def test_a_bad_byte_is_an_error_that_names_its_offset(tmp_path: Path, at: int) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes(b"a" * at + b"\xff" + b"b" * 10)
    with pytest.raises(CorpusError, match=f"poems.txt: not UTF-8 at byte {at},"):
        documents(path)


def test_a_character_cut_by_the_end_of_the_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes("abc\u20ac".encode()[:-1])
    with pytest.raises(CorpusError, match="not UTF-8 at byte 3"):
        documents(path)


def test_characters_and_line_ends_survive_the_border_of_a_chunk(tmp_path: Path) -> None:
    text = "a" * (CHUNK_BYTES - 1) + "\u20ac\r\n" * 3 + "b"
    path = tmp_path / "poems.txt"
    path.write_bytes(text.encode())
    assert documents(path) == [text.replace("\r\n", "\n")]


def test_segments_together_are_the_whole_text(tmp_path: Path) -> None:
    text = "".join(f"line {i}\n\n\n" for i in range(200_000)) + "no line end"
    path = tmp_path / "long.txt"
    path.write_text(text, encoding="utf-8")
    segments = list(read_texts([str(path)], CorpusOptions(split="contiguous")))
    assert len(segments) > 1
    assert "".join(segments) == text


def test_segments_of_a_text_without_line_ends_are_the_whole_text(tmp_path: Path) -> None:
    text = "x" * (2 * CHUNK_BYTES + 5)
    path = tmp_path / "long.txt"
    path.write_text(text, encoding="utf-8")
    assert "".join(read_texts([str(path)], CorpusOptions(split="contiguous"))) == text


def test_standard_input_is_a_corpus_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert list(read_texts(["-"], CorpusOptions())) == POEMS
    assert not sys.stdin.buffer.closed


def test_a_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CorpusError, match="standard input is closed"):
        list(read_texts(["-"], CorpusOptions()))


def test_a_long_document_is_read_whole_in_time_that_grows_with_it(tmp_path: Path) -> None:
    lines = "the sea, the sea\n\n" * 300_000
    path = tmp_path / "epic.txt"
    path.write_text(lines + "\nTwo", encoding="utf-8")
    started = time.process_time()
    assert documents(path) == [lines.rstrip("\n"), "Two"]
    assert time.process_time() - started < 20


@pytest.mark.parametrize("filler", ["a", "\u4e00", "\U0001f600"])
def test_a_line_without_end_is_read_in_pieces_cut_where_nfc_joins_nothing(
    tmp_path: Path, filler: str
) -> None:
    marked = "e\u0301\u0323\u1112\u1161\u11ab"
    text = (filler * 97 + marked) * 40_000
    path = tmp_path / "long.txt"
    path.write_text(text, encoding="utf-8")
    pieces = list(read_texts([str(path)], CorpusOptions(split="contiguous")))
    assert "".join(pieces) == unicodedata.normalize("NFC", text)
    assert max(map(len, pieces)) <= CHUNK_BYTES + len(marked)


def test_a_long_run_of_combining_marks_takes_no_time_that_grows_with_its_square(
    tmp_path: Path,
) -> None:
    path = tmp_path / "marks.txt"
    path.write_text("e" + "\u0301\u0323" * 200_000, encoding="utf-8")
    started = time.process_time()
    assert documents(path) == ["\u1eb9" + "\u0323" * 199_999 + "\u0301" * 200_000]
    assert time.process_time() - started < 20


def test_what_may_combine_is_all_that_nfc_joins_to_what_stands_before() -> None:
    for number in range(sys.maxunicode + 1):
        char = chr(number)
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            assert may_combine(chr(int(parts[1], 16)))
        assert may_combine(char) or not unicodedata.combining(char)
