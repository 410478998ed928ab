"""Prefill: prompts are fed through the network, some at a time, a chunk of each.

A prompt is cut into chunks of one length from its start, wherever its feeding began or was
interrupted, so that a state that was kept at a chunk's end stands for having fed all before it,
bit for bit. Knows nothing of sampling, requests and threads.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.decoding.decoder import CHUNK, Decoder
from model.decoding.prompt_scores import PromptScores
from model.layer_inspection import LayerInspection
from model.parameters import MAX_LOGPROBS


class Prefill:
    """Prompt being fed: all its ids but the last, which is the first input of decoding."""

    def __init__(
        self,
        decoder: Decoder,
        ids: Sequence[int],
        *,
        fed: int = 0,
        state: list[Tensor] | None = None,
        scores: PromptScores | None = None,
        inspection: LayerInspection | None = None,
    ) -> None:
        """Begin feeding `ids`, which hold at least one id, `<s>`.

        `state` (one row, not changed) is the state after the first `fed` ids, where a part of the
        prompt was fed before: whole chunks of it, or all but the last id. `scores` collects the log
        probabilities of the ids that follow the fed ones; `inspection` records the activations of
        a layer for every id, the last one too.
        """
        self.ids = tuple(ids)
        self.fed = fed
        self.state = decoder.zero_state(1) if state is None else state
        self.scores = scores
        self.inspection = inspection

    @property
    def num_left(self) -> int:
        """Number of ids that are still to be fed."""
        return len(self.ids) - 1 - self.fed

    @property
    def is_done(self) -> bool:
        """True once the prompt is fed: `state` is the state before its last id."""
        return self.num_left == 0

    @property
    def is_finite(self) -> bool:
        """True while all scores and activations of the prompt so far are finite numbers."""
        return all(each is None or each.is_finite for each in (self.scores, self.inspection))

    @property
    def is_at_last_cut(self) -> bool:
        """True where less than a chunk of the prompt is left to feed."""
        return self.fed % CHUNK == 0 and self.num_left < CHUNK


@torch.inference_mode()
def feed(decoder: Decoder, prefills: Sequence[Prefill]) -> None:
    """Feed the next chunk of each prompt, or the few ids that are left of it.

    None of them may be done; all have scores, or none has.
    """
    by_length = sorted(prefills, key=lambda prefill: -prefill.num_left)
    lengths = [min(CHUNK, prefill.num_left) for prefill in by_length]
    ids = _next_ids(by_length, lengths, 0).to(decoder.device)
    states = zip(*(prefill.state for prefill in by_length), strict=True)
    together = [torch.cat(parts) for parts in states]
    if by_length[0].scores is None:
        decoder.loop.feed(ids, lengths, together)
    else:
        _feed_and_score(decoder, by_length, lengths, ids, together)
    for row, (prefill, length) in enumerate(zip(by_length, lengths, strict=True)):
        prefill.fed += length
        # A copy: a view would keep the rows of all the others alive.
        prefill.state = [part[row : row + 1].clone() for part in together]
        if prefill.inspection is not None:
            prefill.inspection.read_up_to(prefill.fed + 1)


def _next_ids(prefills: Sequence[Prefill], lengths: list[int], ahead: int) -> Tensor:
    """Ids (R, T) int64 of each prompt's next chunk, its window moved on by `ahead` ids."""
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
    scored = decoder.loop.score(ids, following, lengths, state, most)
    columns = [torch.split(column.cpu(), lengths) for column in scored]
    for each, *parts in zip(scores, *columns, strict=True):
        each.add(*parts)
