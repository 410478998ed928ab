"""Hand of the torture test on one page: reads what a sheet shows, and does one thing at a time."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torture_model import ANYBODY, MACHINE, MINE, Shown, units, whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

READ = """async () => {
    const ink = document.getElementById('ink');
    for (let frames = 0; ; frames++) {
        const frame = new Promise(requestAnimationFrame);
        await Promise.race([frame, new Promise(tell => setTimeout(tell, 100))]);
        const spansOf = line => [...line.querySelectorAll('span')];
        const lines = [...ink.children].map(
            line => spansOf(line).map(span => [span.className, span.textContent]));
        const text = document.getElementById('text').value;
        const isFree = document.getElementById('continue').getAttribute('aria-disabled') !== 'true';
        const status = document.getElementById('status').textContent;
        const drawn = [...ink.children].map(line => line.textContent).join('\\n');
        if (!isFree || drawn === text || frames > 20) return { lines, text, isFree, status };
    }
}"""
CARET = """([start, end]) => {
    const area = document.getElementById('text');
    area.blur();
    area.focus();  // now it holds all that was written
    area.setSelectionRange(start, end);
}"""
CARET_FROM_END = """distance => {
    const area = document.getElementById('text');
    area.blur();
    area.focus();
    const place = area.value.length - distance;
    area.setSelectionRange(place, place);
}"""
CLICK = """what => {
    const found = [...document.querySelectorAll('button, a')].find(
        each => each.id === what || (each.closest('#notice') && each.textContent === what));
    found?.click();
    return Boolean(found);
}"""
STORED = """() => new Promise((resolve, reject) => {
    const request = indexedDB.open('strophe', 1);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
        const found = request.result.transaction('contents').objectStore('contents').getAll();
        found.onsuccess = () => {
            request.result.close();
            resolve(Object.fromEntries(found.result.map(({ id, spans }) => [id, spans])));
        };
    };
})"""
SET = """([id, value]) => {
    const field = document.getElementById(id);
    if (!field || field.value === value) return;
    field.value = value;
    for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }));
}"""


class LostError(AssertionError):
    """The page does not show or keep what it must."""


class Hand:
    def __init__(self, page: "Page") -> None:
        self.page = page
        self.faults: list[str] = []
        self.patience_s = 8.0  # how long what is known is waited for
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def read(self) -> tuple[Shown, dict[str, Any]]:
        """What the ink shows, and the page's state. While it writes the field may lie behind."""
        if self.faults:
            raise LostError(f"the page failed: {self.faults}")
        state = self.page.evaluate(READ)
        lines = [
            [(MINE if who.split()[0] == "mine" else MACHINE, units(text)) for who, text in line]
            for line in state["lines"]
        ]
        text = "\n".join("".join(run for _, run in line) for line in lines)
        owners = ANYBODY.join("".join(who * len(run) for who, run in line) for line in lines)
        if state["isFree"] and text != units(state["text"]):
            raise LostError(f"ink {whole(text)!r} is not the field's {state['text']!r}")
        return Shown(text, owners), state

    def wait(
        self, is_so: Callable[[Shown, dict[str, Any]], bool], what: str, s: float = 20
    ) -> Shown:
        """Wait for what the page shows. Raises LostError where it does not come."""
        deadline = time.monotonic() + s
        while True:
            shown, state = self.read()
            if is_so(shown, state):
                return shown
            if time.monotonic() > deadline:
                raise LostError(f"{what}; there is {shown}, {state['status']!r}")

    def expect(self, wanted: Shown, what: str) -> None:
        self.wait(
            lambda shown, _: shown.agrees(wanted),
            f"{what}: there should be {wanted}",
            self.patience_s,
        )

    def expect_over(self) -> Shown:
        return self.wait(lambda _, state: state["isFree"], "it does not come to an end", 60)

    def click(self, what: str) -> bool:
        """A button by its id, or one of the notice by its words; False where it is not there."""
        return bool(self.page.evaluate(CLICK, what))

    def select(self, start: int, end: int | None = None) -> None:
        self.page.evaluate(CARET, [start, start if end is None else end])

    def select_from_end(self, distance: int) -> None:
        self.page.evaluate(CARET_FROM_END, distance)

    def insert(self, text: str) -> None:
        self.page.keyboard.insert_text(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def set(self, name: str, value: object) -> None:
        self.page.evaluate(SET, [f"field-{name}", str(value)])

    def go(self, fragment: str) -> None:
        self.page.evaluate("fragment => { location.hash = fragment; }", fragment)

    @property
    def sheet(self) -> str | None:
        """Name of the sheet that this tab shows; null before it was ever stored."""
        found = self.page.evaluate("sessionStorage.getItem('strophe.shown')")
        return None if found is None else str(found)

    def stored(self) -> dict[str, Shown]:
        """All sheets by their names, as the browser has them."""
        kept = self.page.evaluate(STORED)
        return {name: of_spans(spans) for name, spans in kept.items()}

    def expect_stored(self, name: str, wanted: Shown) -> None:
        deadline = time.monotonic() + 8
        while True:
            kept = self.stored().get(name)
            if kept and kept.agrees(wanted):
                return
            if time.monotonic() > deadline:
                raise LostError(f"sheet {name} should be stored as {wanted}; there is {kept}")
            time.sleep(0.05)


def of_spans(spans: list[dict[str, Any]]) -> Shown:
    runs = [(units(span["text"]), MACHINE if span["by"] else MINE) for span in spans]
    text = "".join(run for run, _ in runs)
    owners = "".join(who * len(run) for run, who in runs)
    pairs = zip(text, owners, strict=True)
    return Shown(text, "".join(ANYBODY if unit == "\n" else who for unit, who in pairs))
