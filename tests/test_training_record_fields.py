"""Fields of tables and records: given, or guessed and said, or refused with a list."""

import json
import sys
from pathlib import Path

import pytest

from model.extras import MissingExtraError
from training.data.corpus_options import CorpusOptions
from training.data.document_reader import read_texts
from training.texts.readers import read_sources
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import LeftOut, SourceText

VERSE = "the sea is wide\nthe sea is deep"
LONG = "a column of words that are nothing, but go on and on, as what they say is of no use at all"


def read(path: Path, **options: str) -> tuple[list[SourceText], list[str]]:
    texts, reasons = [], []
    for source in read_sources(str(path), ReadingOptions.model_validate(options)):
        if isinstance(source, LeftOut):
            reasons.append(source.reason)
        else:
            source.pieces = iter([source.text])
            texts.append(source)
    return texts, reasons


def table(folder: Path, records: list[dict[str, object]]) -> Path:
    path = folder / "songs.json"
    path.write_text(json.dumps(records))
    return path


@pytest.mark.parametrize(
    ("record", "text", "title", "author"),
    [
        ({"Song Title": "Sea", "Artist": "Ann", "Lyrics": VERSE}, "Lyrics", "Song Title", "Artist"),
        ({"title": "Sea", "lines": VERSE.split("\n"), "linecount": "2"}, "lines", "title", None),
        ({"name": "Sea", "what": VERSE, "year": 1998}, "what", "name", None),
        ({"id": 1, "poem": VERSE, "comment": LONG}, "poem", None, None),
        ({"only": VERSE}, "only", None, None),
        ({"text": "short", "poet": "Ann"}, "text", None, "poet"),
    ],
)
def test_the_one_plausible_field_is_the_text_and_said(
    tmp_path: Path, record: dict[str, object], text: str, title: str | None, author: str | None
) -> None:
    ((source,), _) = read(table(tmp_path, [record]))
    assert source.title == (None if title is None else "Sea")
    assert source.author == (None if author is None else "Ann")
    titles = "without titles" if title is None else f"titles from {title!r}"
    assert source.notes == (
        f"texts from the field {text!r}, as its name or its lengths tell, {titles}",
    )


def test_where_several_fields_may_be_the_text_the_error_lists_them(tmp_path: Path) -> None:
    path = table(tmp_path, [{"first": VERSE, "second": LONG, "id": 1}])
    assert read(path)[1] == [
        "several of its fields may be the text; name one by --text-field: 'first', 'second'"
    ]
    ((source,), _) = read(path, text_field="second", title_field="id")
    assert (source.text, source.title) == (LONG, "1")
    assert source.notes == ("texts from the field 'second', titles from 'id'",)


@pytest.mark.parametrize("option", ["text_field", "title_field"])
def test_a_field_that_is_not_there_is_an_error_that_lists_those_that_are(
    tmp_path: Path, option: str
) -> None:
    _, (reason,) = read(table(tmp_path, [{"poem": VERSE, "id": 1}]), **{option: "verses"})
    flag = "--" + option.replace("_", "-")
    assert reason == f"{flag} 'verses' is none of its fields: 'poem', 'id'"


def test_a_record_without_a_text_is_left_out_by_its_number(tmp_path: Path) -> None:
    path = table(tmp_path, [{"poem": VERSE}, {"poem": None}, {"poem": VERSE}])
    texts, reasons = read(path)
    assert [source.origin for source in texts] == [f"{path}, record {n}" for n in (1, 3)]
    assert reasons == ["has no 'poem'"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\\nb\\nc", "a\nb\nc"),
        ("a\nb \\n c", "a\nb \\n c"),
        (["a", "b"], "a\nb"),
        ([["a", "b"], ["c"]], "a\nb\n\nc"),
        ([[["a"]], "b"], "\n\nb"),
    ],
)
def test_a_text_may_be_written_in_several_ways(tmp_path: Path, value: object, text: str) -> None:
    ((source,), _) = read(table(tmp_path, [{"poem": value}]))
    assert source.text == text


@pytest.mark.parametrize(
    "value",
    [
        {"lyrics": VERSE},
        [{"lyrics": VERSE}],
        {"artist": "Ann", "songs": [{"lyrics": VERSE}], "tags": ["a"]},
        {"one": {"lyrics": VERSE}},
        {"title": "Sea", "lyrics": VERSE, "media": [{"url": LONG}], "album": {"name": LONG}},
        {"by": "Ann", "poems": [VERSE]},
        [VERSE],
    ],
)
def test_records_are_found_wherever_they_lie_in_json(tmp_path: Path, value: object) -> None:
    (tmp_path / "songs.json").write_text(json.dumps(value))
    ((source,), _) = read(tmp_path / "songs.json")
    assert source.text == VERSE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            '"a first row that is no name of a column but a poem\nof two",b\n',
            "its first row is a text",
        ),
        (",,\na,b,c\n", "has no row that names its columns"),
        ("id,poem\n1,a,b\n", "has 3 cells for 2 columns"),
        ("id,poem\n", "holds no records"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "poems.csv").write_text(content)
    texts, reasons = read(tmp_path / "poems.csv")
    assert texts == []
    assert any(reason in each for each in reasons)


@pytest.mark.parametrize(
    "first",
    ['"The tide\ngoes out"', "and all the shells are listening", "The tide!", '"Sea, sea."'],
)
def test_a_table_of_one_column_without_a_name_loses_no_row(tmp_path: Path, first: str) -> None:
    (tmp_path / "poems.csv").write_text(f'{first}\n"The tide\ncomes in"\n')
    texts, reasons = read(tmp_path / "poems.csv")
    assert [source.text for source in texts] == [first.strip('"'), "The tide\ncomes in"]
    assert reasons == []


@pytest.mark.parametrize("name", ["poem", "Text of the song", "lyrics_en"])
def test_a_table_of_one_column_with_a_name_begins_below_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "poems.csv").write_text(f'{name}\n"The tide\ncomes in"\n')
    ((source,), _) = read(tmp_path / "poems.csv")
    assert source.text == "The tide\ncomes in"


def test_a_record_is_one_document_whatever_blank_lines_are_in_it(tmp_path: Path) -> None:
    path = table(tmp_path, [{"title": "Sea", "poem": "a\n\n\n\nb"}])
    assert list(read_texts([str(path)], CorpusOptions())) == ["Sea\n\na\n\n\n\nb"]


def test_a_format_whose_extra_is_missing_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lxml", None)
    monkeypatch.delitem(sys.modules, "training.texts.html_text", raising=False)
    (tmp_path / "poems.html").write_text("<p>a<br>b</p>")
    with pytest.raises(
        MissingExtraError, match=r"lxml is not installed: pip install 'strophe\[texts\]'"
    ):
        read(tmp_path / "poems.html")
    (tmp_path / "poems.txt").write_text(VERSE)
    assert read(tmp_path / "poems.txt")[0][0].text == VERSE
