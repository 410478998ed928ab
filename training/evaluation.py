"""How well a network predicts text: with carried state, by document, and over cold windows.

Figures are per character of the text; the end of a document counts as one character, since
something (the blank lines) stood there and was predicted. Always fp32, dropout off.
Knows nothing of files and runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import Checkpoint
from model.errors import ParameterError
from model.network import Network
from model.scoring import Score, surprisals
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from training.corpus import Corpus, CorpusOptions, Ids, is_prepared, load_corpus
from training.errors import CorpusError
from training.reading import expand, read_texts
from training.spool import Part

COLD_BATCH = 64

TokenIds = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentScore:
    """One document's title (its first line) and score."""

    title: str
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The score of a text as a whole and of each of its documents."""

    ids: Ids | TokenIds
    total: Score
    documents: list[DocumentScore]
    unknown_tokens: int


@contextmanager
def evaluating(network: Network) -> Iterator[None]:
    """Dropout off while the block runs."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def characters_of(corpus: Corpus, part: Part) -> int:
    """What the loss of a part is divided by."""
    facts = corpus.manifest.train if part == "train" else corpus.manifest.valid
    has_ends = corpus.manifest.options.split == "documents"
    return facts.characters + (facts.documents if has_ends else 0)


def as_rows(ids: Ids, rows: int) -> Tensor:
    """`ids` cut into `rows` pieces of one length, (rows, N); a remainder is left out.

    Neighbouring pieces share one id, so that every id but the first is predicted once.
    """
    length = (len(ids) - 1) // rows
    pieces = [ids[row * length : (row + 1) * length + 1].astype(np.int64) for row in range(rows)]
    return torch.from_numpy(np.stack(pieces))


def mean_surprisal(network: Network, ids: Ids, *, rows: int = 1) -> float:
    """Nats per token over `ids`, state carried; with several rows each starts cold, and is faster.

    With one row this is exact: the whole text, in order, from the zero state.
    """
    with evaluating(network):
        losses, _ = surprisals(network, as_rows(ids, rows))
    return float(losses.double().mean())


def cold_window_nats(network: Network, ids: Ids | TokenIds, window: int) -> float:
    """Nats per token over windows of `window` tokens, each begun with the zero state.

    nanoGPT's estimate, over every whole window instead of a random draw of them.
    """
    count = (len(ids) - 1) // window if window > 0 else 0
    if count == 0:
        raise ParameterError("cold_window", f"must be 1 to {len(ids) - 1} tokens, got {window}")
    total = 0.0
    with evaluating(network):
        for first in range(0, count, COLD_BATCH):
            starts = np.arange(first, min(first + COLD_BATCH, count))[:, None] * window
            rows = ids[starts + np.arange(window + 1)].astype(np.int64)
            losses, _ = surprisals(network, torch.from_numpy(rows))
            total += float(losses.double().sum())
    return total / (count * window)


def measure(checkpoint: Checkpoint, names: Sequence[str], options: CorpusOptions) -> Evaluation:
    """Score a checkpoint on the named texts, or on the validation part of a prepared corpus.

    Raises CorpusError for texts that cannot be read, or when there is nothing to score.
    """
    if len(names) == 1 and is_prepared(names[0]):
        corpus = load_corpus(Path(names[0]))
        if corpus.tokenizer.serialized != checkpoint.tokenizer.serialized:
            raise CorpusError(f"{names[0]}: prepared with another vocabulary than the checkpoint's")
        return _evaluate_prepared(checkpoint.network, corpus)
    texts = (
        text
        for name in expand(names)
        for text in read_texts(name, options.split, options.document_separator)
    )
    has_ends = options.split == "documents"
    return evaluate(checkpoint.network, checkpoint.tokenizer, texts, ends=has_ends)


def _evaluate_prepared(network: Network, corpus: Corpus) -> Evaluation:
    characters = characters_of(corpus, "valid")
    nats = mean_surprisal(network, corpus.valid) * (len(corpus.valid) - 1)
    return Evaluation(
        ids=corpus.valid,
        total=Score(nats=nats, characters=characters),
        documents=[],
        unknown_tokens=corpus.manifest.valid.unknown_tokens,
    )


def evaluate(
    network: Network, tokenizer: Tokenizer, texts: Iterable[str], *, ends: bool
) -> Evaluation:
    """Score `texts` one after the other, the state carried from each to the next.

    With `ends` each is a document that `<s>` ends, and its end is predicted too; without, they
    are pieces of one text. Raises CorpusError when there is nothing to score.
    """
    encoded = []
    titles, characters = [], []
    for text in texts:
        encoded.append(tokenizer.encode_array(text))
        titles.append(text.lstrip().partition("\n")[0])
        characters.append(len(text) + ends)
    if not encoded:
        raise CorpusError("there is no text to evaluate")
    ids = _joined(encoded, ends=ends)
    with evaluating(network):
        losses, _ = surprisals(network, torch.from_numpy(ids)[None])
    lengths = [len(piece) + ends for piece in encoded]
    nats = [float(part.double().sum()) for part in torch.split(losses[0], lengths)]
    scores = [Score(nats=n, characters=c) for n, c in zip(nats, characters, strict=True)]
    return Evaluation(
        ids=ids,
        total=Score(nats=sum(nats), characters=sum(characters)),
        documents=[DocumentScore(title=t, score=s) for t, s in zip(titles, scores, strict=True)],
        unknown_tokens=int(np.count_nonzero(ids == UNK_ID)),
    )


def _joined(encoded: Sequence[TokenIds], *, ends: bool) -> TokenIds:
    opening = np.array([BOS_ID])
    parts = [opening]
    for piece in encoded:
        parts += [piece, opening] if ends else [piece]
    return np.concatenate(parts)
