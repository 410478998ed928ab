"""Cross-entropy of held-out text: validation loss, bits per character and perplexity.

With carried state, by document, and over cold windows that each begin with the zero state.
Figures are per character of the text; the end of a document counts as one character, since
something (the blank lines) stood there and was predicted. Always fp32, dropout off.
Knows nothing of runs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import Checkpoint
from model.count_in_words import counted
from model.errors import ParameterError
from model.network import Network, State
from model.scoring import Score, surprisals
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from training.data.corpus import Corpus, Ids, is_prepared, load_corpus
from training.data.corpus_options import CorpusOptions
from training.data.document_reader import read_texts
from training.data.train_valid_split import Part
from training.data.unknown_characters import commonest_unknown, require_known
from training.data.vocabulary import CharacterCounts
from training.training_errors import CorpusError

COLD_BATCH = 64

WARM_UP = 512  # tokens that a row reads before its own first: by then where it began is forgotten
IDS_AT_ONCE = 1 << 16  # networks take ids in eight bytes, which a long text is not kept in

TokenIds = np.ndarray[tuple[int], np.dtype[np.int32]]
TokenCounts = np.ndarray[tuple[int], np.dtype[np.int64]]
IdRows = np.ndarray[tuple[int, int], np.dtype[np.integer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentScore:
    """Score of one document, with its title (the first line)."""

    title: str
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Score of a text as a whole and of each of its documents."""

    ids: Ids | TokenIds
    total: Score
    documents: list[DocumentScore]
    unknown_tokens: int
    # The commonest, and their counts; of a prepared corpus not kept by part.
    unknown_characters: Mapping[str, int] = field(default_factory=dict)

    @property
    def unknown_share(self) -> float:
        """Share of the characters that the vocabulary does not have."""
        return self.unknown_tokens / self.total.characters


@contextmanager
def evaluation_mode(network: Network) -> Iterator[None]:
    """Put a network into evaluation mode, dropout off, while the block runs."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def scored_characters(corpus: Corpus, part: Part) -> int:
    """Count the characters that the loss of a part is divided by, ends of documents included."""
    facts = corpus.manifest.train if part == "train" else corpus.manifest.valid
    has_ends = corpus.manifest.options.split == "documents"
    return facts.characters + (facts.documents if has_ends else 0)


def mean_surprisal(network: Network, ids: Ids | TokenIds, *, rows: int = 1) -> float:
    """Compute nats per token over `ids`, with the state carried from token to token.

    With several rows each starts cold, and the whole is faster.

    With one row this is exact: the whole text, in order, from the zero state.
    """
    pieces = _as_rows(ids, rows)
    total = sum(float(losses.double().sum()) for losses in _surprisals(network, pieces))
    return total / (rows * (pieces.shape[1] - 1))


def _as_rows(ids: Ids | TokenIds, rows: int) -> IdRows:
    """Cut `ids` into `rows` pieces of one length; a remainder is left out.

    Neighbouring pieces share one id, so that every id but the first is predicted once.
    """
    length = (len(ids) - 1) // rows
    return np.stack([ids[row * length : (row + 1) * length + 1] for row in range(rows)])


def _surprisals(network: Network, ids: IdRows, state: State | None = None) -> Iterator[Tensor]:
    """Compute the surprisals of rows of ids block by block, with carried state."""
    columns = max(1, IDS_AT_ONCE // ids.shape[0])
    with evaluation_mode(network):
        for start in range(0, ids.shape[1] - 1, columns):
            window = ids[:, start : start + columns + 1].astype(np.int64)
            losses, state = surprisals(network, torch.from_numpy(window), state)
            yield losses


def carried_surprisals(network: Network, ids: Ids | TokenIds, rows: int = 1) -> Tensor:
    """Compute the surprisal of each id but the first in nats, (N - 1,), with carried state.

    With one row from the zero state on, exactly. With several the text is cut into as many pieces,
    read side by side: faster, and the same to some 1e-5 of the mean, since each piece but the first
    begins with the state that the `WARM_UP` tokens before it leave. A short text gets fewer rows.
    """
    count = len(ids) - 1
    rows = max(1, min(rows, count // WARM_UP))
    length = -(-count // rows)
    padded = np.zeros(rows * length + 1, dtype=ids.dtype)
    padded[: len(ids)] = ids
    starts = np.arange(rows) * length
    state = _warm_state(network, ids, starts[1:]) if rows > 1 else None
    pieces = padded[starts[:, None] + np.arange(length + 1)]
    return torch.cat(list(_surprisals(network, pieces, state)), dim=1).flatten()[:count]


def _warm_state(network: Network, ids: Ids | TokenIds, starts: TokenCounts) -> State:
    """Compute the state of a first row at the text's beginning, and of others at `starts` > 0."""
    before = ids[starts[:, None] - WARM_UP + np.arange(WARM_UP + 1)].astype(np.int64)
    with evaluation_mode(network):
        _, state = surprisals(network, torch.from_numpy(before))
    return State.joined([network.zero_state(1), state], dim=1)


def cold_window_nats(network: Network, ids: Ids | TokenIds, window: int) -> float:
    """Compute nats per token over windows of `window` tokens, each begun with the zero state.

    nanoGPT's estimate, over every whole window instead of a random draw of them.
    """
    count = (len(ids) - 1) // window if window > 0 else 0
    if count == 0:
        raise ParameterError(
            "cold_window", f"must be 1 to {counted(len(ids) - 1, 'token')}, got {window}"
        )
    total = 0.0
    with evaluation_mode(network):
        for first in range(0, count, COLD_BATCH):
            starts = np.arange(first, min(first + COLD_BATCH, count))[:, None] * window
            rows = ids[starts + np.arange(window + 1)].astype(np.int64)
            losses, _ = surprisals(network, torch.from_numpy(rows))
            total += float(losses.double().sum())
    return total / (count * window)


def evaluate_checkpoint(
    checkpoint: Checkpoint, names: Sequence[str], options: CorpusOptions, *, rows: int = 1
) -> Evaluation:
    """Score a checkpoint on the named texts, or on the validation part of a prepared corpus.

    `rows` pieces of the text are read side by side, see `carried_surprisals`. Raises CorpusError
    for texts that cannot be read, or when there is nothing to score.
    """
    if len(names) == 1 and is_prepared(names[0]):
        corpus = load_corpus(Path(names[0]))
        if corpus.tokenizer.serialized != checkpoint.tokenizer.serialized:
            raise CorpusError(f"{names[0]}: prepared with another vocabulary than the checkpoint's")
        return _evaluate_prepared(checkpoint.network, corpus, rows)
    texts = read_texts(names, options)
    has_ends = options.split == "documents"
    return evaluate_texts(checkpoint.network, checkpoint.tokenizer, texts, ends=has_ends, rows=rows)


def _evaluate_prepared(network: Network, corpus: Corpus, rows: int) -> Evaluation:
    ids = corpus.valid
    if corpus.manifest.options.split == "contiguous":
        nats = _total(carried_surprisals(network, ids, rows))
        characters = scored_characters(corpus, "valid")
        return _evaluation(ids, Score(nats=nats, characters=characters), [])
    # `<s>` stands before every document and after the last.
    borders = np.flatnonzero(ids == BOS_ID)
    pieces = np.split(ids, borders)[1:-1]
    texts = (corpus.tokenizer.decode(piece.tolist()) for piece in pieces)
    losses = carried_surprisals(network, ids, rows)
    return _by_document(losses, ids, [_Document.of(text) for text in texts], np.diff(borders))


def evaluate_texts(
    network: Network, tokenizer: Tokenizer, texts: Iterable[str], *, ends: bool, rows: int = 1
) -> Evaluation:
    """Score `texts` one after the other, the state carried from each to the next.

    With `ends` each is a document that `<s>` ends, and its end is predicted too; without, they
    are pieces of one text. Raises CorpusError when there is nothing to score, or when too many
    of the characters are unknown.
    """
    encoded = []
    documents = []
    counts = CharacterCounts()
    for text in texts:
        encoded.append(tokenizer.encode_array(text).astype(np.int32))
        documents.append(_Document.of(text))
        counts.add(text)
    if not encoded:
        raise CorpusError("there is no text to evaluate")
    characters = sum(document.characters - 1 for document in documents)
    ids, unknown = _joined(encoded, ends=ends), commonest_unknown(counts, tokenizer)
    share = np.count_nonzero(ids == UNK_ID) / characters
    require_known(share, unknown, "to evaluate", "give a text in the checkpoint's alphabet")
    losses = carried_surprisals(network, ids, rows)
    if ends:
        lengths = np.array([len(piece) + 1 for piece in encoded])
        result = _by_document(losses, ids, documents, lengths)
    else:
        result = _evaluation(ids, Score(nats=_total(losses), characters=characters), [])
    return replace(result, unknown_characters=unknown)


@dataclass(frozen=True, slots=True)
class _Document:
    title: str
    characters: int  # its end is one

    @classmethod
    def of(cls, text: str) -> "_Document":
        return cls(text.lstrip().partition("\n")[0], len(text) + 1)


def _by_document(
    losses: Tensor, ids: Ids | TokenIds, documents: Sequence[_Document], lengths: TokenCounts
) -> Evaluation:
    """Score each document; `lengths` are their tokens, their ends included."""
    nats = [_total(part) for part in torch.split(losses, lengths.tolist())]
    scores = [Score(n, document.characters) for n, document in zip(nats, documents, strict=True)]
    total = Score(nats=sum(nats), characters=sum(d.characters for d in documents))
    titled = zip(documents, scores, strict=True)
    return _evaluation(ids, total, [DocumentScore(title=d.title, score=s) for d, s in titled])


def _total(losses: Tensor) -> float:
    return float(losses.double().sum())


def _evaluation(ids: Ids | TokenIds, total: Score, documents: list[DocumentScore]) -> Evaluation:
    unknown = int(np.count_nonzero(ids == UNK_ID))
    return Evaluation(ids=ids, total=total, documents=documents, unknown_tokens=unknown)


def _joined(encoded: Sequence[TokenIds], *, ends: bool) -> TokenIds:
    opening = np.array([BOS_ID], dtype=np.int32)
    parts = [opening]
    for piece in encoded:
        parts += [piece, opening] if ends else [piece]
    return np.concatenate(parts)
