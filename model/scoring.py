"""Scoring: surprisal of a text in nats per token, with the state carried through; perplexity.

Knows nothing of files and corpora; ids come in, numbers come out.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from model.network import Network, State

WINDOW = 1024  # steps scored in one call, fewer where the logits would take too much memory
MAX_LOGITS = 1 << 24  # values, of all rows and steps of one call
MAX_EXPONENT = 700.0  # exp of much more is no number


@dataclass(frozen=True, slots=True)
class Score:
    """Cross-entropy summed over a text, and its units: bits per character and perplexity."""

    nats: float
    characters: int

    @property
    def nats_per_character(self) -> float:
        """Cross-entropy in nats, by character of the text."""
        return self.nats / self.characters

    @property
    def bits_per_character(self) -> float:
        """Cross-entropy in bits, by character of the text."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity(self) -> float:
        """Perplexity by character: exp(nats), the number of equally likely choices."""
        return math.exp(min(self.nats_per_character, MAX_EXPONENT))


@torch.inference_mode()
def surprisals(network: Network, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Surprisal, in nats, of every id but each row's first, given all before it.

    ids: (B, N) int64; returns (B, N - 1) float32 on the CPU, and the state after the last
    input. A state continues a text that was scored before.
    """
    state = network.zero_state(ids.shape[0]) if state is None else state
    pieces = []
    affordable = MAX_LOGITS // (ids.shape[0] * network.config.vocab_size)
    steps = max(1, min(WINDOW, affordable))
    for start in range(0, ids.shape[1] - 1, steps):
        window = ids[:, start : start + steps + 1].to(network.device)
        logits, state = network(window[:, :-1], state)
        losses = functional.cross_entropy(
            logits.float().flatten(0, 1), window[:, 1:].flatten(), reduction="none"
        )
        pieces.append(losses.view(ids.shape[0], -1).cpu())
    return torch.cat(pieces, dim=1) if pieces else torch.zeros(ids.shape[0], 0), state
