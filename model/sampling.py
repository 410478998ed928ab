"""Logits become the next token id, for all rows at once, each row as if it were alone.

The order is fixed: logit bias and bans, then repetition, frequency and presence penalties, then
temperature, top-k, top-p, min-p and typical; the draw is the inverse of the distribution
function in id order. The random number of a position is a function of (seed, position) alone,
and whether a filter runs for one row never changes the numbers of another.

Shapes: R rows, V vocabulary, W penalty window. Sums and draws are made in float64.
Knows nothing of networks, text or stopping.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from model.parameters import MAX_PENALTY_WINDOW, SamplingParams
from model.tokenizer import BOS_ID, UNK_ID

NEVER = float("-inf")
HIGHEST = 1e300  # of a score: a repetition penalty near 0 would lift it to infinity


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """One choice a row: tensors for the next step, lists (fetched once) for whoever reads them."""

    ids: Tensor  # (R,) int64
    logprobs: Tensor  # (R, V) float64: the model's own, before any parameter
    is_finite: Tensor  # (R,) bool: False where the logits were not numbers and the id means nothing

    @cached_property
    def id_list(self) -> list[int]:
        """`ids` on the host."""
        return [int(token_id) for token_id in self.ids.tolist()]

    @cached_property
    def finite_list(self) -> list[bool]:
        """`is_finite` on the host."""
        return [bool(is_finite) for is_finite in self.is_finite.tolist()]


class Sampler:
    """The parameters, position and recent tokens of R rows, and the choice of their next ids."""

    def __init__(self, rows: int, vocab_size: int, device: torch.device | None = None) -> None:
        self._vocab_size = vocab_size
        self._device = device
        self._params: list[SamplingParams | None] = [None] * rows
        self._seed = self._integers(rows)
        self._position = self._integers(rows)  # tokens chosen so far
        self._min_tokens = self._integers(rows)
        self._bias = torch.zeros(rows, vocab_size, dtype=torch.float64, device=device)
        self._bias[:, UNK_ID] = NEVER
        # A ring of the last tokens of each row; vocab_size marks a place that is still empty.
        self._recent = torch.full((rows, MAX_PENALTY_WINDOW), vocab_size, device=device)
        self._written = self._integers(rows)
        self._window = self._integers(rows) + 1
        self._gather_settings()

    def _integers(self, rows: int) -> Tensor:
        return torch.zeros(rows, dtype=torch.int64, device=self._device)

    def assign(
        self,
        row: int,
        params: SamplingParams,
        *,
        bias: Mapping[int, float],
        prompt_ids: Sequence[int],
    ) -> None:
        """Let `row` begin a text: `params` must have a seed, `bias` is by token id."""
        if params.seed is None:
            raise ValueError("parameters need a seed before a row can use them")
        self._params[row] = params
        self._seed[row] = params.seed
        self._position[row] = 0
        self._min_tokens[row] = params.min_tokens
        self._bias[row] = 0
        for token_id, value in bias.items():
            self._bias[row, token_id] = value
        self._bias[row, UNK_ID] = NEVER
        self._window[row] = params.penalty_window
        self._recent[row] = self._vocab_size
        last = torch.tensor(prompt_ids[-params.penalty_window :], dtype=torch.int64)
        self._recent[row, : len(last)] = last.to(self._recent.device)
        self._written[row] = len(last)
        self._gather_settings()

    def clear(self, row: int) -> None:
        """Let `row` be idle: it goes on choosing, and nobody looks."""
        self._params[row] = None
        self._gather_settings()

    def _gather_settings(self) -> None:
        """The rows' parameters as columns (R, 1), once each time membership changes."""
        used = [params if params is not None else SamplingParams() for params in self._params]

        def column(name: str) -> Tensor:
            values = [[float(getattr(params, name))] for params in used]
            return torch.tensor(values, dtype=torch.float64, device=self._device)

        self._temperature = column("temperature")
        self._filters = Filters(
            top_k=column("top_k"),
            top_p=column("top_p"),
            min_p=column("min_p"),
            typical_p=column("typical_p"),
        )
        self._penalties = Penalties(
            repetition=column("repetition_penalty"),
            frequency=column("frequency_penalty"),
            presence=column("presence_penalty"),
        )

    def sample(self, logits: Tensor) -> Sampled:
        """Choose each row's next id from `logits` (R, V), and move each row on by one."""
        is_finite = torch.isfinite(logits).all(dim=-1)
        scores = torch.where(is_finite.unsqueeze(1), logits.double(), 0.0)
        logprobs = torch.log_softmax(scores, dim=-1)
        scores = self._without_early_end(scores + self._bias)
        if self._penalties.any:
            scores = self._penalties.apply(scores, self._counts())
        ids = self._choose(scores)
        self._record(ids)
        return Sampled(ids=ids, logprobs=logprobs, is_finite=is_finite)

    def _without_early_end(self, scores: Tensor) -> Tensor:
        too_early = self._position < self._min_tokens
        scores[:, BOS_ID] = torch.where(too_early, NEVER, scores[:, BOS_ID])
        return scores

    def _counts(self) -> Tensor:
        """How often each id is in each row's window: (R, V)."""
        counts = torch.zeros(
            len(self._params), self._vocab_size + 1, dtype=torch.float64, device=self._device
        )
        ones = torch.ones_like(self._recent, dtype=torch.float64)
        return counts.scatter_add_(1, self._recent, ones)[:, : self._vocab_size]

    def _choose(self, scores: Tensor) -> Tensor:
        is_greedy = self._temperature == 0
        likeliest = scores.argmax(dim=-1)  # the lowest id wins a tie
        highest = scores.amax(dim=-1, keepdim=True)
        divisor = torch.where(is_greedy, 1.0, self._temperature)
        probs = torch.softmax((scores - highest) / divisor, dim=-1)
        drawn = inverse_cdf(self._filters.apply(probs), uniform(self._seed, self._position))
        return torch.where(is_greedy.squeeze(1), likeliest, drawn)

    def _record(self, ids: Tensor) -> None:
        place = (self._written % self._window).unsqueeze(1)
        self._recent.scatter_(1, place, ids.unsqueeze(1))
        self._written += 1
        self._position += 1


class Penalties:
    """Repetition (Keskar et al. 2019, CTRL), frequency and presence (OpenAI), columns (R, 1)."""

    def __init__(self, *, repetition: Tensor, frequency: Tensor, presence: Tensor) -> None:
        self._repetition = repetition
        self._frequency = frequency
        self._presence = presence
        self.any = bool((repetition != 1).any() | (frequency != 0).any() | (presence != 0).any())

    def apply(self, scores: Tensor, counts: Tensor) -> Tensor:
        """`scores` (R, V) with the characters that `counts` (R, V) has made more or less likely."""
        is_present = counts > 0
        divided = torch.where(scores > 0, scores / self._repetition, scores * self._repetition)
        scores = torch.where(is_present, divided, scores).clamp_max(HIGHEST)
        return scores - self._frequency * counts - self._presence * is_present


class Filters:
    """Top-k, top-p (Holtzman et al. 2020), min-p and typical (Meister et al. 2022), columns (R, 1).

    Each filter sees what the one before it left, and leaves at least one id: the likeliest, but
    for typical, which may drop it.
    """

    def __init__(self, *, top_k: Tensor, top_p: Tensor, min_p: Tensor, typical_p: Tensor) -> None:
        self._top_k = torch.where(top_k == 0, torch.inf, top_k)
        self._top_p = top_p
        self._min_p = min_p
        self._typical_p = typical_p
        self._any_sorted = bool((top_k != 0).any() | (top_p != 1).any())
        self._any_typical = bool((typical_p != 1).any())

    def apply(self, probs: Tensor) -> Tensor:
        """`probs` (R, V) with what is filtered out at 0; rows are not normalised again."""
        if self._any_sorted:
            probs = self._keep_top(probs)
        probs = torch.where(probs < self._min_p * probs.amax(dim=-1, keepdim=True), 0.0, probs)
        return self._keep_typical(probs) if self._any_typical else probs

    def _keep_top(self, probs: Tensor) -> Tensor:
        ranked, order = probs.sort(dim=-1, descending=True, stable=True)
        rank = torch.arange(probs.shape[-1], device=probs.device)
        ranked = torch.where(rank < self._top_k, ranked, 0.0)
        keep = _smallest_prefix(ranked, self._top_p)
        return torch.where(keep, ranked, 0.0).gather(1, order.argsort(dim=-1))

    def _keep_typical(self, probs: Tensor) -> Tensor:
        normal = probs / probs.sum(dim=-1, keepdim=True)
        surprisal = -normal.clamp_min(1e-300).log()
        entropy = (normal * surprisal).sum(dim=-1, keepdim=True)
        distance = torch.where(probs > 0, (surprisal - entropy).abs(), torch.inf)
        order = distance.argsort(dim=-1, stable=True)
        keep = _smallest_prefix(probs.gather(1, order), self._typical_p)
        typical = torch.where(keep.gather(1, order.argsort(dim=-1)), probs, 0.0)
        return torch.where(self._typical_p == 1, probs, typical)


def _smallest_prefix(ordered: Tensor, share: Tensor) -> Tensor:
    """Which of `ordered` (R, V) belong to the shortest prefix with `share` of the row's sum."""
    before = ordered.cumsum(dim=-1) - ordered
    total = ordered.sum(dim=-1, keepdim=True)
    is_first = torch.arange(ordered.shape[-1], device=ordered.device) == 0
    # The first is kept by name: a tiny share of a total may round to 0.
    return (before < share * total) | (share == 1) | is_first


def inverse_cdf(probs: Tensor, uniforms: Tensor) -> Tensor:
    """The first id whose cumulative probability exceeds the uniform number: (R, V), (R,) -> (R,).

    `probs` need not sum to 1; an id of probability 0 is never chosen.
    """
    cumulative = probs.cumsum(dim=-1)
    total = cumulative[:, -1:]
    # Rounding may lift u * total to the total itself, past the last id.
    below = torch.nextafter(total, torch.zeros_like(total))
    target = torch.minimum(uniforms.unsqueeze(1) * total, below)
    return (cumulative <= target).sum(dim=-1)


def uniform(seed: Tensor, position: Tensor) -> Tensor:
    """One number in [0, 1) of each (seed, position), int64 (R,) -> float64 (R,).

    A counter-based generator: the finaliser of SplitMix64 (Steele, Lea & Flood 2014) over the
    seed, and again over the mix of its result with the position.
    """
    mixed = _splitmix64(_splitmix64(seed) ^ (position * _signed(0x9E3779B97F4A7C15)))
    return _shifted(mixed, 11).double() * 2.0**-53


def _splitmix64(x: Tensor) -> Tensor:
    x = x + _signed(0x9E3779B97F4A7C15)
    x = (x ^ _shifted(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ _shifted(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, bits: int) -> Tensor:
    """Logical shift right: torch's int64 shift copies the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _signed(unsigned: int) -> int:
    """The int64 with the same 64 bits; int64 products wrap, as the generator wants."""
    return unsigned - 2**64 if unsigned >= 2**63 else unsigned
