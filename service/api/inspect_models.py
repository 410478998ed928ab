"""Response models of `/v1/inspect`, and how they are made of what was inspected.

Most numbers are for pictures and are rounded, so that a response is bounded by its text's length.
"""

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, RootModel
from typing_extensions import TypedDict

from model.decoding.generation import TokenLogprob
from model.gate_activations import SUMS
from model.layer_inspection import LayerSteps, Numbers, UnitSteps
from service.api.response_models import FINGERPRINT, Count, TextFacts, closed
from service.error_answers import ErrorAnswer

SURPRISAL_DECIMALS = 6
OPENING_DECIMALS = 5
PROBABILITY_DIGITS = 6  # that count, however small it is


@closed
class Likely(TypedDict):
    """A token that was likely at a place."""

    token: str
    probability: Annotated[float, Field(ge=0, le=1)]


@closed
class TokenSeen(Likely):
    """A token of the text, as it was read."""

    surprisal: Annotated[float, Field(ge=0, description="in bits, given all before it")]
    top: Annotated[list[Likely], Field(description="the likeliest in its place")]


@closed
class GateOpenings(TypedDict):
    """How far the gates stood open, as means over the units of the layer: a number a token."""

    input: list[float]
    forget: list[float]
    output: list[float]


@closed
class GateTerms(TypedDict):
    """One gate of one unit, or its candidate, at T tokens: base64 of T float32, little-endian."""

    value: Annotated[str, Field(description="sigmoid of the sum of the terms; tanh: candidate")]
    from_below: Annotated[str, Field(description="from the layer below, or the embedding")]
    from_before: Annotated[str, Field(description="from the layer's hidden state before the token")]
    bias: float


@closed
class UnitSeen(TypedDict):
    """Every number of one unit's equations at T tokens."""

    unit: Count
    input: GateTerms
    forget: GateTerms
    candidate: GateTerms
    output: GateTerms
    cell: Annotated[str, Field(description="base64 of T float32: c after the token")]
    hidden: Annotated[str, Field(description="base64 of T float32: h after the token")]
    cell_before: Annotated[float, Field(description="c before the first of these tokens")]
    hidden_before: float


@closed
class InspectOpening(TypedDict):
    """Model, layer and text that are inspected: the first event, and the beginning of an object."""

    id: Annotated[str, Field(description="to cancel it by")]
    model: str
    fingerprint: Annotated[str, Field(description=FINGERPRINT)]
    num_layers: Annotated[int, Field(ge=1)]
    hidden_size: Annotated[int, Field(ge=1)]
    layer: Annotated[int, Field(ge=0, description="0 is the lowest")]
    text: TextFacts


class InspectSteps(TypedDict):
    """One layer while it read T tokens; H is its width."""

    tokens: Annotated[list[TokenSeen], Field(description="each given all before it")]
    gates: Annotated[GateOpenings | None, Field(description="null where the cell is no lstm")]
    hidden: Annotated[str, Field(description="base64 of T x H signed bytes: round(127 h)")]
    cell: Annotated[
        str | None,
        Field(
            description="base64 of T x H signed bytes: round(127 tanh(c)); null where there is none"
        ),
    ]
    units: Annotated[list[UnitSeen], Field(description="those that were asked for")]


@closed
class InspectAnswer(InspectOpening, InspectSteps):
    """Answer of /v1/inspect: one layer while it read a text of T tokens; H is its width."""


@closed
class InspectPart(InspectSteps):
    """The next tokens of the text, and what the layer did while it read them."""

    first: Annotated[int, Field(ge=0, description="how many tokens came before")]


class InspectEvent(RootModel[InspectOpening | InspectPart | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/inspect`."""


def steps_without_tokens(steps: LayerSteps, units: Sequence[int]) -> InspectSteps:
    """Response model of a layer's steps at some tokens, but for the tokens."""
    cell, seen = steps.cell, steps.units
    return {
        "tokens": [],
        "gates": gate_openings(steps),
        "hidden": in_base64(steps.hidden),
        "cell": None if cell is None else in_base64(cell),
        "units": [] if seen is None else [unit_seen(seen, k, unit) for k, unit in enumerate(units)],
    }


def token_seen(entry: TokenLogprob) -> TokenSeen:
    """Surprisal and probability of one token, and the likeliest ones in its place."""
    return {
        "token": entry.token,
        "surprisal": round(max(0.0, -entry.logprob / math.log(2)), SURPRISAL_DECIMALS),
        "probability": probability(entry.logprob),
        "top": [{"token": token, "probability": probability(value)} for token, value in entry.top],
    }


def probability(logprob: float) -> float:
    """Probability of a log probability in nats, rounded to `PROBABILITY_DIGITS`."""
    return float(f"{math.exp(min(0.0, logprob)):.{PROBABILITY_DIGITS}g}")


def gate_openings(steps: LayerSteps) -> GateOpenings | None:
    """Mean opening of each gate at each token, rounded; None for a cell without such gates."""
    by_gate = steps.openings
    if by_gate is None:
        return None
    return {
        "forget": rounded(by_gate["forget"]),
        "input": rounded(by_gate["input"]),
        "output": rounded(by_gate["output"]),
    }


def unit_seen(steps: UnitSteps, k: int, unit: int) -> UnitSeen:
    """Every number of the `k`-th of the units that were asked for."""
    terms: dict[str, GateTerms] = {
        name: {
            "value": floats(steps.gates[:, row, k]),
            "from_below": floats(steps.from_below[:, row, k]),
            "from_before": floats(steps.from_before[:, row, k]),
            "bias": float(steps.bias[row, k]),
        }
        for row, name in enumerate(SUMS)
    }
    return {
        "unit": unit,
        "input": terms["input"],
        "forget": terms["forget"],
        "candidate": terms["candidate"],
        "output": terms["output"],
        "cell": floats(steps.cell[:, k]),
        "hidden": floats(steps.hidden[:, k]),
        "cell_before": float(steps.cell_before[k]),
        "hidden_before": float(steps.hidden_before[k]),
    }


def rounded(openings: Sequence[float]) -> list[float]:
    """Openings of one gate, rounded to `OPENING_DECIMALS`."""
    return [round(value, OPENING_DECIMALS) for value in openings]


def floats(values: Numbers) -> str:
    """Base64 of numbers (T,) as float32, little-endian."""
    return in_base64(values.astype("<f4").tobytes())


def in_base64(content: bytes) -> str:
    """Base64 of bytes, which JSON can hold."""
    return b64encode(content).decode("ascii")
