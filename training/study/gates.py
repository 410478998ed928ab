"""How far the gates of an lstm are open, character by character.

The gates are computed from the network's states and weights by the equations of
`model.network`, and must give back the network's own next state.
Knows nothing of plots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network import Network
from model.tokenizer import Tokenizer

GATES = ("forget", "input", "output")
KINDS = (
    "begin of a document",
    "line end",
    "space",
    "punctuation",
    "first letter of a word",
    "other letters",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gates:
    """What one layer does at each step: T steps, H units. Gates lie in (0, 1)."""

    input: Tensor  # (T, H), as all of them
    forget: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor  # c after the step
    hidden: Tensor  # h after the step

    def openings(self) -> dict[str, Tensor]:
        """The mean over the units, (T,), of the three gates."""
        return {name: getattr(self, name).mean(dim=1) for name in GATES}

    def give_back_states(self) -> bool:
        """Whether the network's own states follow from these gates.

        They do not where its layers compute more than the plain equations of an lstm.
        """
        previous = torch.cat([torch.zeros_like(self.cell[:1]), self.cell[:-1]])
        cell = self.forget * previous + self.input * self.candidate
        hidden = self.output * self.cell.tanh()
        pairs = ((cell, self.cell), (hidden, self.hidden))
        return all(torch.allclose(ours, theirs, atol=1e-4) for ours, theirs in pairs)


@torch.inference_mode()
def gates_over(network: Network, ids: Sequence[int], layer: int) -> Gates:
    """The gates of layer number `layer`, counted from 0, while `ids` are read from the zero state.

    The network must be of lstm cells.
    """
    steps = []
    state = network.zero_state(1)
    for token in torch.tensor(ids, device=network.device).unsqueeze(1):
        before = state
        _, state = network.read_one(token, before)
        below = state.hidden[layer - 1] if layer > 0 else network.embedding(token)
        gates = _gates(network, layer, below, before.hidden[layer])
        assert state.cell is not None  # noqa: S101 - an lstm has one
        steps.append([part.squeeze(0) for part in (*gates, state.cell[layer], state.hidden[layer])])
    names = ("input", "forget", "candidate", "output", "cell", "hidden")
    parts = (torch.stack(part).cpu() for part in zip(*steps, strict=True))
    return Gates(**dict(zip(names, parts, strict=True)))


def _gates(network: Network, layer: int, below: Tensor, hidden: Tensor) -> list[Tensor]:
    """i, f, g and o of one step; torch keeps their weights in this order, one under another."""
    rnn = cast("nn.LSTM", network.layers[layer])
    into, recurrent, into_bias, recurrent_bias = rnn.all_weights[0]
    sums = functional.linear(below, into, into_bias)
    sums = sums + functional.linear(hidden, recurrent, recurrent_bias)
    i, f, g, o = sums.chunk(4, dim=-1)
    return [i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()]


def openings_by_kind(gates: Gates, pieces: Sequence[str]) -> dict[str, dict[str, float]]:
    """The mean opening of each gate while characters of one kind are read; kinds without any
    are left out. `pieces` are what was read, `<s>` included.
    """
    kinds = [kind_of(before, piece) for before, piece in zip(["", *pieces], pieces, strict=False)]
    openings = gates.openings()
    table = {}
    for kind in KINDS:
        there = torch.tensor([other == kind for other in kinds])
        if bool(there.any()):
            table[kind] = {gate: float(openings[gate][there].mean()) for gate in GATES}
    return table


def kind_of(before: str, piece: str) -> str:
    """What kind of character `piece` is, which comes after `before`."""
    if piece == "<s>":
        return "begin of a document"
    if piece == "\n":
        return "line end"
    if piece.isspace():
        return "space"
    if not piece.isalnum():
        return "punctuation"
    return "other letters" if before.isalnum() else "first letter of a word"


def pieces_of(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """How each id is shown."""
    return [tokenizer.token_text(token) for token in ids]
