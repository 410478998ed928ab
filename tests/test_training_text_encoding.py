"""Encodings of plain texts: found by their bytes on a few lines of verse, or given, or refused."""

import io
import unicodedata

import pytest
from legacy_verse import VERSE

from model.errors import ParameterError
from training.data.corpus_options import options_of
from training.texts.file_reading import FileReading
from training.texts.legacy_encoding import shows_english
from training.texts.plain_text import read as read_plain_text
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import RefusedTextError, SourceText
from training.texts.unpacking import Budget

ENGLISH = "The tide goes out, the tide comes in,\nand every shell is listening.\n"


def read(raw: bytes, *encodings: str) -> SourceText:
    reading = FileReading(
        origin="sea.txt",
        kind="text",
        options=ReadingOptions(encoding=encodings),
        budget=Budget(len(raw)),
        read_member=lambda file, reading: iter(()),
    )
    (source,) = read_plain_text(io.BytesIO(raw), reading)
    assert isinstance(source, SourceText)
    return source


@pytest.mark.parametrize(("codec", "text"), VERSE)
def test_a_few_lines_in_a_legacy_encoding_are_read_as_they_were_written(
    codec: str, text: str
) -> None:
    assert read(text.encode(codec)).text == text


@pytest.mark.parametrize("text", [ENGLISH, *sorted({text for _, text in VERSE})])
@pytest.mark.parametrize(
    "codec",
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"],
)
def test_unicode_is_told_from_its_bytes_with_and_without_a_mark(codec: str, text: str) -> None:
    source = read(text.encode(codec))
    assert source.text == text
    assert not source.dropped


@pytest.mark.parametrize("codec", ["cp850", "mac-roman", "cp1252", "iso8859-15"])
@pytest.mark.parametrize("word", ["charm\u00e8d", "f\u00eate", "\u00c6olian", "caf\u00e9"])
def test_an_english_text_has_the_letters_of_english(codec: str, word: str) -> None:
    text = f"{ENGLISH}And from the {word} the wind that is her voice\n"
    assert read(text.encode(codec)).text == text


@pytest.mark.parametrize("text", ["Les Fran\u00e7ais, les Anglais", "\u00c9t\u00e9"])
def test_pieces_of_words_do_not_make_a_text_english(text: str) -> None:
    assert not shows_english(text.encode("cp1252"))


def test_the_name_of_the_encoding_is_told() -> None:
    assert read("L\u2019\u00e9t\u00e9".encode("cp1252")).encoding == "windows-1252"
    assert read(ENGLISH.encode("utf-16-be")).encoding == "utf-16-be"
    assert read(ENGLISH.encode()).encoding == "utf-8"


def test_a_given_encoding_decides() -> None:
    source = read(b"caf\xe9", "iso-8859-5")
    assert (source.text, source.encoding) == ("caf\u0449", "iso-8859-5")
    with pytest.raises(RefusedTextError, match="not UTF-8 at byte 3; name its encoding"):
        read(b"caf\xe9", "utf-8")


@pytest.mark.parametrize("codec", ["iso-2022-jp", "iso-2022-jp-2", "iso2022_jp_3"])
def test_every_encoding_that_python_has_may_be_given(codec: str) -> None:
    assert read("\u6d77\u306e\u97f3\n".encode(codec), codec).text == "\u6d77\u306e\u97f3\n"


def test_a_text_of_two_encodings_is_refused_until_each_line_may_be_either() -> None:
    raw = "d\u00e9j\u00e0 vu, \u00e9t\u00e9\n".encode() * 3 + "d\u00e9j\u00e0\n".encode("cp1252")
    with pytest.raises(RefusedTextError, match=r"not UTF-8 at byte 52, but in most .* \(2 bytes"):
        read(raw)
    assert (
        read(raw, "utf-8", "cp1252").text
        == "d\u00e9j\u00e0 vu, \u00e9t\u00e9\n" * 3 + "d\u00e9j\u00e0\n"
    )
    with pytest.raises(RefusedTextError, match="neither utf-8 nor ascii"):
        read(raw, "utf-8", "ascii")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff" + b"b" * 10, "not UTF-8 at byte 0, and no other encoding fits"),
        (bytes(1 << 17), "is no text: 65,536 of its first 65,536 bytes are NUL"),
        (bytes(range(256)) * 9, "is no text"),
        (b"\xff\xfe" + "odd".encode("utf-16-le")[:-1], "not UTF-16-LE at byte 6"),
        ("caf\u00e9".encode()[:-1], "not UTF-8 at byte 3"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(RefusedTextError, match=reason):
        read(raw)


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13"])
def test_an_encoding_that_python_has_not_is_an_error_of_the_field(name: str) -> None:
    with pytest.raises(ParameterError, match=f"encoding.*{name}"):
        options_of({"encoding": (name,)})


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\nb", "a\nb"),
        ("a\u0085b\u2028c\u000bd", "a\nb\nc\nd"),
        ("a\u2029b", "a\n\nb"),
        ("a\fb\n\fc\n\f\nd", "a\n\f\nb\n\f\nc\n\f\nd"),
    ],
)
def test_every_kind_of_line_end_is_one(raw: str, text: str) -> None:
    assert read(raw.encode()).text == text


def test_a_line_end_at_the_border_of_a_piece_is_one() -> None:
    text = "x" * ((1 << 20) - 1) + "\r\n" + "y" * 5
    assert read(text.encode()).text == text.replace("\r\n", "\n")


def test_invisible_characters_are_dropped_and_counted() -> None:
    source = read(
        "\ufeffthe\u00ad \u200bsea\ufeff\u2060 \x07\x00is\u200e \u202edeep\u202c\u200d".encode()
    )
    assert source.text == "the sea is deep"
    assert source.dropped == {
        "soft hyphens": 1,
        "zero-width characters": 3,
        "byte order marks": 1,
        "control characters": 1,
        "NUL characters": 1,
        "direction marks": 3,
    }


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u0631\u0648\u0645",
        "\u0915\u094d\u200d\u0937",
        "\U0001f469\u200d\U0001f680",
    ],
)
def test_joiners_that_a_script_needs_stay(text: str) -> None:
    assert read(text.encode()).text == text
    assert unicodedata.is_normalized("NFC", text)
