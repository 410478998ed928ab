"""Title effect: surprisal of poems under their own title, under another poem's, and without one.

A title helps a writer only where the model heeds it: then a poem is likelier under its own. Poems
are read from the zero state, as a request is. Knows nothing of files.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch.nn.utils.rnn import pad_sequence

from model.network import Network
from model.scoring import Score, surprisals
from model.tokenizer import BOS_ID, Tokenizer
from training.data.poem_titles import is_title
from training.evaluation.cross_entropy import evaluation_mode
from training.training_errors import CorpusError

ROWS = 64  # poems read side by side
BREAK = "\n\n"  # between a title and its poem


class TitleOptions(BaseModel):
    """Options of the title effect: how much of each poem is scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    characters: int = Field(500, ge=1, le=100_000, description="characters of each poem to score")


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleEffect:
    """Scores of the same poems under their own title, another's and none."""

    poems: int
    own: Score
    another: Score
    none: Score
    likelier_under_own: float  # share of poems, in [0, 1]


@dataclass(frozen=True, slots=True)
class TitledPoem:
    """A poem's title, and the beginning of its verse."""

    title: str
    verse: str


def titled_poems(documents: Iterable[str], characters: int) -> Iterator[TitledPoem]:
    """Part documents that open with a title into it and the first `characters` of their verse."""
    for document in documents:
        title, _, verse = document.partition(BREAK)
        if is_title(title) and verse.strip():
            yield TitledPoem(title, verse[:characters])


def title_effect(
    network: Network, tokenizer: Tokenizer, documents: Iterable[str], options: TitleOptions
) -> TitleEffect:
    """Measure the title effect over all documents that open with a title.

    Another's title is that of the poem half of them further on: neighbours are often of one book.
    Raises CorpusError where fewer than two poems have a title.
    """
    poems = list(titled_poems(documents, options.characters))
    if len(poems) < 2:
        raise CorpusError(
            f"titles: {len(poems)} of the documents open with a title and a blank line; "
            "at least two must"
        )
    far = len(poems) // 2
    others = [poem.title for poem in (*poems[far:], *poems[:far])]
    verses = [poem.verse for poem in poems]
    own = _verse_nats(network, tokenizer, [poem.title + BREAK for poem in poems], verses)
    another = _verse_nats(network, tokenizer, [title + BREAK for title in others], verses)
    none = _verse_nats(network, tokenizer, [""] * len(poems), verses)
    count = sum(map(len, verses))
    likelier = sum(mine < theirs for mine, theirs in zip(own, another, strict=True))
    return TitleEffect(
        poems=len(poems),
        own=Score(sum(own), count),
        another=Score(sum(another), count),
        none=Score(sum(none), count),
        likelier_under_own=likelier / len(poems),
    )


def _verse_nats(
    network: Network, tokenizer: Tokenizer, heads: Sequence[str], verses: Sequence[str]
) -> list[float]:
    """Sum the surprisals of each verse, in nats, after its head and the start of a document."""
    sums: list[float] = []
    pairs = list(zip(heads, verses, strict=True))
    with evaluation_mode(network):
        for start in range(0, len(pairs), ROWS):
            before, after = zip(
                *(_ids(tokenizer, *pair) for pair in pairs[start : start + ROWS]), strict=True
            )
            rows = [
                torch.tensor([*head, *verse]) for head, verse in zip(before, after, strict=True)
            ]
            losses, _ = surprisals(network, pad_sequence(rows, batch_first=True))
            for row, head, verse in zip(losses.double(), before, after, strict=True):
                first = len(head) - 1  # the first loss is that of the second id
                sums.append(float(row[first : first + len(verse)].sum()))
    return sums


def _ids(tokenizer: Tokenizer, head: str, verse: str) -> tuple[list[int], list[int]]:
    """Encode a head and a verse apart, so that the verse is the same tokens after every head."""
    return [BOS_ID, *tokenizer.encode(head)], tokenizer.encode(verse)
