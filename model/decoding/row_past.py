"""Past of a row: what it takes to go back to an earlier token of its text, and no more of it.

Now and then a copy of the row is kept, with the tokens that were drawn after it; going back takes
the last copy before the place and reads the tokens in between again. Both give the same bits, as
a row's numbers do not depend on its neighbours.

Knows nothing of what a copy is, and of why anyone goes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

SPACING = 16  # tokens that may be read again rather than copy the row once more

C = TypeVar("C")


@dataclass(slots=True)
class Moment(Generic[C]):
    """Copy of a row before the token at `position`, and the tokens that followed."""

    position: int
    copy: C
    ids: list[int]


class RowPast(Generic[C]):
    """Past of one row, as a few copies of it and the tokens after each."""

    def __init__(self) -> None:
        self._moments: list[Moment[C]] = []

    @property
    def position(self) -> int:
        """Count of tokens that were drawn so far."""
        if not self._moments:
            return 0
        return self._moments[-1].position + len(self._moments[-1].ids)

    @property
    def is_copy_due(self) -> bool:
        """Copy of the row due: True where one should be kept before it takes more steps."""
        return not self._moments or len(self._moments[-1].ids) >= SPACING

    def keep(self, copy: C, needed: int) -> None:
        """Keep a copy of the row as it is now; nobody goes back to before `needed` tokens."""
        self._moments.append(Moment(self.position, copy, []))
        while len(self._moments) > 1 and self._moments[1].position <= needed:
            del self._moments[0]

    def note(self, ids: Sequence[int]) -> None:
        """Note the tokens that were drawn."""
        self._moments[-1].ids += ids

    def back_to(self, position: int) -> tuple[C, list[int]]:
        """Go back to before the token at `position`: a copy of the row, and what it has to read."""
        while len(self._moments) > 1 and self._moments[-1].position > position:
            del self._moments[-1]
        last = self._moments[-1]
        del last.ids[position - last.position :]
        return last.copy, list(last.ids)
