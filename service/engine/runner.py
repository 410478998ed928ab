"""Runner of one loaded checkpoint: feeds prompts, steps rows, keeps states of prefixes.

The only module of the service that touches torch. Keeps the promise of the seed by using nothing
but `model`'s Prefill and RowBatch. Called by the engine thread alone, so it has no locks; knows
nothing of queues, slots and HTTP.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from model.checkpoint import Checkpoint
from model.decoding.decoder import CHUNK, Decoder, decoder_of
from model.decoding.prefill import Prefill, feed
from model.decoding.prompt_scores import PromptScores
from model.decoding.reference_driver import next_piece
from model.decoding.row_batch import RowBatch
from model.layer_inspection import LayerInspection
from model.parameters import BackendName
from model.tokenizer import BOS_ID, Tokenizer
from service.engine.failure import Failure
from service.engine.prefix_cache import PrefixCache
from service.engine.request import Request, Stepped
from verse.composer.voice import Voice, voice_of
from verse.composer.warming import warm_up
from verse.composing import answered
from verse.poem import ComposedLine

MEASURED_CHUNKS = 5
MEASURING_S = 1.0  # for so long at most, or one chunk


@dataclass(frozen=True, slots=True, eq=False)
class _RowOwner:
    request: Request
    index: int  # which of the request's texts


class CheckpointRunner:
    """Runner with a network and its decoder; implements `service.engine.request.Runner`."""

    def __init__(self, tokenizer: Tokenizer, decoder: Decoder, cached_prompts: int) -> None:
        self.tokenizer = tokenizer
        self.backend_name = decoder.backend_name
        self.is_exact = decoder.is_exact
        self.fed_together = decoder.fed_together
        self.scored_together = decoder.scored_together
        self._decoder = decoder
        self._prefills: dict[Request, Prefill] = {}
        self._cache: PrefixCache[list[Tensor]] = PrefixCache(cached_prompts)
        self._batch = RowBatch(decoder)
        self._owners: list[_RowOwner] = []  # by row

    @classmethod
    def of(
        cls, checkpoint: Checkpoint, backend: BackendName = "auto", cached_prompts: int = 0
    ) -> "CheckpointRunner":
        """Make a checkpoint's runner that keeps the states of at most `cached_prompts` prefixes.

        Raises ParameterError (field `path`) where that backend cannot decode the network.
        """
        decoder = decoder_of(checkpoint.network, backend)
        return cls(checkpoint.tokenizer, decoder, cached_prompts)

    def make_voice(self, checkpoint: Checkpoint) -> Voice:
        """Make the voice of the checkpoint that it is of, and compile what composes.

        Some seconds; any thread may do it, since nothing else uses what it makes.
        """
        voice = voice_of(checkpoint, self._decoder)
        warm_up(voice)
        return voice

    def measured_feeding_speed(self) -> float:
        """Tokens of one prompt that are fed in a second of computing, from some chunks.

        By this thread's own time, so other work on the machine does not count. The first calls are
        slower, since the loop is compiled in them.
        """
        fastest_s, until = math.inf, time.thread_time() + MEASURING_S
        for _ in range(MEASURED_CHUNKS):
            started = time.thread_time()
            prefill = Prefill(self._decoder, [BOS_ID] * (CHUNK + 1))
            feed(self._decoder, [prefill])
            prefill.state[0].cpu()  # a GPU has ended its work then
            ended = time.thread_time()
            fastest_s = min(fastest_s, ended - started)
            if ended > until:
                break
        return CHUNK / max(fastest_s, 1e-9)  # never of no time at all, whatever the clock says

    def feed(self, requests: Sequence[Request]) -> list[Request]:
        """Feed one chunk of each prompt, which are all scored or none of them.

        Returns those that are fed and whose texts have rows now, and those with numbers that
        are not finite.
        """
        prefills = {request: self._prefill_of(request) for request in requests}
        if unfinished := [prefill for prefill in prefills.values() if not prefill.is_done]:
            feed(self._decoder, unfinished)
            for prefill in unfinished:
                self._remember(prefill)
        for request, prefill in prefills.items():
            request.num_fed_tokens = prefill.fed
        fed = [request for request, prefill in prefills.items() if _has_ended_feeding(prefill)]
        for request in fed:
            prefill = self._prefills.pop(request)
            request.note_scored(prefill.scores, prefill.inspection)
            if request.is_finite:
                self._join(request, prefill)
        return fed

    def step(self, count: int) -> list[Stepped]:
        """Take `count` steps with every text that has a row; one that ends gives its row back."""
        sampled = self._batch.step(count)
        steps = []
        for row, owner in enumerate(self._owners):
            generation = owner.request.generations[owner.index]
            piece, is_finite = next_piece(self.tokenizer, generation, sampled, row)
            failure = None if is_finite else Failure.NOT_FINITE
            if generation.is_other:
                failure = Failure.RECEIVED
            steps.append(
                Stepped(request=owner.request, index=owner.index, piece=piece, failure=failure)
            )
        self._keep([row for row, owner in enumerate(self._owners) if not _has_ended(owner)])
        return steps

    def compose(self, request: Request) -> list[ComposedLine]:
        """Answer what a composition asks for; the lines that came of it.

        With logits that are not finite it gets no answer.
        """
        composition = request.composition
        assert composition is not None  # noqa: S101 - no other request is composed
        asked = composition.asked
        answer = None if asked is None else answered(self._decoder, asked)
        if isinstance(answer, np.ndarray) and not np.isfinite(answer).all():
            composition.is_finite = False
            return []
        return composition.advance(answer)

    def drop(self, request: Request) -> None:
        """Forget a request, wherever it stands; nothing happens if it is not known."""
        self._prefills.pop(request, None)
        self._keep([row for row, owner in enumerate(self._owners) if owner.request is not request])

    def _prefill_of(self, request: Request) -> Prefill:
        if request not in self._prefills:
            self._prefills[request] = self._new_prefill(request)
        return self._prefills[request]

    def _new_prefill(self, request: Request) -> Prefill:
        ids = request.fed_ids
        if request.prompt_logprobs is not None:  # no state that is known tells how it came there
            scores = PromptScores(self.tokenizer, ids, request.prompt_logprobs)
            layer, network = request.inspected_layer, self._decoder.network
            inspection = LayerInspection(network, layer, ids) if layer is not None else None
            if inspection is not None:
                request.note_reading(scores, inspection)
            return Prefill(self._decoder, ids, scores=scores, inspection=inspection)
        found = self._cache.longest(ids[:-1], CHUNK)
        fed, state = found if found is not None else (0, None)
        request.num_cached_tokens = fed
        return Prefill(self._decoder, ids, fed=fed, state=state)

    def _remember(self, prefill: Prefill) -> None:
        """Cache the state where the prompt may come again: whole, or with more text behind it."""
        if prefill.is_done or prefill.is_at_last_cut:
            self._cache.put(prefill.ids[: prefill.fed], prefill.state)

    def _join(self, request: Request, prefill: Prefill) -> None:
        if request.is_written:  # nothing but its prompt's scores was wanted
            return
        for index, generation in enumerate(request.generations):
            self._batch.join(generation, prefill.state)
            self._owners.append(_RowOwner(request, index))

    def _keep(self, rows: list[int]) -> None:
        if len(rows) < len(self._owners):
            self._batch.keep_rows(rows)
            self._owners = [self._owners[row] for row in rows]


def _has_ended_feeding(prefill: Prefill) -> bool:
    return prefill.is_done or not prefill.is_finite


def _has_ended(owner: _RowOwner) -> bool:
    return owner.request.generations[owner.index].is_finished
