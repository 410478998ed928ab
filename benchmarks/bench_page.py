"""Page benchmark: what a first visit loads, and when the sheet takes its first key.

    python benchmarks/bench_page.py [--url http://127.0.0.1:8000/] [--turns 5]

In Chromium, which needs playwright and `chromium` on the path, with a line of 1.6 Mbit/s down,
0.75 Mbit/s up and 300 ms, and with none set; the cache is empty. Without `--url` a service of its
own is started. A key is pressed again and again from the beginning: "first key" is the time from
the request until one is seen, "ready" the time until the page's scripts have taken it, with how
many requests had been answered by then, and "writes" the time until its buttons work. A second
visit finds in the cache what the first one left. Prints a table, then one line of JSON.
"""

import argparse
import contextlib
import shutil
import statistics
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from measured import show_json, show_table
from playwright.sync_api import sync_playwright
from served import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SLOW = {"latency": 300.0, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
UNLIMITED = {"latency": 0.0, "downloadThroughput": -1.0, "uploadThroughput": -1.0}
LINES = {"1.6 Mbit/s, 300 ms": SLOW, "loopback": UNLIMITED}
REACHED = {
    "first_key_s": """() => {
        const area = document.getElementById('text');
        const isInk = document.querySelector('#ink span') !== null;
        return area.value !== '' && (isInk || !getComputedStyle(area).color.endsWith(', 0)'));
    }""",
    "ready_s": "document.querySelector('#ink span') !== null",
    "writes_s": "document.getElementById('undo').getAttribute('aria-disabled') === 'false'",
}
SETTLED_S = 3.0  # so long nothing more is asked for


def measure(browser: "Browser", url: str, line: dict[str, float]) -> list[dict[str, float]]:
    """Visit the page twice, first with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    visits = []
    for _ in range(2):
        page = context.new_page()
        visits.append(visit(page, url, line))
        page.evaluate("localStorage.clear()")
        page.close()
    context.close()
    return visits


def visit(page: "Page", url: str, line: dict[str, float]) -> dict[str, float]:
    """Open the page and type until that is seen."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": False, **line})
    received: list[int] = []
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#text", state="attached")
    times: dict[str, float] = {}
    for name, is_reached in REACHED.items():
        while not page.evaluate(is_reached):
            page.press("#text", "a")
        times[name] = time.perf_counter() - started
        if name == "ready_s":
            times["requests_before"] = sum(size > 0 for size in received)
    wait_until_settled(page.wait_for_timeout, received)
    sizes = [size for size in received if size > 0]  # the others lay in the cache
    return {**times, "requests": len(sizes), "bytes": sum(sizes)}


def wait_until_settled(wait_ms: Any, received: list[int]) -> None:
    """Wait until nothing has come for a while."""
    before = -1
    while before != len(received):
        before = len(received)
        wait_ms(SETTLED_S * 1000)


@contextlib.contextmanager
def page_at(url: str | None) -> Iterator[str]:
    """Address of the page, of a service that runs or of one that is started."""
    if url is not None:
        yield url
        return
    with running_service() as served:
        yield f"http://127.0.0.1:{served.port}/"


def row(name: str, visits: list[dict[str, float]]) -> list[str]:
    """Row of the table: medians, and the range of the times."""
    usual = {field: statistics.median(visit[field] for visit in visits) for field in visits[0]}

    def told(field: str) -> str:
        times = [visit[field] for visit in visits]
        return f"{usual[field]:.2f} ({min(times):.2f} to {max(times):.2f})"

    counts = [f"{usual[field]:,.0f}" for field in ("requests_before", "requests", "bytes")]
    return [name, *counts, *(told(field) for field in REACHED)]


def main() -> None:
    """Visit the page over each line so many times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="the page of a service that runs")
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    visits = {}
    with page_at(args.url) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, line in LINES.items():
            pairs = [measure(browser, url, line) for _ in range(args.turns)]
            visits[f"{name}, first visit"] = [first for first, _ in pairs]
            visits[f"{name}, second visit"] = [second for _, second in pairs]
        browser.close()
    header = ["line", "before ready", "requests", "bytes", "first key, s", "ready, s", "writes, s"]
    show_table(header, [row(name, of_line) for name, of_line in visits.items()])
    show_json(visits)


if __name__ == "__main__":
    main()
