"""Answers of the routes by OpenAI's contract, whole and as a stream, taken apart for tests."""

import json
from typing import Any


def whole_of(response: Any) -> Any:
    """JSON of an answer that must be 200."""
    assert response.status_code == 200, response.text
    return response.json


def chunks_of(response: Any) -> list[Any]:
    """Chunks of a stream, comments and [DONE] taken off."""
    assert response.content_type == "text/event-stream; charset=utf-8"
    lines = [line for line in response.text.split("\n") if not line.startswith(":")]
    frames = "\n".join(lines).split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    return [json.loads(frame.partition("data: ")[2]) for frame in frames[:-2]]
