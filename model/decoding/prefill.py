"""Prompts go through the network, some at a time, a chunk of each.

A prompt is cut into chunks of one length from its start, wherever its feeding began or was
interrupted, so that a state that was kept at a chunk's end stands for having fed all before it,
bit for bit. Knows nothing of sampling, requests and threads.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.decoding.decoder import CHUNK, Decoder
from model.decoding.prompt_scores import PromptScores
from model.inspection import Inspection
from model.parameters import MAX_LOGPROBS


class Prefill:
    """A prompt being fed: all its ids but the last, which is the first input of decoding."""

    def __init__(
        self,
        decoder: Decoder,
        ids: Sequence[int],
        *,
        fed: int = 0,
        state: list[Tensor] | None = None,
        scores: PromptScores | None = None,
        inspection: Inspection | None = None,
    ) -> None:
        """`ids` must hold at least one id, `<s>`.

        A `state` (one row, not changed) stands for having fed the first `fed` ids: whole chunks,
        or all but the last id. `scores` learn how likely each id is that comes after them;
        `inspection` looks into the network, at the ids before and the last one as well.
        """
        self.ids = tuple(ids)
        self.fed = fed
        self.state = decoder.zero_state(1) if state is None else state
        self.scores = scores
        self.inspection = inspection

    @property
    def num_left(self) -> int:
        """How many ids are still to be fed."""
        return len(self.ids) - 1 - self.fed

    @property
    def is_done(self) -> bool:
        """Whether `state` is the state before the prompt's last id."""
        return self.num_left == 0

    @property
    def is_sound(self) -> bool:
        """Whether what was to be learnt on the way are numbers."""
        return all(each is None or each.is_sound for each in (self.scores, self.inspection))

    @property
    def is_at_last_cut(self) -> bool:
        """Whether what is left is less than a chunk."""
        return self.fed % CHUNK == 0 and self.num_left < CHUNK


@torch.inference_mode()
def feed(decoder: Decoder, prefills: Sequence[Prefill]) -> None:
    """Feed the next chunk of each, or the few ids that are left of it. None may be done.

    All of them have scores, or none has.
    """
    by_length = sorted(prefills, key=lambda prefill: -prefill.num_left)
    lengths = [min(CHUNK, prefill.num_left) for prefill in by_length]
    ids = _next_ids(by_length, lengths, 0).to(decoder.device)
    states = zip(*(prefill.state for prefill in by_length), strict=True)
    together = [torch.cat(parts) for parts in states]
    if by_length[0].scores is None:
        decoder.program.feed(ids, lengths, together)
    else:
        _feed_and_score(decoder, by_length, lengths, ids, together)
    for row, (prefill, length) in enumerate(zip(by_length, lengths, strict=True)):
        prefill.fed += length
        # A copy: a view would keep the rows of all the others alive.
        prefill.state = [part[row : row + 1].clone() for part in together]
        if prefill.inspection is not None:
            prefill.inspection.read_up_to(prefill.fed + 1)


def _next_ids(prefills: Sequence[Prefill], lengths: list[int], ahead: int) -> Tensor:
    """(R, T) int64: those of the next chunk, or those that come so many places after them."""
    ids = torch.zeros(len(lengths), lengths[0], dtype=torch.int64)
    for row, (prefill, length) in enumerate(zip(prefills, lengths, strict=True)):
        start = prefill.fed + ahead
        ids[row, :length] = torch.tensor(prefill.ids[start : start + length])
    return ids


def _feed_and_score(
    decoder: Decoder,
    prefills: Sequence[Prefill],
    lengths: list[int],
    ids: Tensor,
    state: list[Tensor],
) -> None:
    scores = [prefill.scores for prefill in prefills if prefill.scores is not None]
    following = _next_ids(prefills, lengths, 1).to(decoder.device)
    # As many alternatives as decoding looks for: which of equal ones come first may depend on that.
    most = MAX_LOGPROBS if any(each.alternatives for each in scores) else 0
    scored = decoder.program.score(ids, following, lengths, state, most)
    columns = [torch.split(column.cpu(), lengths) for column in scored]
    for each, *parts in zip(scores, *columns, strict=True):
        each.add(*parts)
