"""Training text of a corpus, read again as `prepare` reads it, for what is made beside the ids.

Knows nothing of checkpoints.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from training.data.corpus import require_texts
from training.data.corpus_options import CorpusOptions
from training.data.document_store import DocumentStore, StoredText
from training.data.sources import expand


@dataclass(slots=True)
class TrainingText:
    """Texts that a run trains on: with the same names and options those of its corpus.

    `characters` is how many were read by the last pass over the texts.
    """

    store: DocumentStore
    characters: int = 0

    def texts(self) -> Iterator[tuple[str, bool]]:
        """Read the texts, in pieces, each with whether it opens a document."""
        for stored in self.stored_texts():
            yield stored.text, stored.opens_document

    def stored_texts(self) -> Iterator[StoredText]:
        """Read the texts, in pieces, each with where it comes from."""
        self.characters = 0
        for stored in self.store.stored_texts("train"):
            self.characters += len(stored.text)
            yield stored


@contextmanager
def training_text(
    names: Sequence[str], valid_names: Sequence[str], options: CorpusOptions
) -> Iterator[TrainingText]:
    """Context of the training text of some files. Raises CorpusError.

    The texts lie in a temporary file meanwhile.
    """
    require_texts([*names, *valid_names])
    with tempfile.TemporaryFile("w+b") as file:
        store = DocumentStore(file, options, [*names, *valid_names])
        valid_files = expand(valid_names) if valid_names else []
        store.read(expand(names), valid_files)
        yield TrainingText(store)
