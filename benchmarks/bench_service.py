"""Concurrent HTTP streams from the real service, beside a plain Flask app of the same weights.

    python benchmarks/bench_service.py [--shape 3x512] [--streams 1 16 64 256]

Both run under gunicorn (gthread, one worker, as many threads) on loopback, one after the other in
turn; the client is one thread of this process and shares the cores with them. The plain app runs
the `nn.LSTM` loop in each request. Beside them stands what the engine writes without HTTP, with
as many texts at once. Prints a table, then everything as one line of JSON.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from bench_engine import EngineSide
from measured import (
    make_checkpoint,
    quantile,
    ratio,
    save_checkpoint,
    show_json,
    show_table,
    spread,
)
from served import Served, free_port, running, running_service
from stream_client import Stream, open_stream, read_all

# Of all streams of the plain app, but at least 20 each: it writes a few hundred a second.
PLAIN_TOKENS = 512
TIMEOUT_S = 240


def our_service(folder: Path, streams: int, threads: int) -> Any:
    """Run the service with room for so many streams."""
    return running_service(
        checkpoints=folder.parent, default_model=folder.name, max_streams=streams, threads=threads
    )


def plain_app(folder: Path, streams: int, threads: int) -> Any:
    """Run the plain app with as many threads."""
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1"]
    options = ["--threads", str(streams + 80), "--bind", f"127.0.0.1:{port}", "--timeout", "300"]
    app = f"plain_app:make_app({str(folder)!r}, {threads})"
    return running([*gunicorn, *options, "--no-control-socket", app], port, port)


def load(served: Served, count: int, tokens: int) -> dict[str, Any]:
    """Read so many streams at once; returns what they saw."""
    idle = served.memory_bytes()
    fields = {"prompt": "The sea", "max_tokens": tokens, "min_tokens": tokens, "temperature": 0.8}
    started = time.perf_counter()
    streams = [open_stream(served.port, {**fields, "seed": seed}) for seed in range(count)]
    read_all(streams, TIMEOUT_S)
    seconds = time.perf_counter() - started
    return {**figures(streams, seconds, tokens), "memory": served.memory_bytes() - idle}


def figures(streams: list[Stream], seconds: float, tokens: int) -> dict[str, Any]:
    """Speed, times to first character and gaps. Times are in seconds."""
    begun = [stream for stream in streams if stream.pieces]
    firsts = sorted(stream.first_s for stream in begun)
    gaps = sorted(gap for stream in begun for gap in stream.gaps_s)
    speeds = sorted(stream.characters / stream.pieces[-1] for stream in begun)
    return {
        "speed": sum(stream.characters for stream in streams) / seconds,
        "complete": sum(stream.is_complete and stream.characters >= tokens for stream in streams),
        "first_p50": quantile(firsts, 0.5),
        "first_p99": quantile(firsts, 0.99),
        "gap_p50": quantile(gaps, 0.5),
        "gap_p99": quantile(gaps, 0.99),
        "slowest_to_median": statistics.median(speeds) / speeds[0] if speeds else 0.0,
    }


def compare(folder: Path, shape: tuple[int, int], count: int, args: Any) -> dict[str, Any]:
    """One line of the table: both servers in turn, the engine beside them."""
    ours: list[dict[str, Any]] = []
    plain: list[dict[str, Any]] = []
    engine: list[float] = []
    side = EngineSide(make_checkpoint(*shape), count)
    side.speed()  # warms up
    tokens = max(200, min(2000, 256_000 // count))
    with our_service(folder, count, args.threads) as service:
        load(service, count, 50)
        for _ in range(args.turns):
            ours.append(load(service, count, tokens))
            engine.append(side.speed())
            with plain_app(folder, count, args.threads) as app:
                load(app, count, 2)
                plain.append(load(app, count, max(20, PLAIN_TOKENS // count)))
    side.engine.stop()
    speeds = [each["speed"] for each in ours]
    middle = sorted(range(len(ours)), key=speeds.__getitem__)[len(ours) // 2]
    return {
        "streams": count,
        "tokens": tokens,
        "ours": ours[middle],
        "complete": [each["complete"] for each in ours],
        "memory_a_stream": max(each["memory"] for each in ours) / count,
        "plain": plain[middle],
        "engine": statistics.median(engine),
        "to_engine": ratio(speeds, engine),
        "to_plain": ratio(speeds, [each["speed"] for each in plain]),
    }


def show(lines: list[dict[str, Any]]) -> None:
    """Print the comparison as a table; milliseconds, first character and gap as p50 / p99."""
    header = ["streams", "whole", "characters/s", "first", "gap", "slowest", "memory a stream"]
    header += ["of the engine", "plain app", "its first", "its gap", "ratio"]
    rows = [
        [
            f"{line['streams']} x {line['tokens']:,}",
            " ".join(map(str, line["complete"])),
            f"{line['ours']['speed']:,.0f}",
            pair(line["ours"], "first"),
            pair(line["ours"], "gap"),
            f"{line['ours']['slowest_to_median']:.2f}",
            f"{line['memory_a_stream'] / 1024:,.0f} KB",
            spread(line["to_engine"], 2),
            f"{line['plain']['speed']:,.0f}, {line['plain']['complete']} whole",
            pair(line["plain"], "first"),
            pair(line["plain"], "gap"),
            spread(line["to_plain"]),
        ]
        for line in lines
    ]
    show_table(header, rows)


def pair(side: dict[str, Any], name: str) -> str:
    """p50 and p99 in milliseconds."""
    return f"{side[name + '_p50'] * 1000:,.0f} / {side[name + '_p99'] * 1000:,.0f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="3x512")
    parser.add_argument("--streams", nargs="+", type=int, default=[1, 16, 64, 256])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of torch, in both servers")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    layers, hidden = map(int, args.shape.split("x"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = save_checkpoint(layers, hidden, Path(temporary) / "measured")
        lines = [compare(folder, (layers, hidden), count, args) for count in args.streams]
    show(lines)
    show_json({"shape": args.shape, "service": lines})


if __name__ == "__main__":
    main()
