"""Torture of the page: random actions against a model of what every sheet must hold.

    python tests/page_torture.py --seeds 50 --actions 500

Nothing typed and nothing written is lost: after every action the sheet that is shown equals the
model; at the end all sheets do, in the browser's storage and after a reload, and undo leads back to
the beginning. What the machine writes is read from the page once it is written, and held to from
then on. A seed that fails is told with its actions, and tried with fewer of them.
"""

import argparse
import os
import random
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torture_sheets as sheets
import torture_writing as writing
from playwright.sync_api import Error as BrowserError
from torture_state import Service, Torture

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from service_fixtures import Server

# How often each is done.
ACTIONS: dict[Callable[[Torture], None], float] = {
    writing.type_words: 60,
    writing.paste: 10,
    writing.delete: 24,
    writing.undo: 24,
    writing.redo: 16,
    writing.write_on: 6,
    writing.write_and_type: 8,
    writing.undo_while_it_writes: 3,
    writing.rewrite: 4,
    writing.next_lines: 4,
    writing.another_way: 3,
    sheets.reload: 3,
    sheets.reload_while_it_writes: 2,
    sheets.kill_while_it_writes: 0.5,
    sheets.restart_service: 0.1,
    sheets.write_offline: 1,
    sheets.new_sheet: 2,
    sheets.switch: 4,
    sheets.follow_link: 1,
    sheets.open_file: 1,
    sheets.delete_and_recover: 1,
    sheets.second_tab: 1.5,
    sheets.two_tabs_at_once: 1,
}
MOST = 3000  # units on a sheet; then a new one is begun

Action = tuple[int, Callable[[Torture], None]]  # with its number, by which its chances are drawn


def actions_of(seed: int, count: int) -> list[Action]:
    chosen = random.Random(seed).choices(list(ACTIONS), list(ACTIONS.values()), k=count)
    return list(enumerate(chosen))


def run(browser: "Browser", service: Service, seed: int, actions: list[Action]) -> str | None:
    """Do all of it in a browser that knows nothing yet; what was lost, or None."""
    context = browser.new_context()
    context.set_default_timeout(20_000)
    done: list[str] = []
    try:
        torture = Torture(context, service)
        for number, act in actions:
            torture.rng = random.Random(f"{seed}:{number}")
            if len(torture.now.shown.text) > MOST:
                sheets.new_sheet(torture)
            done.append(f"{number} {act.__name__}")
            act(torture)
            torture.hand.expect(torture.now.shown, f"after {act.__name__}")
        done.append("the end")
        sheets.finish(torture)
    except (AssertionError, BrowserError):
        return f"seed {seed}, after {', '.join(done[-12:])}:\n{traceback.format_exc(limit=-4)}"
    finally:
        context.close()
    return None


def shrunk(browser: "Browser", service: Service, seed: int, actions: list[Action]) -> list[Action]:
    """As few of the actions as still fail, by leaving out ever smaller parts."""
    size = len(actions) // 2
    while size >= 1:
        start = 0
        while start < len(actions):
            fewer = actions[:start] + actions[start + size :]
            if fewer and run(browser, service, seed, fewer) is not None:
                actions = fewer
            else:
                start += size
        size //= 2
    return actions


class OwnService:
    """A service of the script's own, whose process is killed and started again."""

    def __init__(self, folder: Path) -> None:
        from service_fixtures import Server

        self._folder = folder
        self._ports = [_free_port(), _free_port()]
        self._num_starts = 0
        self._server: Server
        self._start()
        self.url = self._server.url

    def kill(self) -> None:
        kill_worker(self._server)

    def restart(self) -> None:
        kill_worker(self._server)
        os.kill(self._server.process.pid, signal.SIGKILL)
        self._server.process.wait(timeout=15)
        self._start()

    def end(self) -> None:
        self._server.end()

    def _start(self) -> None:
        from service_fixtures import Server

        self._num_starts += 1
        settings = {"STROPHE_THREADS": "1", "STROPHE_DEFAULT_MODEL": "verse"}
        port, ops_port = self._ports
        log = self._folder / f"log{self._num_starts}"
        self._server = Server(port, ops_port, settings, log, loads=True)
        self._server.wait_until_ready()


def kill_worker(server: "Server") -> None:
    """Kill the process that writes, and wait until the next one does."""
    os.kill(server.workers[0], signal.SIGKILL)
    time.sleep(0.2)
    server.wait_until_ready()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    from sheet import CHROMIUM, playwright

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--actions", type=int, default=500)
    parser.add_argument(
        "--shrink", action="store_true", help="try a seed that fails with fewer actions"
    )
    options = parser.parse_args()
    num_failed = 0
    with tempfile.TemporaryDirectory() as folder, playwright.sync_playwright() as driver:
        service = OwnService(Path(folder))
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for seed in range(options.first, options.first + options.seeds):
            actions = actions_of(seed, options.actions)
            begun = time.monotonic()
            fault = run(browser, service, seed, actions)
            tell(f"seed {seed}: {fault or 'nothing lost'} ({time.monotonic() - begun:.0f} s)")
            num_failed += fault is not None
            if fault and options.shrink:
                fewer = shrunk(browser, service, seed, actions)
                tell(f"  by {', '.join(f'{number} {act.__name__}' for number, act in fewer)}")
        browser.close()
        service.end()
    tell(f"{options.seeds} seeds of {options.actions} actions, {num_failed} failed")
    return 1 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main())
