"""Text samples for the comparison: documents that a checkpoint generates, and held-out ones drawn.

Both are documents, none longer than a given share of the whole, taken until there are as many
characters as are wanted; only the last is cut to fit. Knows nothing of figures.
"""

import random
from collections.abc import Iterator, Sequence

import numpy as np

from model.checkpoint import Checkpoint
from model.decoding.decoder import Decoder, decoder_of
from model.decoding.generation import Generation
from model.decoding.prefill import Prefill, feed
from model.decoding.row_batch import RowBatch
from model.errors import ModelError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, Tokenizer
from training.data.corpus import Ids
from training.evaluation.cross_entropy import TokenIds

ROWS = 16  # documents that are written at a time
STEPS = 16  # tokens between two looks at which of them have ended
DECODED_AT_ONCE = 1 << 20


def decoded_texts(
    tokenizer: Tokenizer, ids: Ids | TokenIds, *, has_documents: bool
) -> Iterator[str]:
    """Decode the documents of ids between `<s>` symbols, or pieces of a text without documents."""
    if has_documents:
        borders = np.flatnonzero(ids == BOS_ID)
        yield from (tokenizer.decode(piece.tolist()) for piece in np.split(ids, borders)[1:-1])
        return
    stream = tokenizer.stream_decoder()
    for start in range(0, len(ids), DECODED_AT_ONCE):
        yield stream.feed(ids[start : start + DECODED_AT_ONCE].tolist())
    yield stream.finish()


def draw_documents(documents: Sequence[str], characters: int, longest: int, seed: int) -> list[str]:
    """Draw documents of this many characters in all, in an order that the seed gives."""
    shuffled = list(documents)
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    return cut([document[:longest] for document in shuffled], characters)


def excerpts(text: str, longest: int) -> list[str]:
    """Cut a text without documents into pieces of about this length that begin with a line."""
    pieces = []
    start = 0
    while start < len(text):
        pieces.append(text[start : start + longest])
        line_end = text.find("\n", start + longest)
        start = line_end + 1 if line_end >= 0 else len(text)
    return pieces


def cut(documents: Sequence[str], characters: int) -> list[str]:
    """Take the first documents that make up this many characters; the last may be cut."""
    taken = []
    left = characters
    for document in documents:
        if left <= 0:
            break
        taken.append(document[:left])
        left -= len(document)
    return taken


def generate_documents(
    checkpoint: Checkpoint, *, characters: int, longest: int, temperature: float, seed: int
) -> list[str]:
    """Generate documents from the empty prompt. The same arguments give the same texts.

    Each has a seed of its own, counted up from `seed`, and at least one token. Raises ModelError
    when the network's logits are not finite.
    """
    params = SamplingParams(max_tokens=longest, min_tokens=1, temperature=temperature)
    writer = _DocumentWriter(decoder_of(checkpoint.network), checkpoint.tokenizer, params, seed)
    while sum(len(text) for text in writer.finished()) < characters:
        writer.write_on()
    return cut([text[:longest] for text in writer.finished()], characters)


class _DocumentWriter:
    """Batch of documents being generated, ROWS at a time, numbered in the order they were begun."""

    def __init__(
        self, decoder: Decoder, tokenizer: Tokenizer, params: SamplingParams, seed: int
    ) -> None:
        self._tokenizer = tokenizer
        self._params = params
        self._seed = seed
        self._prefill = Prefill(decoder, [BOS_ID])
        while not self._prefill.is_done:
            feed(decoder, [self._prefill])
        self._batch = RowBatch(decoder)
        self._open: dict[int, Generation] = {}  # by number, in the order of the rows
        self._texts: list[str] = []

    def finished(self) -> list[str]:
        """List the documents before the first that is not finished."""
        return self._texts[: min(self._open, default=len(self._texts))]

    def write_on(self) -> None:
        """Begin documents where rows are free, and take some steps."""
        while len(self._open) < ROWS:
            self._begin()
        sampled = self._batch.step(STEPS)
        for row, (number, generation) in enumerate(self._open.items()):
            ids = sampled.finite_ids[row]
            self._texts[number] += generation.accept(ids)
            if len(ids) < STEPS and not generation.is_finished:
                raise ModelError("the model's logits are not finite; is its checkpoint sound?")
        kept = [row for row, each in enumerate(self._open.values()) if not each.is_finished]
        self._batch.keep_rows(kept)
        self._open = {n: each for n, each in self._open.items() if not each.is_finished}

    def _begin(self) -> None:
        number = len(self._texts)
        seed = self._seed + number
        prompt = self._tokenizer.encode_prompt("")
        params = self._params.model_copy(update={"seed": seed})
        self._open[number] = generation = Generation(self._tokenizer, prompt, params)
        self._batch.join(generation, self._prefill.state)
        self._texts.append("")
