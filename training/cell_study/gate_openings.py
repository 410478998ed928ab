"""Gate openings of an lstm over a text, character by character and by kind of character.

Knows nothing of plots; the gates' equations are in model.network.
"""

from collections.abc import Sequence

import torch

from model.gate_activations import GATES, GateActivations, layer_activations
from model.network import Network
from model.tokenizer import Tokenizer

KINDS = (
    "begin of a document",
    "line end",
    "space",
    "punctuation",
    "first letter of a word",
    "other letters",
)


def gates_over(network: Network, ids: Sequence[int], layer: int) -> GateActivations:
    """Compute the gates of layer `layer`, from 0, while `ids` are read from the zero state.

    The network must be of lstm cells.
    """
    steps, _ = layer_activations(network, ids, layer, network.zero_state(1))
    assert steps.gates is not None  # noqa: S101 - an lstm has them
    return steps.gates


def openings_by_kind(gates: GateActivations, pieces: Sequence[str]) -> dict[str, dict[str, float]]:
    """Average each gate's opening over the characters of a kind; kinds without any are left out.

    `pieces` are what was read, `<s>` included.
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
    """Classify the character `piece`, which comes after `before`: letter, space, line end ..."""
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
    """Look up the text that each id is shown as."""
    return [tokenizer.token_text(token) for token in ids]
