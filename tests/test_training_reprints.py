"""Reprints: documents that share most lines are kept once, and none is on both sides of a split."""

from pathlib import Path

import pytest

from model.errors import ParameterError
from training.data.corpus import Corpus, prepare
from training.data.corpus_options import CorpusOptions
from training.data.reprints import LineIndex, reprinted
from training.data.train_valid_split import held_out_documents, split_keys
from training.training_errors import CorpusError

NOUNS = ("heron", "miller", "ferryman", "plumber", "swallow", "lantern", "chapel", "harbour")
LETTERS = "bcdfghjklmnpqrst"
VERBS = ("remembers", "measures", "forgives", "gathers", "surrenders", "questions")


def poem(number: int, lines: int = 8) -> str:
    """A poem whose lines no other number has."""
    words = (f"{LETTERS[number % 16]}a{LETTERS[number // 16]}{noun}" for noun in NOUNS)
    return "\n".join(
        f"The {word} {VERBS[at % 6]} the mountain {VERBS[(at + number) % 6]}"
        for at, word in enumerate(list(words)[:lines])
    )


def modern(text: str) -> str:
    """A poem as another edition has it: spelling, punctuation, numbers."""
    return text.replace("mountain", "mountayne,").replace("The ", "Thee ") + " 10"


def links(*texts: str) -> LineIndex:
    index = LineIndex()
    for text in texts:
        index.add(text)
    return index


def test_an_edition_in_another_spelling_is_a_reprint_and_the_larger_is_kept() -> None:
    index = links(poem(1), modern(poem(1, 6)), poem(2))
    assert [(link.first, link.second, link.share) for link in index.links()] == [(0, 1, 1.0)]
    assert reprinted(index.links(), index.num_lines) == {1}


def test_a_poem_within_a_book_is_a_reprint_of_it() -> None:
    index = links(poem(1), "\n\n".join(poem(n) for n in range(10)))
    assert reprinted(index.links(), index.num_lines) == {0}


def test_a_refrain_that_many_have_makes_no_reprints() -> None:
    refrain = "\n" + "Glory be to the mountain and the harbour\n" * 2
    index = links(*(poem(n, 2) + refrain for n in range(40)))
    assert not index.links()


def test_no_index_of_nothing() -> None:
    assert links().links() == links("", "a\nb").links() == []


def corpus(
    tmp_path: Path, texts: list[str], valid: list[str] | None = None, **options: object
) -> Corpus:
    files = {"poems.txt": texts, **({"valid.txt": valid} if valid is not None else {})}
    for name, documents in files.items():
        (tmp_path / name).write_text("\n\n\n".join(documents), encoding="utf-8")
    return prepare(
        [str(tmp_path / "poems.txt")],
        tmp_path / "data",
        CorpusOptions.model_validate(options),
        valid_names=[str(tmp_path / "valid.txt")] if valid is not None else (),
    )


def documents(corpus: Corpus, part: str) -> list[str]:
    text = corpus.tokenizer.decode(getattr(corpus, part).tolist())
    return [document for document in text.split("<s>") if document]


def test_reprints_are_kept_once_and_counted(tmp_path: Path) -> None:
    texts = [poem(n) for n in range(12)] + [modern(poem(n)) for n in range(3)]
    facts = corpus(tmp_path, texts).manifest
    assert facts.reprinted_documents == 3
    assert facts.train.documents + facts.valid.documents == 12
    kept = corpus(tmp_path, texts, keep=("reprints",)).manifest
    assert kept.reprinted_documents == 0
    assert kept.train.documents + kept.valid.documents == 15


def test_documents_that_share_some_lines_are_on_one_side() -> None:
    texts = [poem(n) for n in range(40)] + [poem(n, 3) + "\n" + poem(100 + n, 5) for n in range(40)]
    index = links(*texts)
    pairs = [(link.first, link.second) for link in index.links()]
    assert pairs == [(n, n + 40) for n in range(40)]
    digests = [bytes([n * 37 % 256] * 16) for n in range(80)]
    sides = held_out_documents(split_keys(digests, pairs), 0.3)
    assert sides[:40] == sides[40:]
    assert 0 < sum(sides) < 80


def test_what_validates_is_not_learned_as_a_reprint(tmp_path: Path) -> None:
    found = corpus(tmp_path, [poem(n) for n in range(9)], [modern(poem(3, 3)), poem(20)])
    assert found.manifest.valid.documents == 1  # the smaller one leaves
    found = corpus(tmp_path, [poem(n, 3) for n in range(9)], [modern(poem(3)), poem(20)])
    assert (found.manifest.train.documents, found.manifest.valid.documents) == (8, 2)
    with pytest.raises(CorpusError, match=r"all of its documents .1. are in the corpus"):
        corpus(tmp_path, [poem(n) for n in range(9)], [modern(poem(3, 3))])


def test_by_author_no_author_is_on_both_sides() -> None:
    digests = [bytes([n] * 16) for n in range(60)]
    authors = [f"Poet  {n % 6}" if n % 2 else f"poet {n % 6}" for n in range(60)]
    sides = held_out_documents(split_keys(digests, [], authors), 0.2)
    assert len({side for side, n in zip(sides, range(60), strict=True) if n % 6 == 0}) == 1
    for poet in range(6):
        assert len(set(sides[poet::6])) == 1
    assert 0 < sum(sides) < 60


@pytest.mark.parametrize(
    ("authors", "message"), [([None] * 4, "no file tells"), (["Ann"] * 4, "one author")]
)
def test_by_author_needs_authors(authors: list[str | None], message: str) -> None:
    with pytest.raises(ParameterError, match=f"by_author: .*{message}"):
        split_keys([bytes([n] * 16) for n in range(4)], [], authors)
