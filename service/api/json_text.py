"""JSON text of responses: compact, in UTF-8 as it is, and never NaN or Infinity."""

import json
from collections.abc import Iterable, Iterator, Mapping


def json_text(content: object) -> str:
    """JSON of a value on one line. Raises ValueError for what JSON has no number for."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def json_object_parts(
    content: Mapping[str, object], **lists: Iterable[Mapping[str, object]]
) -> Iterator[str]:
    """JSON of an object in parts; the members named in `lists` are written entry by entry.

    `content` has these members too, with any value: it gives their place. Encoded as a whole a
    long list would hold Python's lock for long.
    """
    opening = "{"
    for name, value in content.items():
        yield f"{opening}{json_text(name)}:"
        if name in lists:
            yield from _list_parts(lists[name])
        else:
            yield json_text(value)
        opening = ","
    yield "}\n"


def _list_parts(entries: Iterable[Mapping[str, object]]) -> Iterator[str]:
    opening = "["
    for entry in entries:
        yield opening + json_text(entry)
        opening = ","
    yield "]" if opening == "," else "[]"
