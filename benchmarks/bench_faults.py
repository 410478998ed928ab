"""Fault benchmark: clients that leave, dawdle or crowd, and the service stopped under load.

    python benchmarks/bench_faults.py [--parts storm crowd stop kill soak] [--soak-minutes 10]

Against the real service with the model that ships, on loopback; the clients are one thread of this
process and share the cores with it. Prints tables, then everything as one line of JSON.
"""

import argparse
import asyncio
import os
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from fault_clients import (
    EVENTS,
    HALF_BODY,
    HALF_HEAD,
    JSON,
    TEXT,
    Prober,
    abandon,
    ask,
    healthz,
    hold,
    leave_rudely,
    sip,
)
from measured import quantile, show_json, show_table
from served import Served, resident_bytes, running_service

PARTS = ("storm", "crowd", "stop", "kill", "soak")
MANY_FILES = 8192
ENDLESS = {"max_tokens": 100_000, "min_tokens": 100_000}
STORM, STORM_S = 200, 0.5
STREAMS, STREAM_TOKENS = 256, 2_000
SLOW_READERS, HOLDERS, RUDE = 50, 300, 10
DRAIN_S = 8
SHORT = 500
QUEUED, LATE = 8, 8
KILLED_STREAMS = 32
SOAKING = 16


def exactly(tokens: int, **fields: Any) -> dict[str, Any]:
    """Request fields for a text of exactly so many tokens."""
    return {"max_tokens": tokens, "min_tokens": tokens, **fields}


def service(**settings: Any) -> AbstractContextManager[Served]:
    """Run the service with no model but the one that ships."""
    nothing = Path(tempfile.gettempdir()) / "no-checkpoints-here"
    return running_service(checkpoints=nothing, **settings)


def busy(served: Served) -> tuple[float, float]:
    """Count slots in use and requests in the queue."""
    return served.metric("slots_used"), served.metric("requests_waiting")


async def until(is_so: Callable[[], bool], timeout_s: float = 60) -> float:
    """Wait until `is_so()`; returns the seconds that it took. Raises TimeoutError."""
    started = time.perf_counter()
    while not await asyncio.to_thread(is_so):
        if time.perf_counter() - started > timeout_s:
            raise TimeoutError
        await asyncio.sleep(0.01)
    return time.perf_counter() - started


async def storm() -> dict[str, Any]:
    """Cancellation storm: streams, JSON requests and queued ones, a third each; all leave."""
    third = STORM // 3
    running_accepts = [EVENTS] * third + [JSON] * third
    waiting_accepts = [(TEXT, EVENTS, JSON)[index % 3] for index in range(STORM - 2 * third)]
    with service(max_streams=2 * third, max_queue=len(waiting_accepts)) as served:
        await ask(served.port, exactly(100))
        leave = asyncio.Event()
        crowd = [
            asyncio.create_task(abandon(served.port, exactly(10_000), accept, leave))
            for accept in (*running_accepts, *waiting_accepts)
        ]
        await until(lambda: busy(served) == (2 * third, len(waiting_accepts)))
        await asyncio.sleep(STORM_S)
        before = busy(served)
        leave.set()
        seconds = await until(lambda: busy(served) == (0, 0))
        await asyncio.gather(*crowd)
        started = time.perf_counter()
        quick = await ask(served.port, exactly(100))
        latency = time.perf_counter() - started
    return {"before": before, "seconds": seconds, "quick": quick, "latency": latency}


def latencies(prober: Prober) -> dict[str, Any]:
    """Summarize the latencies that a prober saw, in seconds."""
    seconds = sorted(prober.seconds)
    return {
        "probes": len(seconds),
        "failed": prober.failed,
        "p50": quantile(seconds, 0.5),
        "p99": quantile(seconds, 0.99),
        "max": seconds[-1] if seconds else 0.0,
    }


async def probed(served: Served, work: Coroutine[Any, Any, Any]) -> dict[str, Any]:
    """Do the work and probe /healthz on both ports meanwhile; returns the result and latencies."""
    with Prober(served.port) as main, Prober(served.probe_port) as ops:
        result = await work
    return {"saw": result, "main": latencies(main), "ops": latencies(ops)}


async def stream_all(port: int) -> dict[str, int]:
    """Read STREAMS streams at once, plain text and events in turn; counts what they saw."""
    accepts = (TEXT, EVENTS)
    asked = [
        ask(port, exactly(STREAM_TOKENS, seed=seed), accepts[seed % 2]) for seed in range(STREAMS)
    ]
    return dict(Counter(await asyncio.gather(*asked)))


async def crowd() -> dict[str, Any]:
    """Crowd: 256 streams alone, then amid clients of every bad kind."""
    found: dict[str, Any] = {}
    with service(max_streams=STREAMS + SLOW_READERS + 2 * RUDE, max_queue=64) as served:
        port = served.port
        await ask(port, exactly(100))
        found["nobody"] = await probed(served, asyncio.sleep(5, {}))
        found["256 streams"] = await probed(served, stream_all(port))
        bad = [hold(port, sent) for sent in (HALF_HEAD, HALF_BODY, b"") for _ in range(HOLDERS)]
        bad += [sip(port, {**ENDLESS, "logprobs": 20 * (n % 2)}) for n in range(SLOW_READERS)]
        bad += [leave_rudely(port, ENDLESS, reset=n % 2 == 0) for n in range(2 * RUDE)]
        tasks = [asyncio.create_task(each) for each in bad]
        await asyncio.sleep(3)
        found["those"] = await probed(served, asyncio.sleep(5, {}))
        found["those and 256 streams"] = await probed(served, stream_all(port))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        found["seconds until idle"] = await until(lambda: busy(served) == (0, 0))
    return found


async def stop(count: int) -> dict[str, Any]:
    """Stop: SIGTERM under so many streams, half of them short; others wait or come late."""
    with service(max_streams=64, max_queue=64, drain=DRAIN_S) as served:
        port = served.port
        await ask(port, exactly(100))
        lengths = [exactly(SHORT) if n % 2 else ENDLESS for n in range(count)]
        streams = [
            asyncio.create_task(ask(port, fields, EVENTS if n % 4 < 2 else TEXT))
            for n, fields in enumerate(lengths)
        ]
        await until(lambda: busy(served)[0] == count)
        accepts = (TEXT, EVENTS, JSON)
        queued = [
            asyncio.create_task(ask(port, ENDLESS, accepts[n % 3]))
            for n in range(QUEUED if count == 64 else 0)
        ]
        await until(lambda: busy(served)[1] == len(queued))
        served.process.send_signal(signal.SIGTERM)
        started = time.perf_counter()
        await asyncio.sleep(0.3)
        late = [asyncio.create_task(ask(port, ENDLESS)) for _ in range(LATE if count else 0)]
        code = await asyncio.to_thread(served.process.wait, 60)
        seconds = time.perf_counter() - started
        saw = {
            name: dict(Counter(await asyncio.gather(*tasks)))
            for name, tasks in (("streams", streams), ("queued", queued), ("late", late))
        }
    return {"streams": count, "code": code, "seconds": seconds, "saw": saw}


async def kill() -> dict[str, Any]:
    """Kill: SIGKILL for the worker under 32 streams."""
    with service() as served:
        port = served.port
        await ask(port, exactly(100))
        accepts = (TEXT, EVENTS)
        streams = [
            asyncio.create_task(ask(port, ENDLESS, accepts[n % 2])) for n in range(KILLED_STREAMS)
        ]
        await until(lambda: busy(served)[0] == KILLED_STREAMS)
        (worker,) = served.workers()
        os.kill(worker, signal.SIGKILL)
        started = time.perf_counter()
        saw = dict(Counter(await asyncio.gather(*streams)))
        seen_after = time.perf_counter() - started
        await until(lambda: healthz(served.probe_port, "/readyz") == 200)
        ops = time.perf_counter() - started
        text = await ask(port, exactly(20))
        served_after = time.perf_counter() - started
    return {"saw": saw, "seen": seen_after, "ops": ops, "text": text, "serves": served_after}


async def soak(minutes: float) -> dict[str, Any]:
    """Soak: sixteen clients of mixed kinds; what the worker holds, minute by minute."""
    with service() as served:
        (worker,) = served.workers()
        saw: Counter[str] = Counter()
        ends = time.monotonic() + minutes * 60
        samples = [held(worker, served, 0)]
        clients = [
            asyncio.create_task(keep_asking(served.port, n, ends, saw)) for n in range(SOAKING)
        ]
        for minute in range(1, int(minutes) + 1):
            await asyncio.sleep(60)
            samples.append(held(worker, served, minute))
        await asyncio.gather(*clients)
        await until(lambda: busy(served) == (0, 0))
        await asyncio.sleep(3)
        samples.append(held(worker, served, minutes))
        same = served.workers() == [worker]
    return {"samples": samples, "saw": dict(saw), "same_worker": same}


async def keep_asking(port: int, number: int, ends: float, saw: Counter[str]) -> None:
    """Soaking client: streams, objects, requests that it gives up, and wrong ones, in turn."""
    turn = number
    while time.monotonic() < ends:
        turn += 1
        kind = turn % 5
        fields = exactly(200 + 97 * (turn % 23), seed=turn, prompt="The sea " * (turn % 40))
        if kind == 3:
            with suppress(TimeoutError):
                await asyncio.wait_for(ask(port, ENDLESS, (TEXT, JSON)[turn % 2]), 0.7)
            saw["given up"] += 1
        elif kind == 4:
            saw[await ask(port, {"temperature": -1}, JSON)] += 1
        else:
            saw[await ask(port, fields, (TEXT, EVENTS, JSON)[kind])] += 1


def held(worker: int, served: Served, minute: float) -> dict[str, Any]:
    """Measure what the worker holds: memory, threads and descriptors."""
    process = Path(f"/proc/{worker}")
    return {
        "minute": minute,
        "memory": resident_bytes(worker),
        "threads": len(list((process / "task").iterdir())),
        "files": len(list((process / "fd").iterdir())),
        "requests": served.metric("requests_total", outcome="length"),
    }


def told(saw: dict[str, int]) -> str:
    """Format counts of what clients saw."""
    return ", ".join(f"{count} {what}" for what, count in sorted(saw.items())) or "-"


def show(found: dict[str, Any]) -> None:
    """Print every part that was measured as a table."""
    for part, shown in (
        ("storm", show_storm),
        ("crowd", show_crowd),
        ("stop", show_stop),
        ("kill", show_kill),
        ("soak", show_soak),
    ):
        if part in found:
            shown(found[part])


def show_storm(found: dict[str, Any]) -> None:
    """Print the cancellation storm as a table."""
    header = ["slots and queue before", "all free after", "then 100 characters", "took"]
    before = " and ".join(f"{count:.0f}" for count in found["before"])
    row = [before, f"{found['seconds']:.2f} s", found["quick"], f"{found['latency']:.2f} s"]
    show_table(header, [row])


def show_crowd(found: dict[str, Any]) -> None:
    """Print the latencies of /healthz in the crowd as a table, in milliseconds."""
    rows = []
    for name, phase in found.items():
        if isinstance(phase, dict):
            sides = [phase["main"], phase["ops"]]
            figures = [
                " / ".join(f"{side[key] * 1000:,.0f}" for key in ("p50", "p99", "max")) + " ms"
                for side in sides
            ]
            failed = sum(side["failed"] for side in sides)
            rows.append([name, *figures, str(failed), told(phase["saw"])])
    show_table(["with", "main port, p50 / p99 / max", "ops port", "failed", "streams"], rows)


def show_stop(found: list[dict[str, Any]]) -> None:
    """Print what SIGTERM did as a table, a row for each number of streams."""
    rows = [
        [str(each["streams"]), str(each["code"]), f"{each['seconds']:.1f} s"]
        + [told(each["saw"][name]) for name in ("streams", "queued", "late")]
        for each in found
    ]
    show_table(["streams", "exit code", "after", "streams saw", "queued saw", "late saw"], rows)


def show_kill(found: dict[str, Any]) -> None:
    """Print what followed the death of the worker as a table."""
    row = [told(found["saw"]), f"{found['seen']:.2f} s", f"{found['ops']:.2f} s"]
    row += [f"{found['serves']:.2f} s, {found['text']}"]
    show_table(["32 streams saw", "after", "/readyz is 200 after", "a text is there after"], [row])


def show_soak(found: dict[str, Any]) -> None:
    """Print what the worker held as a table, a row a minute."""
    rows = [
        [f"{each['minute']:g}", f"{each['memory'] / 2**20:,.0f} MB"]
        + [f"{each[name]:,.0f}" for name in ("threads", "files", "requests")]
        for each in found["samples"]
    ]
    show_table(["minute", "memory", "threads", "descriptors", "texts written"], rows)
    print(told(found["saw"]), "; the same worker:", found["same_worker"])


async def measure(parts: list[str], soak_minutes: float) -> dict[str, Any]:
    """Measure the named parts, one after another."""
    found: dict[str, Any] = {}
    if "storm" in parts:
        found["storm"] = await storm()
    if "crowd" in parts:
        found["crowd"] = await crowd()
    if "stop" in parts:
        found["stop"] = [await stop(count) for count in (0, 1, 64)]
    if "kill" in parts:
        found["kill"] = await kill()
    if "soak" in parts:
        found["soak"] = await soak(soak_minutes)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--soak-minutes", type=float, default=10.0)
    args = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(MANY_FILES, hard)), hard))
    found = asyncio.run(measure(args.parts, args.soak_minutes))
    show(found)
    show_json(found)


if __name__ == "__main__":
    main()
