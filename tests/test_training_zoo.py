"""Corpus zoo: the text that comes out of every format and encoding is what was put in."""

from pathlib import Path

import corpus_zoo as zoo
import pytest
import zoo_poems

from training.data.corpus_options import CorpusOptions
from training.data.document_reader import read_texts


def documents(path: Path) -> list[str]:
    return list(read_texts([str(path)], CorpusOptions()))


def without_indents(document: str) -> str:
    return "\n".join(line.lstrip() for line in document.split("\n"))


@pytest.mark.parametrize("name", zoo.FORMATS)
def test_the_same_poems_are_the_same_documents_in_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(zoo.FORMATS[name](zoo_poems.POEMS))
    # A PDF tells where letters lie, and not which of it is an indent.
    expected = [without_indents(d) if name.endswith(".pdf") else d for d in zoo_poems.DOCUMENTS]
    assert documents(path) == expected
