"""Received answer: what a reader has of an answer's texts, over as many connections as it takes.

Bytes of a body go in, in whatever pieces they came; texts, log probabilities, ends and what to send
to go on come out. Half of a character or of an event is dropped with its connection. Knows nothing
of connections.
"""

import codecs
import json
from collections.abc import Mapping
from typing import Any

from drawn_requests import JSON, PLAIN, DrawnRequest

Facts = dict[str, Any]


class StreamError(Exception):
    """Raised by an event that tells of an error; its text is the error's code."""


class ReceivedAnswer:
    """Answer to one request, as far as it was received."""

    def __init__(self, request: DrawnRequest) -> None:
        self.request = request
        self.texts = [""] * request.num_texts
        self.fingerprint: str | None = None
        self.is_whole = False
        self._logprobs: list[list[Any]] = [[] for _ in self.texts]
        self._ends: list[Any] = [None] * request.num_texts
        self._lines: list[Any] = []  # of a poem
        self._after: Any = None  # usage, or the report on a poem
        self._gap = ""  # between a poem's line and the next one
        self._event_id: str | None = None
        self.begin_body()

    @property
    def is_empty(self) -> bool:
        """True until something was received that can be gone on from."""
        return self._event_id is None if self.request.by_event_id else not any(self.texts)

    @property
    def facts(self) -> Facts:
        """Facts of the answer as received, to be compared with those of another answer."""
        return {
            "texts": self.texts,
            "logprobs": self._logprobs,
            "ends": self._ends,
            "lines": self._lines,
            "after": self._after,
        }

    def next_request(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Fields and headers of the request that goes on with what was received, or that begins."""
        headers: dict[str, str] = {"Accept": self.request.form}
        fields = dict(self.request.fields)
        if self.is_empty:
            return fields, headers
        if self.request.by_event_id:
            assert self._event_id is not None
            return fields, {**headers, "Last-Event-ID": self._event_id}
        fields["received"] = self.texts[0] if len(self.texts) == 1 else self.texts
        if self.fingerprint is not None:
            fields["fingerprint"] = self.fingerprint
        return fields, headers

    def begin_body(self) -> None:
        """Begin with the body of another connection's answer."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self._waiting_id: str | None = None
        self._waiting_data: str | None = None

    def take(self, data: bytes) -> None:
        """Take the next bytes of a body. Raises StreamError where they tell of one."""
        text = self._decoder.decode(data)
        if self.request.form == PLAIN:
            self.texts[0] += text
            return
        *lines, self._rest = (self._rest + text).split("\n")
        if self.request.form == JSON:  # taken when it is whole
            self._rest = "\n".join([*lines, self._rest])
            return
        for line in lines:
            self._take_line(line)

    def end_body(self) -> None:
        """Take the end of a body that came to its last chunk; events end with `[DONE]` before."""
        if self.request.form == PLAIN:
            self.is_whole = True
        if self.request.form == JSON:
            self._take_object(json.loads(self._rest))
            self.is_whole = True

    def _take_line(self, line: str) -> None:
        if line.startswith("id: "):
            self._waiting_id = line.removeprefix("id: ")
        elif line.startswith("data: "):
            self._waiting_data = line.removeprefix("data: ")
        elif not line and self._waiting_data is not None:
            self._event_id = self._waiting_id or self._event_id
            data, self._waiting_data = self._waiting_data, None
            if data == "[DONE]":
                self.is_whole = True
            else:
                self._take_event(json.loads(data))

    def _take_event(self, event: Mapping[str, Any]) -> None:
        if "error" in event:
            raise StreamError(event["error"]["code"])
        if self.request.path == "/v1/poems":
            self._take_poem_event(event)
        elif "choices" in event:
            for choice in event["choices"]:
                self._take_choice(choice)
        elif "index" in event:
            self._take_choice(event)
        if event.get("usage") is not None:
            self._after = event["usage"]

    def _take_poem_event(self, event: Mapping[str, Any]) -> None:
        if "number" in event:
            self._lines.append(event)
            self.texts[0] += self._gap + event["text"]
            self._gap = "\n\n" if event["ends_stanza"] else "\n"
        elif "report" in event:
            self._after = event

    def _take_object(self, answer: Mapping[str, Any]) -> None:
        for choice in answer["choices"]:
            self._take_choice(choice)
        self._after = answer["usage"]

    def _take_choice(self, choice: Mapping[str, Any]) -> None:
        index = choice["index"]
        if self._ends[index] is not None and not choice["text"]:
            return  # a text that was whole gives its end once more
        self.texts[index] += choice["text"]
        if logprobs := choice.get("logprobs"):
            self._logprobs[index] += entries_of(logprobs)
        if choice.get("finish_reason") is not None:
            self._ends[index] = [choice["finish_reason"], choice["stop_reason"]]


def entries_of(logprobs: Any) -> list[Any]:
    """List of log probabilities, one a token; of completions' four lists of them, too."""
    if isinstance(logprobs, list):
        return logprobs
    return [list(entry) for entry in zip(*logprobs.values(), strict=True)]
