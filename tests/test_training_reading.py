"""Files become documents, whatever wraps them."""

import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest
import zstandard

from training.errors import CorpusError
from training.reading import CHUNK_BYTES, expand, read_documents, read_segments

POEMS = ["One\n\na line\nanother", "Two\n\nthe sea, the sea", "Three"]
TEXT = "\n\n\n".join(POEMS)


def documents(path: Path, separator: str = "\n\n\n") -> list[str]:
    return list(read_documents(str(path), separator))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "poems.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


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
        (".zst", zstandard.ZstdCompressor().compress),
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


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_a_truncated_compressed_file_is_named(tmp_path: Path, compress: "type[bytes]") -> None:
    path = tmp_path / ("poems.gz" if compress is gzip.compress else "poems.xz")
    path.write_bytes(compress(TEXT.encode() * 500)[:-20])
    with pytest.raises(CorpusError, match="cannot be read"):
        documents(path)


def test_a_byte_order_mark_is_dropped_and_line_ends_become_lf(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert documents(path) == POEMS


def test_text_becomes_nfc(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("cafe\u0301", encoding="utf-8")
    assert documents(path) == ["caf\u00e9"]


@pytest.mark.parametrize("at", [0, 5, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 7])
def test_a_bad_byte_is_an_error_that_names_its_offset(tmp_path: Path, at: int) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes(b"a" * at + b"\xff" + b"b" * 10)
    with pytest.raises(CorpusError, match=f"poems.txt: not UTF-8 at byte {at};"):
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
    segments = list(read_segments(str(path)))
    assert len(segments) > 1
    assert "".join(segments) == text


def test_segments_of_a_text_without_line_ends_are_the_whole_text(tmp_path: Path) -> None:
    text = "x" * (2 * CHUNK_BYTES + 5)
    path = tmp_path / "long.txt"
    path.write_text(text, encoding="utf-8")
    assert "".join(read_segments(str(path))) == text


def test_standard_input_is_a_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert list(read_documents("-", "\n\n\n")) == POEMS


def test_a_folder_stands_for_its_visible_files_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", ".hidden", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert expand([str(tmp_path)]) == [str(tmp_path / "a/z.txt"), str(tmp_path / "b.txt")]


def test_a_pattern_stands_for_its_matches_once(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt", "three.md"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = expand([str(tmp_path / "*.txt"), str(tmp_path / "one.txt")])
    assert found == [str(tmp_path / "one.txt"), str(tmp_path / "two.txt")]


@pytest.mark.parametrize("name", ["missing.txt", "*.nothing", "empty"])
def test_a_name_that_stands_for_nothing_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=name.replace("*", r"\*")):
        expand([str(tmp_path / name)])
