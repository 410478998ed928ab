"""Corpus zoo's tables and records: .csv, .json, .jsonl and .parquet, clean and noisy."""

import csv
import io
import json

from zoo_poems import Poem


def table(poems: list[Poem], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["id", "title", "lyrics"])
    writer.writerows([at, title, verses] for at, (title, verses) in enumerate(poems))
    return out.getvalue().encode()


def noisy_csv(poems: list[Poem]) -> bytes:
    """Semicolons, Windows-1252, rows without a text, a Genius header row's other names."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["Artist", "Song Title", "year", "Lyrics"])
    for title, verses in poems:
        writer.writerow(["Ann Shore", title, "1998", verses])
        writer.writerow(["Ann Shore", "Instrumental", "1999", ""])
    return out.getvalue().encode("cp1252")


def records(poems: list[Poem]) -> list[dict[str, object]]:
    return [
        {"id": at, "title": title, "lyrics": verses} for at, (title, verses) in enumerate(poems)
    ]


def as_json(poems: list[Poem]) -> bytes:
    return json.dumps(records(poems)).encode()


def noisy_json(poems: list[Poem]) -> bytes:
    """Songs below an artist, verses as lists of lines, other lists beside, UTF-16."""
    songs = [
        {"title": title, "artist": "Ann Shore", "lyrics": verses.split("\n"), "year": 1998}
        for title, verses in poems
    ]
    return json.dumps({"name": "Ann Shore", "tags": ["sea"], "songs": songs}).encode("utf-16")


def jsonl(poems: list[Poem]) -> bytes:
    return "\n".join(json.dumps(record) for record in records(poems)).encode()


def noisy_jsonl(poems: list[Poem]) -> bytes:
    lines = [json.dumps({**record, "poet": None}, ensure_ascii=False) for record in records(poems)]
    return ("\n\n" + "\r\n\r\n".join(lines)).encode("utf-8-sig")


def parquet(poems: list[Poem], compression: str = "uncompressed") -> bytes:
    from arro3.core import Array, DataType, Table
    from arro3.io import write_parquet

    columns = zip(*poems, strict=True)
    arrays = [Array(list(column), type=DataType.string()) for column in columns]
    out = io.BytesIO()
    table = Table.from_pydict(dict(zip(("title", "lyrics"), arrays, strict=True)))
    write_parquet(table, out, compression=compression)
    return out.getvalue()
