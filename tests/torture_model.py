"""Model of what the page's sheets must hold: cells of text that steps bring and take away.

A step is what undo takes back at once. Each character is a cell that knows the step that brought it
and the one that took it away, so what a sheet shows follows from the steps that stand. Positions
and lengths are UTF-16 units, as in the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

MINE = "m"
MACHINE = "M"
ANYBODY = "?"  # of a line's end: the page does not show who wrote it


def units(text: str) -> str:
    """The text with a character for each UTF-16 unit."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[at] | raw[at + 1] << 8) for at in range(0, len(raw), 2))


def whole(text: str) -> str:
    """The text whose units those are."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(frozen=True)
class Shown:
    """What a sheet shows: units, and for each who wrote it."""

    text: str
    owners: str

    def agrees(self, other: "Shown") -> bool:
        return self.text == other.text and all(
            one == two or ANYBODY in (one, two)
            for one, two in zip(self.owners, other.owners, strict=True)
        )

    def part(self, start: int, end: int) -> "Shown":
        return Shown(self.text[start:end], self.owners[start:end])

    def __str__(self) -> str:
        at = 0
        runs = []
        for owner, run in groupby(self.owners):
            length = len(list(run))
            runs.append(f"{owner}{whole(self.text[at : at + length])!r}")
            at += length
        return " ".join(runs) or "nothing"


@dataclass
class Cell:
    unit: str
    owner: str
    born: int
    died: int | None = None


@dataclass
class Step:
    number: int
    is_typing: bool


@dataclass
class SheetModel:
    """One sheet: its cells, and the steps that are done and undone."""

    id: str | None = None  # as it is stored
    is_whole: bool = True  # all that its undo leads back to is known
    cells: list[Cell] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    last: int = 0

    @property
    def shown(self) -> Shown:
        return self._shown(self._undone)

    def begin(self, *, is_typing: bool) -> int:
        """A new step, which nothing belongs to yet; gives its number."""
        self._forget_undone()
        self.last += 1
        self.done.append(Step(self.last, is_typing))
        return self.last

    def drop(self, number: int) -> None:
        """That step came to nothing."""
        self.done = [step for step in self.done if step.number != number]

    def put(self, start: int, end: int, added: list[tuple[Shown, int]], step: int) -> None:
        """The step takes a visible range; texts come in its place, each by its own step."""
        visible = self._visible(self._undone)
        for cell in visible[start:end]:
            cell.died = step
        before = visible[end] if end < len(visible) else None
        at = next((at for at, cell in enumerate(self.cells) if cell is before), len(self.cells))
        self.cells[at:at] = [
            Cell(unit, owner, born)
            for shown, born in added
            for unit, owner in zip(shown.text, shown.owners, strict=True)
        ]

    def replace(self, start: int, end: int, added: Shown, *, is_typing: bool) -> None:
        """One whole step: another text in place of a visible range."""
        if start == end and not added.text:
            return
        step = self.begin(is_typing=is_typing)
        self.put(start, end, [(added, step)], step)

    def undo(self, seen: Shown) -> bool:
        """Take a step back so that it is as seen. Typing at one place may have been one step."""
        for steps in last_steps(self.done):
            if self._shown(self._undone | numbers(steps)).agrees(seen):
                del self.done[-len(steps) :]
                self.undone.extend(reversed(steps))
                return True
        return False

    def redo(self, seen: Shown) -> bool:
        for steps in last_steps(self.undone):
            if self._shown(self._undone - numbers(steps)).agrees(seen):
                del self.undone[-len(steps) :]
                self.done.extend(reversed(steps))
                return True
        return False

    @property
    def _undone(self) -> frozenset[int]:
        return numbers(self.undone)

    def _forget_undone(self) -> None:
        """What was undone never comes back once something else is done."""
        gone = self._undone
        self.undone.clear()
        self.cells = [cell for cell in self.cells if cell.born not in gone]
        for cell in self.cells:
            if cell.died in gone:
                cell.died = None

    def _visible(self, off: frozenset[int]) -> list[Cell]:
        def stands(cell: Cell) -> bool:
            return cell.born not in off and (cell.died is None or cell.died in off)

        return [cell for cell in self.cells if stands(cell)]

    def _shown(self, off: frozenset[int]) -> Shown:
        """What is to be seen without these steps."""
        cells = self._visible(off)
        return Shown("".join(cell.unit for cell in cells), "".join(cell.owner for cell in cells))


def numbers(steps: list[Step]) -> frozenset[int]:
    return frozenset(step.number for step in steps)


def last_steps(steps: list[Step]) -> Iterator[list[Step]]:
    """The last step, and the last ones as long as all of them are typing."""
    if steps:
        yield steps[-1:]
    for count in (2, 3):
        if len(steps) >= count and all(step.is_typing for step in steps[-count:]):
            yield steps[-count:]
