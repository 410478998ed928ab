"""Windows and poems of held-out text that the cell study measures on.

Knows nothing of networks.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from model.tokenizer import BOS_ID, Tokenizer
from training.data.corpus import Corpus, Ids
from training.training_errors import CorpusError

POEM_LINES, POEM_WIDTH = range(8, 13), 60  # what fits on a plot; empty lines count
PROSE_CHARACTERS = 240
DOCUMENT_IDS = 100_000  # poems are looked for in no more than this
LEAST_STRIDE = 16  # ids between windows: nearer ones would be nearly the same


def spread_windows(ids: Ids, length: int, count: int) -> Tensor:
    """Take at most `count` windows of `length` ids, spread evenly: (count, length) int64.

    Where the text is short they overlap, or are fewer. Raises CorpusError when it is too short
    for one.
    """
    last = len(ids) - length
    if last < 0:
        raise CorpusError(
            f"the held-out text has {len(ids)} characters and the study reads {length} on end; "
            "name more text"
        )
    starts = np.linspace(0, last, min(count, 1 + last // LEAST_STRIDE)).astype(np.int64)
    return torch.from_numpy(ids[starts[:, None] + np.arange(length)].astype(np.int64))


def documents_of(corpus: Corpus) -> list[str]:
    """Decode the first held-out documents; a text without documents is one."""
    ids = corpus.valid[:DOCUMENT_IDS]
    pieces = np.split(ids, np.flatnonzero(ids == BOS_ID))
    texts = (corpus.tokenizer.decode(piece.tolist()) for piece in pieces)
    return [text for text in texts if text]


def choose_poem(documents: Sequence[str]) -> str:
    """Choose the first document whose lines fit on a plot, or the beginning of the first one."""
    for document in documents:
        lines = document.split("\n")
        if len(lines) in POEM_LINES and max(map(len, lines)) <= POEM_WIDTH:
            return document
    return documents[0][:PROSE_CHARACTERS]


def ids_of(tokenizer: Tokenizer, documents: Sequence[str]) -> list[int]:
    """Encode documents as networks read them: `<s>` before each and after the last."""
    ids = [BOS_ID]
    for document in documents:
        ids += [*tokenizer.encode(document), BOS_ID]
    return ids
