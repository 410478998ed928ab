"""State of a torture test: a window of the page, and models of all sheets that must be kept."""

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sheet import CONNECTED
from torture_model import MACHINE, MINE, SheetModel, Shown, units
from torture_page import Hand, LostError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ENDLESS = 100_000


class Service(Protocol):
    """What the actions do to the service."""

    url: str

    def kill(self) -> None:
        """End the process that writes, which comes again by itself."""

    def restart(self) -> None:
        """End all of it and start it again at the same address."""


def mine(text: str) -> Shown:
    return Shown(units(text), MINE * len(units(text)))


class Torture:
    """One window and, now and then, a second tab; `sheets` are all that must be kept."""

    def __init__(self, context: "BrowserContext", service: Service) -> None:
        self.context = context
        self.service = service
        self.rng = random.Random(0)
        self.hand = Hand(context.new_page())
        self.now = SheetModel()
        self.sheets = [self.now]
        self.num_words = 0
        self.hand.page.goto(service.url + "/")
        self.ready()

    def ready(self) -> None:
        self.hand.page.wait_for_selector(CONNECTED, state="attached")

    def adopt_shown(self) -> None:
        """This tab shows one of the sheets that it chose itself."""
        name = self.hand.sheet
        found = [sheet for sheet in self.sheets if sheet.id == name]
        if not found:
            found = [SheetModel()]
            self.sheets.append(found[0])
        self.now = found[0]

    def settle(self) -> bool:
        """Wait until the sheet is stored; False where there is nothing to store."""
        if not self.now.cells and self.now.id is None:
            return False
        deadline = time.monotonic() + 8
        while self.now.id is None:
            name = self.hand.sheet
            others = {sheet.id for sheet in self.sheets if sheet is not self.now}
            if name and name not in others and name in self.hand.stored():
                self.now.id = name
            elif time.monotonic() > deadline:
                raise LostError(f"{self.now.shown} is not stored")
        self.hand.expect_stored(self.now.id, self.now.shown)
        return True

    def drop_unstored(self, *, also_now: bool = False) -> None:
        """A sheet on which nobody wrote is gone when it is left."""
        self.sheets = [
            sheet
            for sheet in self.sheets
            if sheet.id or sheet.cells or (sheet is self.now and not also_now)
        ]

    def start_writing(self, length: int) -> int:
        """Ask for a continuation at some place; gives the place."""
        text = self.now.shown.text
        at = len(text) if self.rng.random() < 0.5 else self.some_range(most=0)[0]
        self.hand.set("max_tokens", length)
        self.hand.set("min_tokens", 1000 if length == ENDLESS else 0)
        self.hand.select(at)
        self.hand.click("continue")
        return at

    def take(
        self,
        start: int,
        end: int,
        *,
        step: int | None = None,
        inner: list[tuple[int, str, int]] | None = None,
        shown: Shown | None = None,
    ) -> None:
        """Read what the machine wrote in place of a range; the model holds it from now on."""
        now, shown = self.now, shown or self.hand.read()[0]
        known = now.shown
        before, after = known.part(0, start), known.part(end, len(known.text))
        size = len(shown.text) - len(after.text)
        if size < start or not (
            shown.part(0, start).agrees(before) and shown.part(size, len(shown.text)).agrees(after)
        ):
            raise LostError(
                f"around {start} to {end} should stay {before} … {after}; there is {shown}"
            )
        middle = shown.part(start, size)
        if step is None and middle.agrees(known.part(start, end)):
            return
        step = now.begin(is_typing=False) if step is None else step
        if middle.text or start < end:
            now.put(start, end, _runs(middle, step, sorted(inner or [])), step)
        else:
            now.drop(step)

    def back(self, step: Callable[[Shown], bool], what: str) -> None:
        shown, _ = self.hand.read()
        before = self.now.shown
        if not step(shown):
            raise LostError(f"{what} led from {before} to {shown}")

    def some_range(self, *, most: int, token: str = "") -> tuple[int, int]:
        """A range to replace; empty where a letter would replace its like: whose is that then?"""
        text = self.now.shown.text
        start = self.cut(text, self.rng.randrange(len(text) + 1))
        end = self.cut(text, min(len(text), start + self.rng.randrange(most + 1)))
        gone, come = text[start:end], units(token)
        is_same = gone and come and (gone[0] == come[0] or gone[-1] == come[-1])
        return start, start if is_same else end

    def cut(self, text: str, at: int) -> int:
        """A place near `at` where no character of the words is cut in two."""
        while 0 < at < len(text) and "\udc00" <= text[at] <= "\udfff":
            at -= 1
        return at

    def word(self) -> str:
        self.num_words += 1
        return f"{self.num_words}{self.rng.choice('abcdefgh')}"


def _runs(middle: Shown, step: int, inner: list[tuple[int, str, int]]) -> list[tuple[Shown, int]]:
    """The machine's text in pieces, with what was typed in it between them."""
    runs = []
    at = 0
    for offset, token, typed in inner:
        part = middle.part(offset, offset + len(token))
        if part.text != token:
            raise LostError(f"{token} should be at {offset} of {middle}")
        runs += [(middle.part(at, offset), step), (part, typed)]
        at = offset + len(token)
    runs.append((middle.part(at, len(middle.text)), step))
    for shown, born in runs:
        wrong = MINE if born == step else MACHINE
        if wrong in shown.owners:
            raise LostError(f"{shown} has the wrong writer in {middle}")
    return runs
