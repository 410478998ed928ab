"""Sampling: logits become the next token id, for all rows at once, each as if it were alone.
Temperature (0 is greedy), top-k, top-p, penalties, and the random number of (seed, position).

The order is fixed: logit bias and bans, then repetition, frequency and presence penalties, then
the soft end, then temperature, top-k, top-p (nucleus), min-p and typical; the draw is the inverse
of the distribution function in id order. The random number of a position is a function of (seed,
position) alone, and whether a filter runs for one row never changes the numbers of another.

These are the operations for a GPU, and say what sampling means; on a CPU
`model.decoding.kernels.row_sampling` does the same by kernels. A new filter or penalty is a
function here and there, and also needs a parameter in `model.parameters`, its tensor of rows and
its entry in `uses_of` in `model.decoding.sampling_state`, and a field of the web page.

Shapes: R rows, V vocabulary, W penalty window. Sums and draws are made in float64, and every sum
runs along its row in order, so that it does not depend on how many rows there are.

Functions of tensors and plain numbers only: a CUDA graph records them, so nothing here may look at
a value. Knows nothing of networks, text or stopping.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from model.decoding.token_marks import LINE_BREAK, SPACE
from model.decoding.verse_ends import LINE_GRACE
from model.tokenizer import BOS_ID

RAMP, RAMP_TOKENS = 1 / 16, 160  # how much likelier an end becomes by each token, and how long so
SPACE_LEAD = 6.0  # of a space before a line's end, when that begins to become likelier
HIGHEST = 1e300  # of a score: a repetition penalty near 0 would lift it to infinity


class SamplingRows(NamedTuple):
    """Sampling parameters of R texts as tensors, and each text's position; float64 by default."""

    seed: Tensor  # (R,) int64
    position: Tensor  # (R,) int64: tokens chosen so far; moved on by `choose`
    latest: Tensor  # (R,) int64: the last token; moved on by `choose`
    min_tokens: Tensor  # (R,) int64
    soft_end: Tensor  # (R,) int64: position from which on ends become likelier
    breaks: Tensor  # (R, V) int8: what each token is to a line, see `token_marks.breaks_of`
    bias: Tensor  # (R, V) float64: added to the logits, -inf for what is banned
    recent: Tensor  # (R, W) int64: a ring of the last tokens; V marks an empty place
    written: Tensor  # (R,) int64: tokens that the ring has seen; moved on by `choose`
    window: Tensor  # (R,) int64: places of the ring that are used
    is_greedy: Tensor  # (R,) bool: temperature 0
    temperature: Tensor  # (R, 1), 1 for greedy rows
    top_k: Tensor  # (R, 1), inf keeps all
    top_p: Tensor  # (R, 1)
    min_p: Tensor  # (R, 1)
    typical_p: Tensor  # (R, 1)
    repetition: Tensor  # (R, 1)
    frequency: Tensor  # (R, 1)
    presence: Tensor  # (R, 1)


class Uses(NamedTuple):
    """Parts of sampling that any row needs; the others are left out, and change no bit."""

    greedy: bool
    early_end: bool
    penalties: bool
    soft_end: bool
    ranked: bool  # top-k or top-p
    min_p: bool
    typical: bool
    logprobs: bool


def choose(
    logits: Tensor, rows: SamplingRows, uses: Uses, uniforms: Tensor
) -> tuple[Tensor, Tensor]:
    """Sample each row's next id (R,) int64; second, whether its logits were finite (R,) bool.

    logits: (R, V); uniforms: (R,) float64 in [0, 1). Moves each row on by one. The id of a row
    whose logits are not finite is a valid one and means nothing.
    """
    is_finite = torch.isfinite(logits).all(dim=-1)
    scores = torch.where(is_finite.unsqueeze(1), logits, 0.0).double() + rows.bias
    if uses.early_end:
        ban_early_end(scores, rows)
    if uses.penalties:
        scores = penalised(scores, rows)
    if uses.soft_end:
        scores = with_likelier_ends(scores, rows)
    # Not normalised: what follows compares shares of a row's sum, and a softmax costs more.
    shifted = scores.sub_(scores.amax(dim=-1, keepdim=True)) / rows.temperature
    ids = inverse_cdf(filtered(shifted.exp_(), rows, uses), uniforms)
    if uses.greedy:  # argmax: the lowest id wins a tie
        ids = torch.where(rows.is_greedy, scores.argmax(dim=-1), ids)
    if uses.penalties:
        place = (rows.written % rows.window).unsqueeze(1)
        rows.recent.scatter_(1, place, ids.unsqueeze(1))
        rows.written.add_(1)
    rows.latest.copy_(ids)
    rows.position.add_(1)
    return ids, is_finite


def ban_early_end(scores: Tensor, rows: SamplingRows) -> None:
    """Ban the end of the document, in place, in rows that have not their `min_tokens` yet."""
    scores[:, BOS_ID].masked_fill_(rows.position < rows.min_tokens, -math.inf)


def penalised(scores: Tensor, rows: SamplingRows) -> Tensor:
    """Apply repetition, frequency and presence penalties for the ids of each row's window.

    Repetition penalty (Keskar et al. 2019, CTRL), frequency and presence (OpenAI).
    """
    width = scores.shape[1]
    counts = torch.zeros(scores.shape[0], width + 1, dtype=torch.float64, device=scores.device)
    ones = torch.ones_like(rows.recent, dtype=torch.float64)
    counts = counts.scatter_add_(1, rows.recent, ones)[:, :width]
    is_present = counts > 0
    divided = torch.where(scores > 0, scores / rows.repetition, scores * rows.repetition)
    scores = torch.where(is_present, divided, scores).clamp_max(HIGHEST)
    return scores - rows.frequency * counts - rows.presence * is_present


def with_likelier_ends(scores: Tensor, rows: SamplingRows) -> Tensor:
    """Lift line breaks and the document's end in rows that are past their `soft_end`.

    s tokens behind it the lift is min(s, RAMP_TOKENS) * RAMP, times the temperature, so that this
    changes nothing of it. It is that of a blank line, and of the document's end, which is lifted to
    no more than a line break has, so that it comes where a line may end. A line's end begins
    LINE_GRACE tokens later, and is lifted to SPACE_LEAD below the likeliest space, and the lift:
    inside of a word no space is likely, so no line ends there.
    """
    since = (rows.position - rows.soft_end).unsqueeze(1)
    lift, line_lift = (
        (since - wait).clamp(0, RAMP_TOKENS).double() * RAMP * rows.temperature
        for wait in (0, LINE_GRACE)
    )
    is_break = rows.breaks == LINE_BREAK
    space = torch.where(rows.breaks == SPACE, scores, -math.inf).amax(dim=-1, keepdim=True)
    highest = space + (line_lift - SPACE_LEAD * rows.temperature)
    at_word = torch.maximum(scores, torch.minimum(scores + line_lift, highest))
    is_line_start = rows.breaks.gather(1, rows.latest.unsqueeze(1)) == LINE_BREAK
    lifted = torch.where(is_line_start, scores + lift, at_word)
    lifted = torch.where(is_break, lifted, scores)
    line = torch.where(is_break, lifted, -math.inf).amax(dim=-1, keepdim=True)
    end = scores[:, BOS_ID : BOS_ID + 1]
    lifted[:, BOS_ID : BOS_ID + 1] = torch.maximum(end, torch.minimum(end + lift, line))
    return torch.where(since >= 0, lifted, scores)


def filtered(probs: Tensor, rows: SamplingRows, uses: Uses) -> Tensor:
    """Filter `probs` (R, V), normalised or not: what is filtered out becomes 0.

    Top-k, top-p (nucleus, Holtzman et al. 2020), min-p and typical (Meister et al. 2022). Each
    filter sees what the one before it left, and leaves at least one id: the likeliest, but for
    typical, which may drop it.
    """
    if uses.ranked:
        probs = keep_top(probs, rows)
    if uses.min_p:
        probs = torch.where(probs < rows.min_p * probs.amax(dim=-1, keepdim=True), 0.0, probs)
    if uses.typical:
        probs = keep_typical(probs, rows.typical_p)
    return probs


def keep_top(probs: Tensor, rows: SamplingRows) -> Tensor:
    """Top-k filter, then top-p (nucleus) filter of what it left."""
    ranked, order = torch.sort(probs, stable=True, dim=-1, descending=True)
    rank = torch.arange(probs.shape[1], device=probs.device)
    ranked = torch.where(rank < rows.top_k, ranked, 0.0)
    keep = smallest_prefix(ranked, rows.top_p)
    return torch.where(keep, ranked, 0.0).gather(1, order.argsort(dim=-1))


def keep_typical(probs: Tensor, typical_p: Tensor) -> Tensor:
    """Typical filter: keep the ids whose surprisal is nearest to the row's entropy."""
    normal = probs / row_sum(probs)
    surprisal = -normal.clamp_min(1e-300).log()
    distance = (surprisal - row_sum(normal * surprisal)).abs()
    order = torch.where(probs > 0, distance, math.inf).argsort(stable=True, dim=-1)
    keep = smallest_prefix(probs.gather(1, order), typical_p)
    typical = torch.where(keep.gather(1, order.argsort(dim=-1)), probs, 0.0)
    return torch.where(typical_p == 1, probs, typical)


def smallest_prefix(ordered: Tensor, share: Tensor) -> Tensor:
    """Mask of the shortest prefix of `ordered` (R, V) that has `share` of the row's sum."""
    cumulative = running_sum(ordered)
    is_first = torch.arange(ordered.shape[1], device=ordered.device) == 0
    # The first is kept by name: a tiny share of a total may round to 0.
    return (cumulative - ordered < share * cumulative[:, -1:]) | (share == 1) | is_first


def running_sum(values: Tensor) -> Tensor:
    """Cumulative sums along each row, in order.

    On a GPU a scan along rows would add in an order that depends on how many rows there are; one
    down columns does not, unless there is one column alone, which is scanned as a row would be.
    """
    if values.is_cuda:
        columns = values.t().repeat(1, 2) if len(values) == 1 else values.t().contiguous()
        return columns.cumsum(dim=0)[:, : len(values)].t().contiguous()
    return values.cumsum(dim=-1)


def row_sum(values: Tensor) -> Tensor:
    """Sum of each row (R, 1), in order: that of `sum` may change with the rows and threads."""
    return running_sum(values)[:, -1:]


def inverse_cdf(probs: Tensor, uniforms: Tensor) -> Tensor:
    """Draw by the inverse distribution function: (R, V), (R,) uniform -> ids (R,).

    The id is the first whose cumulative probability exceeds the uniform number.
    `probs` need not sum to 1; an id of probability 0 is never chosen.
    """
    cumulative = running_sum(probs)
    total = cumulative[:, -1:]
    # Rounding may lift u * total to the total itself, past the last id.
    below = torch.nextafter(total, torch.zeros_like(total))
    target = torch.minimum(uniforms.unsqueeze(1) * total, below)
    return torch.searchsorted(cumulative, target, right=True).squeeze(1)


def _signed(unsigned: int) -> int:
    """Signed int64 with the same 64 bits; int64 products wrap, as the generator wants."""
    return unsigned - 2**64 if unsigned >= 2**63 else unsigned


# SplitMix64's constants, as unsigned 64 bits.
GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

_GOLDEN, _FIRST, _SECOND = _signed(GOLDEN), _signed(FIRST), _signed(SECOND)


def uniform(seed: Tensor, position: Tensor) -> Tensor:
    """Random numbers in [0, 1) from (seed, position), int64 -> float64, of the shape of both.

    A counter-based generator: the finaliser of SplitMix64 (Steele, Lea & Flood 2014) over the
    seed, and again over the mix of its result with the position.
    """
    mixed = splitmix64(splitmix64(seed) ^ (position * _GOLDEN))
    return shifted_right(mixed, 11).double() * 2.0**-53


def splitmix64(x: Tensor) -> Tensor:
    """SplitMix64's finaliser: 64 bits that look random, of 64 bits that may not."""
    x = x + _GOLDEN
    x = (x ^ shifted_right(x, 30)) * _FIRST
    x = (x ^ shifted_right(x, 27)) * _SECOND
    return x ^ shifted_right(x, 31)


def shifted_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift: torch's own of int64 copies the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
