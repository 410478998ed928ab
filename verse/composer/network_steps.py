"""Network steps that a composer asks for: rows of ids and states, answered with logits.

A composer is a generator: it yields steps and is sent their logits, and so runs wherever someone
steps the network for it, alone or as rows beside other requests. Rows do not depend on each other,
so who else is stepped shows in no number. Knows nothing of lines and words.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

T = TypeVar("T")
State = list[Tensor]
Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NetworkStep:
    """One more id (R,) int64 a row after the states of R rows, which move on in place."""

    ids: Tensor
    state: State


@dataclass(frozen=True, slots=True)
class Cursor:
    """Place in a text: the state of one row before its last id, and that id."""

    state: State
    last: int


@dataclass(frozen=True, slots=True)
class NetworkRead:
    """Text to be read after a place: ids, of which the last is left to the next step."""

    cursor: Cursor
    ids: tuple[int, ...]


Request = NetworkStep | NetworkRead
Steps = Generator[Request, Any, T]  # sent logits for a step, a Cursor for what was read


def rows_of(state: State, rows: "Sequence[int] | NDArray[np.int64]") -> State:
    """Copy of these rows of a state."""
    places = torch.as_tensor(np.asarray(rows, np.int64), device=state[0].device)
    return [part.index_select(0, places) for part in state]


def joined(states: Sequence[State]) -> State:
    """Rows of several states as one."""
    return [torch.cat(parts) for parts in zip(*states, strict=True)]


def step(ids: "Sequence[int] | NDArray[np.int64]", state: State) -> Steps[Logits]:
    """Step the rows of `state` by one id each; their logits."""
    tensor = torch.as_tensor(np.asarray(ids, np.int64), device=state[0].device)
    logits: Logits = yield NetworkStep(tensor, state)
    return logits


def read(cursor: Cursor, ids: Sequence[int]) -> Steps[Cursor]:
    """Read `ids` after the cursor; where it then stands."""
    if not ids:
        return cursor
    after: Cursor = yield NetworkRead(cursor, tuple(ids))
    return after
