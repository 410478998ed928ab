"""Generated text compared with held-out text: the same statistics and memorization for both.

The people's text is the held-out one; what counts as a word, and what as copied, the training
text says. Knows nothing of the terminal.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from model.checkpoint import Checkpoint
from model.errors import ParameterError
from model.parameters import SamplingParams
from training.data.corpus import is_prepared, load_corpus
from training.data.corpus_options import CorpusOptions
from training.data.document_reader import read_texts
from training.evaluation.cross_entropy import Evaluation
from training.evaluation.memorization import (
    Integers,
    Memorization,
    longest_matches,
    memorization_of,
)
from training.evaluation.text_samples import (
    decoded_texts,
    draw_documents,
    excerpts,
    generate_documents,
)
from training.evaluation.text_statistics import TextStatistics, text_statistics, words
from training.texts.unpacking import STDIN
from training.training_errors import CorpusError

BORDER = "\x00"  # between documents of the training text: no passage is copied across it
LARGEST_SHARE = 4  # a document is cut to a fourth of the text, lest one be all of it


class ComparisonOptions(BaseModel):
    """Options of the comparison: how much text is generated, at which temperature and seed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    characters: int = Field(
        20_000, ge=1, le=10_000_000, description="characters to write and to hold beside"
    )
    temperature: float = Field(
        SamplingParams.model_fields["temperature"].default,
        ge=0,
        le=10,
        description="divides the logits of what is written",
    )
    seed: int = Field(1, ge=0, lt=2**53, description="seed of what is written and drawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Text statistics and memorization of one text."""

    statistics: TextStatistics
    memorization: Memorization


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Figures of generated and of held-out text of one length."""

    generated: Side
    held_out: Side


def compare(
    checkpoint: Checkpoint, evaluated: Evaluation, training_text: str, options: ComparisonOptions
) -> Comparison:
    """Generate as much text as is drawn from the held-out one, and measure both."""
    longest = max(1, options.characters // LARGEST_SHARE)
    has_documents = bool(evaluated.documents)
    texts = list(decoded_texts(checkpoint.tokenizer, evaluated.ids, has_documents=has_documents))
    documents = texts if has_documents else excerpts("".join(texts), longest)
    held_out = draw_documents(documents, options.characters, longest, options.seed)
    generated = generate_documents(
        checkpoint,
        characters=sum(map(len, held_out)),
        longest=longest,
        temperature=options.temperature,
        seed=options.seed,
    )
    known = set(words(training_text))
    lengths = longest_matches([*generated, *held_out], training_text)
    count = len(generated)
    return Comparison(
        generated=_side(generated, lengths[:count], known, are_whole=has_documents),
        held_out=_side(held_out, lengths[count:], known, are_whole=has_documents),
    )


def _side(
    texts: Sequence[str], lengths: Sequence[Integers], known: Container[str], *, are_whole: bool
) -> Side:
    return Side(
        statistics=text_statistics(texts, known, are_whole=are_whole),
        memorization=memorization_of(texts, lengths),
    )


def training_text_of(
    training_names: Sequence[str], corpus_names: Sequence[str], options: CorpusOptions
) -> str:
    """Read the text of `training_names`, or else the training part of the one prepared corpus.

    Raises ParameterError when there is neither, CorpusError for what cannot be read.
    """
    names = training_names or corpus_names
    if len(names) == 1 and is_prepared(names[0]):
        corpus = load_corpus(Path(names[0]))
        has_documents = corpus.manifest.options.split == "documents"
        texts = decoded_texts(corpus.tokenizer, corpus.train, has_documents=has_documents)
        return _joined(texts, has_documents=has_documents)
    if not training_names:
        problem = "name the text that the checkpoint was trained on, or a prepared --corpus"
        raise ParameterError("training_text", problem)
    if STDIN in names and STDIN in corpus_names:
        raise ParameterError("training_text", "standard input can be read only once; name a file")
    texts = read_texts(names, options)
    return _joined(texts, has_documents=options.split == "documents")


def _joined(texts: Iterable[str], *, has_documents: bool) -> str:
    whole = (BORDER if has_documents else "").join(texts)
    if not whole:
        raise CorpusError("training_text: there is no text in it to compare with")
    return whole
