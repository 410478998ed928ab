"""Broken and hostile corpus files: refused with a reason, in bounded time and memory."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import corpus_zoo as zoo
import hostile_files
import pytest
import zoo_poems

from training.texts.parquet_footer import group_bytes
from training.texts.readers import read_sources
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import LeftOut, SourceText

# What the process of READER says of a file: the texts, and the reasons for what it left out.
Told = dict[str, list[str]]

READER = """
import json, sys
from pathlib import Path
from training.texts.readers import read_sources
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import LeftOut

def no_sockets(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(event)

sys.addaudithook(no_sockets)
told = {}
folder = sys.argv[1]
for path in sorted(Path(folder).iterdir()):
    told[path.name] = one = {"texts": [], "reasons": []}
    for source in read_sources(str(path), ReadingOptions()):
        if isinstance(source, LeftOut):
            one["reasons"].append(f"{source.origin[len(folder) + 1:]}: {source.reason}")
        else:
            one["texts"].append(f"{source.origin[len(folder) + 1:]}: {source.text}")
# Not of getrusage: what it tells is inherited from the process of the tests.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
print(json.dumps({"told": told, "peak": peak}))
"""
PEAK_KB = 300 << 10  # with all libraries; the bombs are of 300 MB each


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Told]]:
    """Texts and reasons of all hostile files, read in one process, in bounded time and memory."""
    folder = tmp_path_factory.mktemp("hostile")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        for name, make in hostile_files.HOSTILE.items():
            (folder / name).write_bytes(make(address))
        with (folder / "sparse.txt").open("wb") as file:
            file.truncate(2 << 30)
        with (folder / "sparse-end.txt").open("wb") as file:
            file.write(b"a line of verse\n" * 100_000)
            file.truncate(2 << 30)
        command = [sys.executable, "-c", READER, str(folder)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert ended.stderr == ""
    answer = json.loads(ended.stdout)
    assert answer["peak"] < PEAK_KB
    yield answer["told"]
    for path in folder.iterdir():  # a few hundred megabytes, if sparse files are copied
        path.unlink()


REFUSED = {
    "bomb.txt.gz": "unpacks to more than 100 times its size",
    "bomb.gz.gz": "is no text",
    "bomb.zst": "unpacks to more than 100 times its size",
    "bomb.zip": "unpacks to more than 100 times its size",
    "lying.zip": "lying.zip/poems.txt: cannot be read",
    "bomb.tar.gz": "unpacks to more than 100 times its size",
    "bomb.docx": "has 80 MB, and of this format at most 64 MB are read",
    "bomb.odt": "has 80 MB, and of this format at most 64 MB are read",
    "bomb.epub": "has 80 MB, and of this format at most 64 MB are read",
    "bomb.pdf": "unpacks to more than 100 times its size",
    "double.pdf": "unpacks to more than 100 times its size",
    "padded.pdf": "holds a page that unpacks to more than 64 MB",
    "long.rtf": "has 17 MB, and of this format at most 16 MB are read",
    "nested.zip": "more.zip/more.zip/more.zip: lies in more than 3 archives",
    "encrypted.zip": "encrypted.zip/poem.txt: is encrypted",
    "entities.docx": "declares XML entities",
    "entities.odt": "declares XML entities",
    "entities.epub": "declares XML entities",
    "deep.html": "its elements lie too deep in one another",
    "deep.json": "is nested too deeply",
    "font.rtf": "its table of fonts is damaged",
    "number.json": "is no JSON",
    "scan.pdf": "has no text on its 3 pages: a scan",
    "line.jsonl": "has a line of more than 16,777,216 characters",
    "columns.csv": "none of its fields is surely the text; name one by --text-field: 'c0', .* more",
    "locked.epub": r"is encrypted \(DRM\)",
    "locked.odt": "is encrypted",
    "locked.docx": "is of an old office program",
    "locked.pdf": "is encrypted",
    "bomb.parquet": "unpacks to more than 100 times its size",
    "cut-footer.parquet": "its footer is damaged",
    "endless-number.parquet": "its footer is damaged",
    "footer.parquet": "it ends too soon",
    "zeros.txt": "is no text",
    "a.txt": "is a picture",
    "program.txt": "is a program",
    "sparse.txt": "is no text",
    "sparse-end.txt": "is no text from byte 1,600,000 on",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_gives_no_text_but_a_reason(told: dict[str, Told], name: str) -> None:
    assert told[name]["texts"] == []
    (reason,) = told[name]["reasons"]
    assert re.search(REFUSED[name], reason)


READ = {
    "deep.md": ">>>>",
    "deep.rtf": "poem",
    "links.rtf": "b" * 5000,
    "picture.rtf": "a poem",
    "fonts.rtf": "a poem",
    "endless.pdf": "a",
    "entities.html": "&l9;&x;&y;",
    "requests.html": "a poem\nof two",
    "surrogates.json": "the sea\nis deep",
}


@pytest.mark.parametrize("name", READ)
def test_a_file_that_only_looks_hostile_is_read(told: dict[str, Told], name: str) -> None:
    assert told[name]["reasons"] == []
    (text,) = told[name]["texts"]
    assert READ[name] in text


def test_every_hostile_file_is_looked_at(told: dict[str, Told]) -> None:
    assert told.keys() - REFUSED.keys() - READ.keys() == {"special.tar", "looping.tar", "cell.csv"}


def test_links_and_devices_of_an_archive_lead_nowhere(told: dict[str, Told]) -> None:
    assert told["special.tar"]["reasons"] == [
        f"special.tar/{name}: is a link or a device" for name in ("link", "hard", "null")
    ]


def test_names_in_an_archive_are_shown_without_ways_up_and_control_characters(
    told: dict[str, Told],
) -> None:
    names = [text.partition(": ")[0] for text in told["special.tar"]["texts"]]
    assert names == [
        "special.tar/etc/poem.txt",
        "special.tar/tmp/poem.txt",
        "special.tar/a/\ufffd[31mpoem\ufffd.txt",
    ]
    assert all(text.endswith(f": {zoo_poems.TEXT}") for text in told["special.tar"]["texts"])


def test_a_group_of_rows_of_less_than_no_bytes_frees_none_of_the_budget() -> None:
    groups = b"\x26\x09\x00" + b"\x26\xd8\x04\x00"  # of -5 and of 300 bytes
    assert group_bytes(b"\x49\x2c" + groups + b"\x00") == [300]


def test_an_archive_that_leads_back_ends(told: dict[str, Told]) -> None:
    assert len(told["looping.tar"]["texts"]) == 1


def test_what_stands_before_a_giant_cell_is_read(told: dict[str, Told]) -> None:
    assert told["cell.csv"]["texts"] == ["cell.csv, record 1: the sea"]
    assert told["cell.csv"]["reasons"] == [
        "cell.csv, record 2: has a line of more than 16,777,216 characters"
    ]


def read_file(path: Path) -> tuple[list[SourceText], list[LeftOut]]:
    texts, left_out = [], []
    for source in read_sources(str(path), ReadingOptions()):
        if isinstance(source, LeftOut):
            left_out.append(source)
        else:
            source.pieces = iter([source.text])
            texts.append(source)
    return texts, left_out


# Of these a part is as good as the whole, and nothing tells that there was more.
OPEN_ENDED = {"txt", "html", "htm", "md", "markdown", "tar"}


@pytest.mark.parametrize(
    "name", [name for name in zoo.FORMATS if name.rpartition(".")[2] not in OPEN_ENDED]
)
def test_a_file_cut_short_is_told(tmp_path: Path, name: str) -> None:
    raw = zoo.FORMATS[name](zoo_poems.POEMS)
    path = tmp_path / name
    path.write_bytes(raw[: len(raw) * 11 // 20])
    texts, left_out = read_file(path)
    whole = {verses for _, verses in zoo_poems.POEMS}
    assert {source.text for source in texts} <= whole  # records before the cut
    (reason,) = [each.reason for each in left_out if not each.is_expected]
    assert re.search("cut short|ends too soon|is no JSON|cannot be read from line", reason)


@pytest.mark.parametrize("name", sorted(set(zoo.FORMATS) - {"poems.txt"}))
def test_any_bytes_turned_over_crash_nothing(tmp_path: Path, name: str) -> None:
    raw = bytearray(zoo.FORMATS[name](zoo_poems.POEMS))
    if name.endswith("parquet"):
        raw = raw[:-40] + raw[-8:]  # arro3 tells of others with lines on the terminal
    for at in range(20, len(raw), max(1, len(raw) // 40)):
        raw[at] ^= 0x55
    path = tmp_path / name
    path.write_bytes(raw)
    texts, left_out = read_file(path)
    assert texts or left_out


TOLD_BY_BYTES = [
    name
    for name in zoo.FORMATS
    if re.search("docx|odt|rtf|epub|htm|pdf|zip|tar|gz|xz|bz2|zst|parquet", name)
]


@pytest.mark.parametrize("name", TOLD_BY_BYTES)
def test_a_file_under_another_name_is_read_as_what_it_is(tmp_path: Path, name: str) -> None:
    raw = zoo.FORMATS[name](zoo_poems.POEMS)
    path, renamed = tmp_path / name, tmp_path / "renamed.txt"
    path.write_bytes(raw)
    renamed.write_bytes(raw)
    texts, _ = read_file(path)
    others, _ = read_file(renamed)
    assert [source.text for source in others] == [source.text for source in texts]
    if others[0].kind != "text" and "/" not in others[0].origin[len(str(renamed)) :]:
        assert others[0].notes[0] == f"named as text, but is {others[0].kind}"


def test_a_text_under_the_name_of_a_document_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "poems.docx"
    path.write_bytes(zoo.text_file(zoo_poems.POEMS))
    ((source,), left_out) = read_file(path)
    assert (source.text, source.kind, left_out) == (zoo_poems.TEXT, "text", [])
    assert source.notes == ("named as docx, but is text",)


@pytest.mark.parametrize("name", ["a.txt", "a.docx", "a.csv", "a.zip", "a.txt.gz"])
def test_an_empty_file_is_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    ((), (left_out,)) = read_file(tmp_path / name)
    assert left_out.reason == ("is empty")


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "~$poems.docx", "__MACOSX/._a.txt"])
def test_what_systems_leave_behind_is_expected(tmp_path: Path, name: str) -> None:
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / name).write_bytes(b"\x00\x01")
    ((), (left_out,)) = read_file(tmp_path / name)
    assert (left_out.kind, left_out.is_expected) == ("leftover", True)


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    from training.texts import unpacking

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(unpacking, "IN_MEMORY_BYTES", 10)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "noisy.zip").write_bytes(zoo.FORMATS["noisy.zip"](zoo_poems.POEMS))
    texts, _ = read_file(tmp_path / "noisy.zip")
    assert [source.text for source in texts] == [zoo_poems.TEXT]
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("bound", "name", "reason"),
    [
        ("text_blocks.MAX_BLOCKS", "poems.docx", "has more than 3 paragraphs"),
        ("text_blocks.MAX_BLOCKS", "poems.rtf", "has more than 3 paragraphs"),
        ("zip_parts.MAX_ELEMENTS", "poems.odt", "has more than 3 elements"),
        ("html_text.MAX_TAGS", "poems.epub", "has more than 3 tags"),
        ("table_records.MAX_VALUES", "poems.json", "holds more than 3 values"),
        ("unpacking.MAX_MEMBERS", "poems.zip", "holds more than 3 files"),
    ],
)
def test_what_is_held_in_memory_at_once_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, name: str, reason: str
) -> None:
    monkeypatch.setattr(f"training.texts.{bound}", 3)
    (tmp_path / name).write_bytes(zoo.FORMATS[name](zoo_poems.POEMS))
    _, left_out = read_file(tmp_path / name)
    assert [each.reason.partition(";")[0] for each in left_out] == [reason]
