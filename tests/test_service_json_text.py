"""JSON of responses: on one line, as UTF-8, and in parts the same as in one piece."""

import json
from collections.abc import Iterable

import pytest

from service.api.json_text import json_object_parts, json_text


@pytest.mark.parametrize("entries", [[], [{"a": 1}], [{"a": 1}, {"a": "\u00e9\u2028\n"}]])
def test_an_object_in_parts_is_the_object_in_one_piece(
    entries: Iterable[dict[str, object]],
) -> None:
    content = {"id": "x", "entries": list(entries), "none": None}
    parts = json_object_parts({**content, "entries": ()}, entries=iter(entries))
    assert "".join(parts) == json_text(content) + "\n"


def test_no_part_holds_more_than_one_entry() -> None:
    parts = list(json_object_parts({"entries": ()}, entries=({"n": n} for n in range(1000))))
    assert max(map(len, parts)) < 20


def test_text_is_on_one_line_and_not_escaped_beyond_need() -> None:
    assert json_text({"text": "O rose\n\u00e9\u6f22"}) == '{"text":"O rose\\n\u00e9\u6f22"}'
    assert json.loads(json_text({"text": "\x07"})) == {"text": "\x07"}


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_text([float("nan")])
