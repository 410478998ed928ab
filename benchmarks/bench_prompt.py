"""Long prompt benchmark: what reading one does to the streams beside it, and how long it takes.

    python benchmarks/bench_prompt.py [--streams 8 32] [--prompts 3000 20000]

Against the real service with the model that ships, on loopback; the client is one thread of this
process and shares the cores with it. Streams run alone for some seconds, then beside each prompt
in turn until its first character. Prints a table, then everything as one line of JSON.
"""

import argparse
import selectors
import tempfile
import time
from pathlib import Path
from typing import Any

from measured import quantile, show_json, show_table
from served import running_service
from stream_client import Stream, open_stream

ALONE_S = 4.0
LONGEST_S = 180.0
ENDLESS = {"max_tokens": 100_000, "min_tokens": 100_000}
LINE = "The sea, the sea, the open sea, the blue, the fresh, the ever free. "


class Crowd:
    """Streams that are read at once, and what came of each in the window that is looked at."""

    def __init__(self, port: int, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.streams = [open_stream(port, {**ENDLESS, "seed": seed}) for seed in range(count)]
        for stream in self.streams:
            self._selector.register(stream.socket, selectors.EVENT_READ, stream)

    def read(self, seconds: float, prompt: Stream | None = None) -> dict[str, float]:
        """Read for so long, or until the first character after `prompt` has come."""
        started = time.perf_counter()
        before = sum(stream.characters for stream in self.streams)
        if prompt is not None:
            self._selector.register(prompt.socket, selectors.EVENT_READ, prompt)
        while time.perf_counter() < started + seconds and not (prompt and prompt.pieces):
            for key, _ in self._selector.select(0.05):
                stream: Stream = key.data
                stream.take(stream.socket.recv(65_536), time.perf_counter())
        took = time.perf_counter() - started
        if prompt is not None:
            self._selector.unregister(prompt.socket)
            prompt.socket.close()
        written = sum(stream.characters for stream in self.streams) - before
        return {"seconds": took, "speed": written / took, **self._gaps(started)}

    def _gaps(self, since: float) -> dict[str, float]:
        gaps = sorted(
            gap
            for stream in self.streams
            for at, gap in zip(stream.pieces[1:], stream.gaps_s, strict=True)
            if stream.sent_at + at >= since
        )
        return {"median": quantile(gaps, 0.5), "p99": quantile(gaps, 0.99), "max": gaps[-1]}

    def close(self) -> None:
        """Leave all streams."""
        for stream in self.streams:
            stream.socket.close()
        self._selector.close()


def measure(count: int, lengths: list[int]) -> list[dict[str, Any]]:
    """Measure so many streams alone, and beside prompts of these lengths; a line each."""
    nothing = Path(tempfile.gettempdir()) / "no-checkpoints-here"
    with running_service(checkpoints=nothing, max_streams=count + 1) as served:
        crowd = Crowd(served.port, count)
        crowd.read(ALONE_S)  # warms up
        lines: list[dict[str, Any]] = [{"prompt": 0, **crowd.read(ALONE_S)}]
        for length in lengths:
            text = (f"{length} " + LINE * (length // len(LINE) + 1))[:length]
            prompt = open_stream(served.port, {"prompt": text, "max_tokens": 1, "min_tokens": 1})
            lines.append({"prompt": length, **crowd.read(LONGEST_S, prompt)})
        crowd.close()
    return [{"streams": count, **line} for line in lines]


def show(lines: list[dict[str, Any]]) -> None:
    """Print what streams saw as a table, a row for each prompt."""
    rows = [
        [
            str(line["streams"]),
            f"{line['prompt']:,}" if line["prompt"] else "none",
            f"{line['seconds']:.1f} s" if line["prompt"] else "",
            *(f"{line[name] * 1000:,.0f} ms" for name in ("median", "p99", "max")),
            f"{line['speed']:,.0f}",
        ]
        for line in lines
    ]
    header = ["streams", "prompt", "read in", "median gap", "p99", "largest", "characters/s"]
    show_table(header, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", nargs="+", type=int, default=[8, 32])
    parser.add_argument("--prompts", nargs="+", type=int, default=[3_000, 20_000])
    args = parser.parse_args()
    lines = [line for count in args.streams for line in measure(count, args.prompts)]
    show(lines)
    show_json(lines)


if __name__ == "__main__":
    main()
