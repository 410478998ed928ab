"""Composition: work of a generator that asks for network steps and gives lines as they come.

A poem, or whatever else needs steps of its own choosing. Made on the thread of whoever asks for
it; then the engine's thread alone goes on with it, and readers only read. Knows nothing of tensors,
queues and HTTP.
"""

from collections.abc import Generator
from typing import Any, Generic, TypeVar

from verse.composer.network_steps import NetworkRead, NetworkStep
from verse.poem import ComposedLine, CompositionError

Asked = NetworkStep | NetworkRead
T = TypeVar("T")


class Composition(Generic[T]):
    """Composition under way: what it asks for next, its lines so far, and in the end its result."""

    def __init__(
        self, work: Generator[Asked | ComposedLine, Any, T], seed: int | None = None
    ) -> None:
        """`work` is sent the answer to what it asks for; a poem's draws follow from its `seed`."""
        self.seed = seed
        self.asked: Asked | None = None
        self.lines: list[ComposedLine] = []
        self.result: T | None = None
        self.error: CompositionError | None = None  # its form cannot be kept
        self.is_done = False
        self.is_finite = True  # the numbers that it was answered with
        self._work = work

    @property
    def num_characters(self) -> int:
        """Length of its lines so far, line ends included."""
        return sum(len(line.text) + 1 for line in self.lines)

    def advance(self, answer: object) -> list[ComposedLine]:
        """Go on, with the answer to `asked`, to what is asked for next; the lines that came."""
        already = len(self.lines)
        try:
            found = self._work.send(answer)
            while isinstance(found, ComposedLine):
                self.lines.append(found)
                found = next(self._work)
            self.asked = found
        except StopIteration as finished:
            self.result, self.is_done = finished.value, True
        except CompositionError as error:
            self.error, self.is_done = error, True
        return self.lines[already:]

    def close(self) -> None:
        """Let go of all that the work holds; nothing happens if it has ended."""
        self._work.close()
        self.asked = None
