"""The fenced blocks of a Markdown page, and what is typed and shown in those of a terminal."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## ", flags=re.MULTILINE)
START = re.compile(r"\$ ((?:STROPHE_\w+=\S+ )*)strophe serve\n")
MASKS = (
    (r"\b(req|gen|poem|rhymes|chatcmpl|cmpl|score|inspect)-[0-9a-f]{32}\b", r"\1-ID"),
    (r'"created":\d+', '"created":0'),
    # As many as this machine reads in a given time.
    (r'"(max_model_len|model_max_length)":\d+', r'"\1":0'),
    (r"wait \d+ seconds?", "wait 0 seconds"),
)


# exp and log of torch differ in the last bit from one kind of CPU to another.
LONG_NUMBER = re.compile(r"-?\d+\.\d{12,}(?:e-?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block, and with which settings the service runs that it is about."""

    place: str
    language: str
    text: str
    settings: tuple[tuple[str, str], ...]

    def commands(self) -> Iterator[tuple[str, str]]:
        """What is typed and what is shown for it."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            last = next(i for i, line in enumerate(lines) if not line.endswith("\\\n"))
            yield "".join(lines[: last + 1]), "".join(lines[last + 1 :])


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page. One that starts a service counts for those up to the next heading."""
    text, found = page.read_text(encoding="utf-8"), []
    settings: tuple[tuple[str, str], ...] = ()
    end = 0
    for fence in FENCE.finditer(text):
        if HEADING.search(text, end, fence.start()):
            settings = ()
        end = fence.end()
        if start := START.fullmatch(fence[2]):
            settings = tuple((n, v) for n, _, v in (s.partition("=") for s in start[1].split()))
        line = text.count("\n", 0, fence.start()) + 1
        found.append(
            Block(place=f"{page.name}:{line}", language=fence[1], text=fence[2], settings=settings)
        )
    return found


def comparable(output: str) -> str:
    """An output without what differs from one run to the next: ids, times, speeds, where pieces
    end, and digits of a number behind the twelfth.
    """
    for pattern, mask in MASKS:
        output = re.sub(pattern, mask, output)
    output = LONG_NUMBER.sub(lambda number: f"{float(number[0]):.12g}", output)
    if "\ndata: [DONE]\n" in output:
        output = "\n".join(json.dumps(event) for event in joined(events_of(output)))
    return output.rstrip("\n")


def events_of(stream: str) -> Iterator[dict[str, Any]]:
    for line in stream.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def joined(events: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with the pieces of each text in one."""
    found: list[dict[str, Any]] = []
    for event in events:
        if found and "text" in event and found[-1].get("index") == event["index"]:
            found[-1] |= event | {"text": found[-1]["text"] + event["text"]}
        else:
            found.append(event)
    return found
